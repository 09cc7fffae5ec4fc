"""Reads tracklets with the bundled model's network in PyTorch, as a Python user would: the same weights,
frames and sums.
"""

import argparse
import json
import math
import pathlib
import struct
import time

import numpy as np
import torch
from PIL import Image
from torch import nn

SIZE, FRAMES, BATCH = 48, 16, 16
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Digits(nn.Module):
    def __init__(self, channels=96, width=64):
        super().__init__()
        self.key, self.place = nn.Linear(channels, width), nn.Linear(14, width, bias=False)
        self.queries = nn.Parameter(torch.zeros(2, width))
        self.hidden, self.digit, self.blank = (
            nn.Linear(channels, channels),
            nn.Linear(channels, 10),
            nn.Linear(channels, 1),
        )
        self.known_places = {}

    def places(self, height, width, device):
        if (height, width) not in self.known_places:
            self.known_places[height, width] = self.place_codes(height, width).to(
                device=device, dtype=self.place.weight.dtype
            )
        return self.known_places[height, width]

    @staticmethod
    def place_codes(height, width):
        def codes(index, count):
            place = (2 * index + 1) / count - 1
            return [place] + [wave(math.pi * k * place) for k in (1, 2, 3) for wave in (math.sin, math.cos)]

        return torch.tensor([codes(y, height) + codes(x, width) for y in range(height) for x in range(width)])

    def forward(self, maps):
        contents = maps.flatten(2).transpose(1, 2)
        scores = (
            (self.key(contents) + self.place(self.places(*maps.shape[2:], maps.device))) @ self.queries.T / 8
        )
        digits = torch.relu(self.hidden(scores.softmax(1).transpose(1, 2) @ contents))
        seen = self.digit(digits)
        return torch.cat([seen[:, 0], self.blank(digits[:, 0])], 1), seen[:, 1]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        backbone = nn.Module()
        backbone.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32))
        shapes = [(32, 48, 2), (48, 48, 1), (48, 96, 2), (96, 96, 1)]
        backbone.blocks = nn.Sequential(*[Block(*shape) for shape in shapes])
        self.encoder = nn.Module()
        self.encoder.backbone = backbone
        self.digits, self.fc_readability = Digits(), nn.Linear(96, 1)

    def forward(self, frames):
        backbone = self.encoder.backbone
        maps = backbone.blocks(torch.relu(backbone.stem(frames)))
        tens, ones = self.digits(maps)
        return tens.log_softmax(1), ones.log_softmax(1), self.fc_readability(maps.mean((2, 3))).sigmoid()


def weights(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    kinds = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    return {
        name: torch.from_numpy(
            np.frombuffer(data[8 + length :][slice(*info["data_offsets"])], kinds[info["dtype"]])
            .reshape(info["shape"])
            .copy()
        )
        for name, info in json.loads(data[8 : 8 + length]).items()
        if name != "__metadata__"
    }


def frame(path):
    image = Image.open(path).convert("RGB")
    scale = min(SIZE / image.height, SIZE / image.width)
    size = [min(max(1, round(side * scale)), SIZE) for side in image.size]
    picture = torch.from_numpy(np.array(image.resize(size, Image.BILINEAR))).permute(2, 0, 1)
    canvas = torch.zeros(3, SIZE, SIZE)
    top, left = (SIZE - picture.shape[1]) // 2, (SIZE - picture.shape[2]) // 2
    canvas[:, top : top + picture.shape[1], left : left + picture.shape[2]] = picture / 255
    return (canvas - MEAN) / STD


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path, help="number/track/sequence/frames")
    options = parser.parse_args()
    model = Model()
    missing = model.load_state_dict(weights(options.weights), strict=False)
    assert not missing.unexpected_keys and all("num_batches" in key for key in missing.missing_keys), missing
    model = model.eval().to(memory_format=torch.channels_last)
    sequences = sorted(path for path in options.data.glob("*/*/*") if path.is_dir())
    start, answers = time.perf_counter(), {}
    with torch.inference_mode():
        for first in range(0, len(sequences), BATCH):
            group = [
                sorted(folder.glob("*.jpg"), key=lambda p: int("".join(filter(str.isdigit, p.stem))))[:FRAMES]
                for folder in sequences[first : first + BATCH]
            ]
            stack = torch.stack([frame(path) for paths in group for path in paths]).contiguous(
                memory_format=torch.channels_last
            )
            tens, ones, readable = model(stack)
            for folder, t, o in zip(
                sequences[first:],
                (tens * readable).split([len(p) for p in group]),
                (ones * readable).split([len(p) for p in group]),
                strict=False,
            ):
                a, b = int(t.sum(0).argmax()), int(o.sum(0).argmax())
                answers[str(folder.relative_to(options.data))] = ("" if a == 10 else str(a)) + str(b)
    print(json.dumps({"seconds": time.perf_counter() - start, "answers": answers}))


if __name__ == "__main__":
    main()

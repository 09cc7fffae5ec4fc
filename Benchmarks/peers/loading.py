"""Measures frames per second of the study's training loader: Pillow, its augmentation, and a DataLoader with
worker processes.
"""

import argparse
import json
import pathlib
import time

import numpy as np
import torch
import torchvision.transforms.functional as TF
from PIL import Image, ImageFilter
from study import digits, frame_paths, load_frame, sample
from torch.utils.data import DataLoader, Dataset


def augment(image):
    image = TF.adjust_brightness(image, np.random.uniform(0.8, 1.2))
    image = TF.adjust_contrast(image, np.random.uniform(0.8, 1.2))
    image = TF.adjust_saturation(image, np.random.uniform(0.8, 1.2))
    image = TF.rotate(image, np.random.uniform(-5, 5), interpolation=TF.InterpolationMode.BILINEAR)
    if np.random.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(radius=float(np.random.choice([1.0, 1.5, 2.0]))))
    if np.random.random() < 0.2:
        pixels = np.array(image, dtype=np.float32) / 255.0
        noise = np.random.normal(0, np.random.uniform(0.01, 0.03), pixels.shape)
        image = Image.fromarray((np.clip(pixels + noise, 0, 1) * 255).astype(np.uint8))
    return image


class Sequences(Dataset):
    """A tree of `<number>/<track>/<sequence>/<frames>`."""

    def __init__(self, root, frames, size):
        self.frames, self.size = frames, size
        folders = sorted(p for p in root.glob("*/*/*") if p.is_dir())
        self.records = [(p.parts[-3], paths) for p in folders if (paths := frame_paths(p))]

    def __len__(self):
        return len(self.records)

    def __getitem__(self, index):
        number, paths = self.records[index]
        frames = [load_frame(p, *self.size, augment) for p in sample(paths, self.frames)]
        return torch.stack(frames), *digits(number)


def collate(items):
    """Makes a batch, padded to its longest sequence by repeating last frames."""
    longest = max(len(frames) for frames, _, _ in items)
    batch = torch.zeros(len(items), longest, *items[0][0].shape[1:])
    for row, (frames, _, _) in zip(batch, items, strict=True):
        row[: len(frames)] = frames
        row[len(frames) :] = frames[-1]
    rows = [(len(frames), tens, ones) for frames, tens, ones in items]
    lengths, tens, ones = (torch.tensor(column) for column in zip(*rows, strict=True))
    return {"frames": batch, "lengths": lengths, "tens_label": tens, "ones_label": ones}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--frames", type=int, default=16, help="most frames per sequence")
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--sequences", type=int, help="read only the first N, ordered by path")
    options = parser.parse_args()

    data = Sequences(options.data, options.frames, (options.height, options.width))
    data.records = data.records[: options.sequences]
    if not data.records:
        parser.error(f"no sequences in {options.data}: expected <number>/<track>/<sequence>/<frames>")
    # Kinder than the study, which restarts its workers each epoch.
    loader = DataLoader(
        data,
        batch_size=options.batch,
        shuffle=True,
        num_workers=options.workers,
        collate_fn=collate,
        persistent_workers=options.workers > 0,
    )
    for _ in range(2):  # the first epoch warms up
        frames = 0
        start = time.perf_counter()
        for batch in loader:
            frames += int(batch["lengths"].sum())
        seconds = time.perf_counter() - start
    print(json.dumps({"frames_per_second": frames / seconds, "frames": frames, "torch": torch.__version__}))


if __name__ == "__main__":
    main()

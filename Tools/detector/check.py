"""Prints what the detector's network computes for a small picture; a test of the program compares."""

import argparse
from pathlib import Path

import numpy as np
import torch
from network import Detector


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, help="what train.py wrote")
    options = parser.parse_args()
    model = Detector()
    # In half precision, as the program has them.
    model.load_state_dict({name: value.half().float() for name, value in torch.load(options.weights).items()})
    pixels = np.array([(index * 2_654_435_761 >> 13) & 255 for index in range(64 * 96 * 3)], np.uint8)
    picture = torch.tensor(pixels.reshape(1, 64, 96, 3)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        scores, distances = model(picture.float() / 127.5 - 1)
    output = torch.cat([scores[:, None], distances], 1).flatten()
    print(", ".join(f"{value:.5f}" for value in output[::37].tolist()))


if __name__ == "__main__":
    main()

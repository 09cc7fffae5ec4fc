"""Writes the detector's weights in half precision, as the program embeds them."""

import argparse
import json
import struct
from pathlib import Path

import numpy as np
import torch

# Kernels of layers with stride 2.
STRIDED = {"stem.weight"} | {f"blocks.{index}.depthwise.weight" for index in (1, 3, 6, 13)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, help="what train.py wrote")
    parser.add_argument("out", type=Path, help="Sources/CBundledModel/detector.safetensors")
    options = parser.parse_args()
    tensors = torch.load(options.weights)
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in sorted(tensors.items()):
        if name in STRIDED:
            # TensorFlow's padding, which the program has no layer for.
            tensor = torch.nn.functional.pad(tensor, (1, 0, 1, 0))
        data = tensor.numpy().astype(np.float16).tobytes()
        header[name] = {
            "dtype": "F16",
            "shape": list(tensor.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    options.out.write_bytes(struct.pack("<Q", len(text)) + text + body)


if __name__ == "__main__":
    main()

"""Reads the number of one sequence folder with a checkpoint of `attn_bgru_luong`, as a Python user would."""

import argparse
import json
import pathlib

import torch
from study import LuongModel, frame_paths, load_frame, sample

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("weights", help="checkpoint of the study (.pth)")
parser.add_argument("sequence", type=pathlib.Path, help="folder of frames")
options = parser.parse_args()

model = LuongModel()
model.load_state_dict(torch.load(options.weights, weights_only=True)["model_state"])
model.eval()
frames = torch.stack([load_frame(path) for path in sample(frame_paths(options.sequence))])
with torch.inference_mode():
    tens, ones = (logits.softmax(1)[0] for logits in model(frames.unsqueeze(0), torch.tensor([len(frames)])))
number = ("" if tens.argmax() == 10 else str(int(tens.argmax()))) + str(int(ones.argmax()))
print(json.dumps({"number": number, "confidence": float(tens.max() * ones.max()), "frames": len(frames)}))

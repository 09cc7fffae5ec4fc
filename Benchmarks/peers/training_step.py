"""Measures time and peak memory of the study's training step of `attn_bgru_luong`, on random frames."""

import argparse
import json
import resource
import statistics
import sys
import time

import torch
from study import LuongModel, learning_rate_groups
from torch.nn import functional as F

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--frames", type=int, default=8, help="frames per sequence, after padding")
parser.add_argument("--lengths", help="valid frames per sequence, such as 8,8,6,8,3,8,8,8 (default: all)")
parser.add_argument("--height", type=int, default=192)
parser.add_argument("--width", type=int, default=96)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--warmup", type=int, default=3)
parser.add_argument("--channels-last", action="store_true")
parser.add_argument("--fused", action="store_true", help="use the fused Adam instead of PyTorch's choice")
options = parser.parse_args()
lengths = (
    [int(n) for n in options.lengths.split(",")] if options.lengths else [options.frames] * options.batch
)
if len(lengths) != options.batch or not all(1 <= n <= options.frames for n in lengths):
    parser.error(f"--lengths needs {options.batch} numbers between 1 and {options.frames}")

torch.set_num_threads(options.threads)
torch.manual_seed(42)
model = LuongModel().train()
frames = torch.randn(options.batch, options.frames, 3, options.height, options.width)
lengths = torch.tensor(lengths)
tens = torch.randint(11, (options.batch,))
ones = torch.randint(10, (options.batch,))
if options.channels_last:
    model = model.to(memory_format=torch.channels_last)
    # The same layout for the images that `forward` gets by joining batch and time.
    frames = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, frames.shape[:2])
optimizer = torch.optim.Adam(
    learning_rate_groups(model), weight_decay=1e-4, betas=(0.9, 0.999), fused=options.fused or None
)


def step():
    optimizer.zero_grad()
    tens_logits, ones_logits = model(frames, lengths)
    loss = F.cross_entropy(tens_logits, tens) + F.cross_entropy(ones_logits, ones)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


for _ in range(options.warmup):
    step()
seconds = []
for _ in range(options.steps):
    start = time.perf_counter()
    loss = step()
    seconds.append(time.perf_counter() - start)

peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(
    json.dumps(
        {
            "seconds_per_step": statistics.median(seconds),
            "steps": options.steps,
            "peak_rss_bytes": peak,
            "loss": loss,
            "torch": torch.__version__,
        }
    )
)

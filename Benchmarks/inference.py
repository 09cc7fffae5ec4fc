#!/usr/bin/env python3
"""Times forward passes of a model in jersey and its peers, in turns, and prints the ratios.

All use the same weights and frames. Each runs in its own process, which lives as long as the
comparison and waits while others have their turn. Only the forward pass is timed, from normalised
frames to logits; on a GPU, until it has finished. cuDNN selects its algorithms beforehand for all.
Needs only Python's standard library.
"""

import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import tempfile

from harness.contestant import Contestant, compete
from harness.environment import peers_python
from harness.programs import BUNDLED, PEERS, Parser
from harness.turns import quantile, ratios
from peers.forms import FORMS as THEIRS

OURS = {"cpu": ["eager", "float32", "bfloat16", "int8"], "cuda": ["eager", "float32", "bfloat16", "float16"]}
# Ours, the peer's, and the goal for the ratio. On a GPU the goal is 0.7 of the fastest peer's
# latency, and 1.2 times its throughput with batches of 64.
GOALS = [
    ("float32", "openvino", 1.05),
    ("bfloat16", "openvino-bf16", 1.1),
    ("int8", "openvino-int8", 1.15),
    ("int8", "onnxruntime-int8", 1.15),
]
GOALS += [("float16", peer, {1: 0.7, 64: 1 / 1.2}) for peer in THEIRS["cuda"]]
# Frames, height and width of each model's input.
MODELS = {
    "attn_bgru_luong": (16, 192, 96),
    "seq_bgru_mp": (16, 192, 96),
    "basic_r18": (1, 192, 96),
    "evidence_tied": (16, 48, 48),
}


def main():
    parser = Parser(__doc__)
    parser.add_argument(
        "--model", choices=MODELS, default="attn_bgru_luong", help="evidence_tied is the bundled model"
    )
    parser.add_argument("--weights", help="weights (default: random; the bundled ones for evidence_tied)")
    parser.add_bin("jersey-bench")
    parser.add_argument("--device", choices=THEIRS, default="cpu")
    parser.add_argument(
        "--only", action="append", help=f"peer to measure, from {THEIRS}; repeatable (default: all)"
    )
    parser.add_argument(
        "--ours", action="append", help=f"form of ours to measure, from {OURS}; repeatable (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--passes", type=int, default=5, help="passes per turn; their median counts")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="write all figures to this file")
    options = parser.parse_args()
    options.ours = options.ours or OURS[options.device]
    options.only = options.only or THEIRS[options.device]

    program, python = options.bin / "jersey-bench", peers_python()
    peer = [python, PEERS / "inference.py", "--model", options.model]
    with tempfile.TemporaryDirectory() as folder:
        weights, frames = options.weights, folder + "/frames"
        if weights is None and options.model == "evidence_tied":
            weights = str(BUNDLED)
        if weights is None:
            weights = folder + "/weights.pth"
            subprocess.run([*peer, "--random", weights], check=True)
        count, height, width = MODELS[options.model]
        pathlib.Path(frames).write_bytes(random.Random(1).randbytes(count * height * width * 3))
        common = ["--weights", weights, "--input", frames, "--device", options.device]
        common += ["--frames", count, "--height", height, "--width", width]
        for name in ("threads", "batch", "passes"):
            common += [f"--{name}", getattr(options, name)]
        tune = ["--tune"] if options.device == "cuda" else []
        commands = [
            ("jersey " + form, [program, "inference", "--form", form, *tune]) for form in options.ours
        ]
        commands += [(form, [*peer, "--form", form]) for form in options.only]
        contestants = []
        for name, command in commands:
            try:
                contestants.append(Contestant(name, command + common))
            except RuntimeError as error:
                print(f"{name}: skipped, because it does not run: {error}")
        compete(contestants, options.rounds)

    report(contestants, options)
    if options.json:
        times = {
            c.name: {"rounds": c.rounds, "seconds": c.seconds, "logits": c.first["logits"]}
            for c in contestants
        }
        names = ("model", "weights", "device", "batch", "threads", "rounds", "passes")
        asked = {name: getattr(options, name) for name in names} | {
            "timed": "forward pass, from normalised frames to logits",
            "warmup": 10,
            "frames": MODELS[options.model],
            "load": os.getloadavg()[0],
        }
        pathlib.Path(options.json).write_text(json.dumps({"setting": asked, "times": times}))


def report(contestants: list[Contestant], options):
    count, height, width = MODELS[options.model]
    threads = f"{options.threads} threads on {os.cpu_count()} cores ({platform.machine()}), "
    print(
        f"{options.model}, batch {options.batch} of {count} frame{'s'[: count - 1]} of {height}x{width}, "
        + ("on the GPU, " if options.device == "cuda" else threads)
        + f"{options.rounds} rounds of {options.passes} passes in turns, 10 passes of warm-up; "
        + "forward pass only\n"
    )
    exact = contestants[0].first["logits"]
    size = max(map(abs, exact))
    print("| | median | P50 | P95 | P99 | sequences/s | logits differ by |")
    print("|---|---|---|---|---|---|---|")
    for c in contestants:
        times = [statistics.median(c.rounds), *(quantile(c.seconds, share) for share in (0.5, 0.95, 0.99))]
        times = " | ".join(f"{1000 * time:.2f} ms" for time in times)
        difference = max(abs(a - b) for a, b in zip(c.first["logits"], exact, strict=True)) / size
        print(f"| {c.name} | {times} | {options.batch / statistics.mean(c.seconds):.1f} | {difference:.1e} |")
    named = {c.name: c for c in contestants}
    print("\n| ours / theirs, round by round | median | extremes | goal |")
    print("|---|---|---|---|")
    goals = {(ours, theirs): goal for ours, theirs, goal in GOALS}
    for ours in options.ours:
        for theirs in ["jersey eager", *options.only]:
            if ours == "eager" or "jersey " + ours not in named or theirs not in named:
                continue
            found = ratios(named["jersey " + ours].rounds, named[theirs].rounds)
            goal = goals.get((ours, theirs))
            if isinstance(goal, dict):
                goal = goal.get(options.batch)
            median = statistics.median(found)
            verdict = "" if goal is None else f"≤ {goal:.2f}: {'met' if median <= goal else 'missed'}"
            print(f"| {ours} / {theirs} | {median:.2f} | {min(found):.2f}-{max(found):.2f} | {verdict} |")


if __name__ == "__main__":
    main()

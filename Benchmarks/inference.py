#!/usr/bin/env python3
"""Times forward passes of a model, by jersey and by its peers, in turns, and prints the ratios.

All hold the same weights and the same frames, in processes of their own that live as long as the comparison and wait while another has
its turn. Timed is the forward pass alone, from normalised frames to logits; on a GPU until it has finished, with cuDNN measuring its
algorithms beforehand for all. Needs Python's standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUNDLED = HERE.parent / "Sources/CBundledModel/bundled.safetensors"
OURS = {"cpu": ["eager", "float32", "bfloat16", "int8"], "cuda": ["eager", "float32", "bfloat16", "float16"]}
THEIRS = {
    "cpu": [
        "eager", "channels-last", "inductor", "inductor-bf16", "onnxruntime", "onnxruntime-int8", "openvino", "openvino-bf16",
        "openvino-int8",
    ],
    "cuda": ["eager", "float16", "graph", "inductor", "inductor-autotune"],
}
# Ours, the peer's, the ratio that we aim at. On a GPU it is 0.7 of the fastest peer's latency, and 1.2 of its throughput with batches
# of 64.
GOALS = [("float32", "openvino", 1.05), ("bfloat16", "openvino-bf16", 1.1), ("int8", "openvino-int8", 1.15), ("int8", "onnxruntime-int8", 1.15)]
GOALS += [("float16", peer, {1: 0.7, 64: 1 / 1.2}) for peer in THEIRS["cuda"]]
# Frames, height and width that each reads.
MODELS = {"attn_bgru_luong": (16, 192, 96), "seq_bgru_mp": (16, 192, 96), "basic_r18": (1, 192, 96), "evidence_tied": (16, 48, 48)}


class Contestant:
    def __init__(self, name: str, command: list[str]):
        self.name = name
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.rounds: list[float] = []
        self.seconds: list[float] = []
        self.first = self.answer()

    def answer(self) -> dict[str, list[float]]:
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise RuntimeError(self.log.read().decode(errors="replace").strip()[-600:] or "ended without a word")
        return json.loads(line)

    def turn(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        seconds = self.answer()["seconds"]
        self.seconds += seconds
        self.rounds.append(statistics.median(seconds))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def bench(folder: pathlib.Path) -> pathlib.Path:
    program = folder / "jersey-bench"
    if not program.exists():
        raise SystemExit(f"{program} is missing: build it with `swift build -c release --product jersey-bench`, or say --bin DIR")
    return program


def peers_python() -> str:
    return os.environ.get("JERSEY_PYTHON") or subprocess.run([HERE / "peers/setup.sh"], check=True, capture_output=True, text=True).stdout.strip()


def take_turns(contestants: list[Contestant], rounds: int):
    for index in range(rounds):
        # Who comes after whom changes, too.
        start = index % len(contestants)
        for contestant in contestants[start:] + contestants[:start]:
            contestant.turn()
    for contestant in contestants:
        contestant.end()


def quantile(values: list[float], share: float) -> float:
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="attn_bgru_luong", help="evidence_tied is the bundled one")
    parser.add_argument("--weights", help="random ones where not given; evidence_tied has its own")
    parser.add_argument("--bin", default=HERE.parent / ".build/release", type=pathlib.Path, help="folder with jersey-bench")
    parser.add_argument("--device", choices=THEIRS, default="cpu")
    parser.add_argument("--only", action="append", help=f"peer, of {THEIRS}; all where not given")
    parser.add_argument("--ours", action="append", help=f"of {OURS}; all where not given")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--passes", type=int, default=5, help="in one turn, of which the median counts")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="write all figures there")
    options = parser.parse_args()
    options.ours, options.only = options.ours or OURS[options.device], options.only or THEIRS[options.device]

    program, python = bench(options.bin), peers_python()
    with tempfile.TemporaryDirectory() as folder:
        weights, frames = options.weights, folder + "/frames"
        if weights is None and options.model == "evidence_tied":
            weights = str(BUNDLED)
        if weights is None:
            weights = folder + "/weights.pth"
            subprocess.run([python, HERE / "peers/inference.py", "--model", options.model, "--random", weights], check=True)
        count, height, width = MODELS[options.model]
        pathlib.Path(frames).write_bytes(random.Random(1).randbytes(count * height * width * 3))
        common = ["--weights", weights, "--input", frames, "--frames", str(count), "--height", str(height), "--width", str(width)]
        common += ["--device", options.device]
        for name in ("threads", "batch", "passes"):
            common += [f"--{name}", str(getattr(options, name))]
        tune = ["--tune"] if options.device == "cuda" else []
        commands = [("jersey " + form, [program, "inference", "--form", form, *tune]) for form in options.ours]
        commands += [(form, [python, HERE / "peers/inference.py", "--model", options.model, "--form", form]) for form in options.only]
        contestants = []
        for name, command in commands:
            try:
                contestants.append(Contestant(name, [str(word) for word in command + common]))
            except RuntimeError as error:
                print(f"{name}: left out, as it does not run: {error}")
        take_turns(contestants, options.rounds)

    report(contestants, options)
    if options.json:
        times = {c.name: {"rounds": c.rounds, "seconds": c.seconds, "logits": c.first["logits"]} for c in contestants}
        asked = {name: getattr(options, name) for name in ("model", "weights", "device", "batch", "threads", "rounds", "passes")}
        asked |= {"timed": "forward pass, from normalised frames to logits", "warmup": 10, "frames": MODELS[options.model], "load": os.getloadavg()[0]}
        pathlib.Path(options.json).write_text(json.dumps({"setting": asked, "times": times}))


def report(contestants: list[Contestant], options):
    count, height, width = MODELS[options.model]
    print(
        f"{options.model}, batch {options.batch} of {count} frame{'s'[:count - 1]} of {height}x{width}, "
        + ("on the GPU, " if options.device == "cuda" else f"{options.threads} threads on {os.cpu_count()} cores ({platform.machine()}), ")
        + f"{options.rounds} rounds of {options.passes} passes in turns, 10 passes of warm-up; forward pass only\n"
    )
    exact = contestants[0].first["logits"]
    size = max(map(abs, exact))
    print("| | median | P50 | P95 | P99 | sequences/s | logits differ by |")
    print("|---|---|---|---|---|---|---|")
    for c in contestants:
        times = [f"{1000 * t:.2f} ms" for t in (statistics.median(c.rounds), *(quantile(c.seconds, q) for q in (0.5, 0.95, 0.99)))]
        difference = max(abs(a - b) for a, b in zip(c.first["logits"], exact)) / size
        print(f"| {c.name} | {' | '.join(times)} | {options.batch / statistics.mean(c.seconds):.1f} | {difference:.1e} |")
    named = {c.name: c for c in contestants}
    print("\n| ours / theirs, round by round | median | extremes | aim |")
    print("|---|---|---|---|")
    goals = {(ours, theirs): goal for ours, theirs, goal in GOALS}
    for ours in options.ours:
        for theirs in ["jersey eager", *options.only]:
            if ours == "eager" or "jersey " + ours not in named or theirs not in named:
                continue
            ratios = [a / b for a, b in zip(named["jersey " + ours].rounds, named[theirs].rounds)]
            goal = goals.get((ours, theirs))
            if isinstance(goal, dict):
                goal = goal.get(options.batch)
            median = statistics.median(ratios)
            verdict = "" if goal is None else f"≤ {goal:.2f}: {'met' if median <= goal else 'missed'}"
            print(f"| {ours} / {theirs} | {median:.2f} | {min(ratios):.2f}-{max(ratios):.2f} | {verdict} |")


if __name__ == "__main__":
    main()

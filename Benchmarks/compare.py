#!/usr/bin/env python3
"""Runs jersey and PyTorch on the same work, in turns, and compares them.

Needs only Python's standard library. PyTorch has its own environment, which peers/setup.sh creates.
"""

from __future__ import annotations

import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.data import sequence_folders
from harness.environment import peers_python
from harness.processes import Failure, exit_with, measured
from harness.programs import PEERS, Parser
from harness.turns import ratios, take_turns

IMAGES = {".jpg", ".jpeg", ".png"}
STUDY, BEST = "PyTorch, the study", "PyTorch, best form"


@dataclass
class Contestant:
    """A command that does the work once, and the measurements of its runs."""

    name: str
    command: list
    runs: list[dict] = field(default_factory=list)

    def __post_init__(self):
        self.command = [str(word) for word in self.command]


@dataclass
class Work:
    """The work that each contestant does; the first contestant is ours."""

    title: str
    contestants: list[Contestant]
    environment: dict = field(default_factory=dict)
    rehearsals: int = 0


@dataclass
class Measure:
    """A quantity to compare: how to read it from a run, and the goal for the ratio ours / theirs."""

    name: str
    work: str
    title: str
    read: Callable[[dict], float]
    shown_as: str
    goal: tuple | None = None


MEASURES = [
    Measure(
        "training", "training", "training step", lambda run: run["seconds_per_step"], "{:.3f} s", ("<=", 0.75)
    ),
    Measure("memory", "training", "peak memory", lambda run: run["peak"] / 2**20, "{:.0f} MiB", ("<=", 1.1)),
    Measure(
        "loading", "loading", "loading", lambda run: run["frames_per_second"], "{:.0f} frames/s", (">=", 2.0)
    ),
    Measure("startup", "startup", "start-up", lambda run: run["seconds"], "{:.2f} s"),
]


def parse_json(text):
    """Parses all of the output as JSON, or else its last line."""
    for part in [text, *text.splitlines()[-1:]]:
        try:
            return json.loads(part)
        except ValueError:
            pass
    return None


def run(command, environment):
    """Runs a command; returns the JSON that it prints, its wall time, CPU time and peak memory."""
    done = measured(command, environment)
    said = parse_json(done.output.strip())
    if said is None:
        raise Failure(f"{' '.join(command)}\nprinted no JSON:\n{done.output[-2000:]}")
    counted = {"seconds": done.seconds, "cpu": done.cpu, "peak": done.peak}
    return (said if isinstance(said, dict) else {"output": said}) | counted


def compete(work, rounds):
    """Alternates the contestants, so that other load on the machine affects all alike."""

    def runner(contestant):
        return lambda: run(contestant.command, work.environment)

    runners = {contestant.name: runner(contestant) for contestant in work.contestants}
    take_turns(runners, work.rehearsals, title=f"{work.title}: rehearsal")
    for contestant, runs in zip(
        work.contestants, take_turns(runners, rounds, title=work.title).values(), strict=True
    ):
        contestant.runs = runs


def compare(measure, work):
    """Yields rows of the table: ours against each other contestant."""
    ours, *others = work.contestants
    mine = [measure.read(r) for r in ours.runs]
    for other in others:
        theirs = [measure.read(r) for r in other.runs]
        found = ratios(mine, theirs)
        ratio = statistics.median(found)
        met = None
        if measure.goal:
            sense, bound = measure.goal
            met = ratio <= bound if sense == "<=" else ratio >= bound
        yield {
            "measure": measure.title,
            "peer": other.name,
            "ours": statistics.median(mine),
            "theirs": statistics.median(theirs),
            "ratio": ratio,
            "ratio_min": min(found),
            "ratio_max": max(found),
            "goal": "".join(map(str, measure.goal)) if measure.goal else None,
            "met": met,
            "shown": [measure.shown_as.format(statistics.median(side)) for side in (mine, theirs)],
        }


def choose_sequences(data, count, into):
    """Copies evenly chosen sequences of the data set, so that both sides read exactly the same frames."""

    def is_sequence(folder):
        number = folder.parts[-3]
        return (number.isdecimal() and len(number) <= 2) and any(
            file.suffix.lower() in IMAGES for file in folder.iterdir()
        )

    folders = [folder for folder in sequence_folders(data) if is_sequence(folder)]
    if not folders:
        raise Failure(f"{data}: no sequences; expected <number>/<track>/<sequence>/<frames>")
    count = min(count, len(folders))
    chosen = [folders[i * len(folders) // count] for i in range(count)]
    for folder in chosen:
        shutil.copytree(folder, into / folder.relative_to(data))
    return [into / folder.relative_to(data) for folder in chosen]


def machine(options, python):
    """Describes the machine and the settings."""

    def said(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip() or None
        except OSError:
            return None

    cpu = None
    if pathlib.Path("/proc/cpuinfo").exists():
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    elif sys.platform == "darwin":
        cpu = said("sysctl", "-n", "machdep.cpu.brand_string")
    versions = (
        "import torch, torchvision, PIL; print(torch.__version__, torchvision.__version__, PIL.__version__)"
    )
    torch, torchvision, pillow = (said(str(python), "-c", versions) or "? ? ?").split()
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": cpu or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "jersey": said(str(options.bin / "jersey"), "--version"),
        "torch": torch,
        "torchvision": torchvision,
        "pillow": pillow,
        "python": (said(str(python), "--version") or "?").removeprefix("Python "),
        "threads": options.threads,
        "workers": options.workers,
        "rounds": options.rounds,
        "steps": options.steps,
    }


def plan(options, python, scratch):
    """Yields the work for the requested measures."""
    bench, peers = options.bin / "jersey-bench", PEERS
    wanted = set(options.only)
    sequences = []
    if wanted & {"loading", "startup"}:
        count = options.sequences if "loading" in wanted else 1
        sequences = choose_sequences(options.data, count, scratch / "data")

    if wanted & {"training", "memory"}:
        shape = ["--threads", options.threads, "--batch", 8, "--frames", 8, "--height", 192, "--width", 96]
        shape += ["--steps", options.steps, "--warmup", options.warmup]
        step = [python, peers / "training_step.py", *shape]
        contestants = [
            Contestant("jersey", [bench, "training-step", *shape]),
            Contestant(STUDY, step),
            Contestant(BEST, [*step, "--channels-last", "--fused"]),
        ]
        yield "training", Work("training step", contestants)

    if "loading" in wanted:
        shape = ["--data", scratch / "data", "--workers", options.workers, "--batch", 64, "--frames", 16]
        shape += ["--sequences", len(sequences)]
        contestants = [
            Contestant("jersey", [bench, "loading", *shape]),
            Contestant(STUDY, [python, peers / "loading.py", *shape]),
        ]
        # A DataLoader worker uses one thread, so ours do as well.
        yield "loading", Work("loading", contestants, {"OMP_NUM_THREADS": "1"})

    if "startup" in wanted:
        weights = scratch / "weights.pth"
        subprocess.run([python, peers / "make_checkpoint.py", weights], check=True)
        ours = [options.bin / "jersey", "predict", "--weights", weights, "--model", "attn_bgru_luong"]
        contestants = [
            Contestant("jersey", [*ours, sequences[0], "--format", "json"]),
            Contestant("Python script", [python, peers / "predict.py", weights, sequences[0]]),
        ]
        # The first start reads each program from disk; measure starts with everything in memory.
        yield (
            "startup",
            Work("start-up", contestants, {"OMP_NUM_THREADS": str(options.threads)}, rehearsals=1),
        )


def table(rows):
    """Formats aligned plain text that is also valid Markdown."""
    head = ["measure", "against", "jersey", "peer", "ratio", "min-max", "goal"]
    lines = [head]
    for row in rows:
        verdict = "" if row["goal"] is None else f"{row['goal']} {'met' if row['met'] else 'MISSED'}"
        spread = f"{row['ratio_min']:.2f}-{row['ratio_max']:.2f}"
        lines.append([row["measure"], row["peer"], *row["shown"], f"{row['ratio']:.2f}", spread, verdict])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def parse():
    parser = Parser(__doc__)
    names = [m.name for m in MEASURES]
    parser.add_argument("--only", action="append", choices=names, help="measure only this; repeatable")
    parser.add_argument(
        "--data", type=pathlib.Path, metavar="DIR", help="frames in `folders` format (loading, startup)"
    )
    parser.add_bin()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="threads per side, for training and start-up")
    parser.add_argument("--workers", type=int, default=2, help="workers per side, for loading")
    parser.add_argument("--steps", type=int, default=10, help="training steps measured per run")
    parser.add_argument("--warmup", type=int, default=3, help="warm-up steps before those")
    parser.add_argument("--sequences", type=int, default=256, help="number of sequences to load")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write every run to this file")
    options = parser.parse_args()
    options.only = options.only or names
    if options.data is None and {"loading", "startup"} & set(options.only):
        parser.error(
            "loading and start-up need frames: --data DIR (or choose --only training, --only memory)"
        )
    if min(options.rounds, options.threads, options.workers, options.steps, options.sequences) < 1:
        parser.error("--rounds, --threads, --workers, --steps and --sequences must be at least 1")
    if set(options.only) - {"startup"}:
        parser.check(options.bin / "jersey-bench", "--bin DIR")
    if "startup" in options.only:
        parser.check(options.bin / "jersey", "--bin DIR")
    return options


def main():
    options = parse()
    python = pathlib.Path(peers_python())

    with tempfile.TemporaryDirectory(prefix="jersey-compare-") as scratch:
        taken = machine(options, python)
        works = {}
        for name, work in plan(options, python, pathlib.Path(scratch)):
            compete(work, options.rounds)
            works[name] = work

    if "loading" in works:
        counts = {c.name: c.runs[0].get("frames") for c in works["loading"].contestants}
        if len(set(counts.values())) > 1:
            print(f"note: the two sides did not load the same number of frames: {counts}", file=sys.stderr)
    rows = [row for m in MEASURES if m.name in options.only for row in compare(m, works[m.work])]
    print(table(rows))
    pairs = f"{options.rounds} pairs of alternating runs"
    print(f"\nRatio: jersey / peer, the median (and extremes) over {pairs}.")
    print("Time and memory are better below 1, frames per second above 1.\n")
    print("\n".join(f"{key.replace('_', ' ')}: {value}" for key, value in taken.items()))
    if taken["load_before"] > 0.5:
        print(f"note: the machine was busy (load {taken['load_before']}); see the spread", file=sys.stderr)

    if options.json:
        runs = {name: {c.name: c.runs for c in work.contestants} for name, work in works.items()}
        for row in rows:
            del row["shown"]
        options.json.write_text(json.dumps({"taken": taken, "rows": rows, "runs": runs}, indent=2) + "\n")


if __name__ == "__main__":
    exit_with(main)

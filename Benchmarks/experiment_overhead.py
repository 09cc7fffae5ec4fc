#!/usr/bin/env python3
"""Measures what an experiment adds to plain training of the same runs: the runner, the table of runs,
progress and TensorBoard files.

    Benchmarks/experiment_overhead.py [--pairs 3] [--epochs 11] [--json FILE]

Needs Linux and only the standard library. Wall time is compared in alternating pairs. It drifts with
other load on the machine, so the runner's CPU time and the cost of the files, which drift less, are
also measured alone.
"""

import json
import pathlib
import shutil
import statistics
import sys
import tempfile

from harness.data import synthesize
from harness.processes import exit_with, measured
from harness.programs import Parser
from harness.turns import spread, take_turns

BAR = 0.01
MODEL = "attn_ugru_hc"


def run(command: list) -> dict:
    """Returns wall time, and CPU time with and without children."""
    done = measured(command)
    return {"wall": done.seconds, "cpu": done.cpu, "own": done.own}


def epochs_of(folder: pathlib.Path) -> float:
    """Returns the seconds of training and validation, as recorded by the run."""
    return sum(json.loads(line)["seconds"] for line in (folder / "metrics.jsonl").read_text().splitlines())


class Pair:
    """The same runs as an experiment and as plain training, with the same settings."""

    def __init__(self, jersey: pathlib.Path, work: pathlib.Path, tracks: int, epochs: int, seeds: list):
        self.jersey, self.work, self.seeds = jersey, work, seeds
        synthesize(jersey, work / "data", "4,48,07,9", tracks=tracks, frames="4-8")
        settings = {
            "encoder": "mobilenet_v3_small",
            "data": {"path": str(work / "data"), "height": 96, "width": 48},
            "optimizer": {"warmupEpochs": 0},
            "training": {"epochs": epochs, "batchSize": 8, "threads": 1},
        }
        self.settings, self.definition = work / "settings.json", work / "experiment.json"
        self.settings.write_text(json.dumps(settings))
        definition = {"name": "overhead", "models": [MODEL], "seeds": seeds, "settings": settings}
        self.definition.write_text(json.dumps(definition))

    def experiment(self) -> dict:
        out = self.work / "experiment"
        shutil.rmtree(out, ignore_errors=True)
        done = run([self.jersey, "experiment", "run", self.definition, "--out", out])
        done["epochs"] = sum(epochs_of(out / "runs" / f"{MODEL}-{seed}") for seed in self.seeds)
        return done

    def training(self) -> dict:
        out = self.work / "training"
        shutil.rmtree(out, ignore_errors=True)
        total = {"wall": 0.0, "cpu": 0.0, "epochs": 0.0}
        for seed in self.seeds:
            folder = out / str(seed)
            command = [self.jersey, "train", "--config", self.settings, "--model", MODEL, "--run", folder]
            done = run([*command, "--set", f"seed={seed}"]) | {"epochs": epochs_of(folder)}
            for key in total:
                total[key] += done[key]
        return total


def main() -> int:
    parser = Parser(__doc__)
    parser.add_bin("jersey", "jersey-bench")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument(
        "--epochs", type=int, default=11, help="epochs per run; a run should take at least a minute"
    )
    parser.add_argument(
        "--short-runs",
        type=int,
        default=4,
        help="runs of one epoch, for the fixed cost of a run",
    )
    parser.add_argument(
        "--json", type=pathlib.Path, metavar="FILE", help="also write all figures to this file"
    )
    options = parser.parse_args()
    jersey, bench = options.bin / "jersey", options.bin / "jersey-bench"
    work = pathlib.Path(tempfile.mkdtemp(prefix="jersey-overhead-"))
    try:
        files = json.loads(measured([bench, "bookkeeping", "--epochs", options.epochs]).output)
        short = take(
            Pair(jersey, work / "short", 6, 1, list(range(1, options.short_runs + 1))), options.pairs, "short"
        )
        pairs = take(Pair(jersey, work / "long", 40, options.epochs, [1]), options.pairs, "long")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return report(options, files, pairs, short)


def take(pair: Pair, count: int, name: str) -> list:
    """Alternates experiment and plain training as A B B A, so that drift affects both alike."""
    taken = take_turns(
        {"experiment": pair.experiment, "plain": pair.training}, count, rotate=True, title=name
    )
    pairs = list(zip(taken["experiment"], taken["plain"], strict=True))
    for turn, (ours, plain) in enumerate(pairs):
        print(
            f"{name} pair {turn + 1}: experiment {ours['wall']:.1f} s, plain {plain['wall']:.1f} s",
            file=sys.stderr,
        )
    return pairs


def report(options, files: dict, pairs: list, short: list) -> int:
    def outside(run):
        return run["wall"] - run["epochs"]

    runner = [ours["own"] for ours, _ in pairs]
    run_cpu = [ours["cpu"] - ours["own"] for ours, _ in pairs]
    rows = options.epochs * files["seconds_per_epoch"]
    written = [rows + ours["epochs"] * files["seconds_per_progress"] for ours, _ in pairs]
    share = [(a + b) / c for a, b, c in zip(runner, written, run_cpu, strict=True)]
    added = [(outside(ours) - outside(plain)) for ours, plain in pairs]
    added_short = [(outside(ours) - outside(plain)) / options.short_runs for ours, plain in short]

    def shown(values, form="{:.2f}"):
        return spread(values, form, between=" to ")

    print(f"""
| | median (extremes) of {options.pairs} pairs |
|---|---|
| a run, CPU time | {shown(run_cpu, "{:.1f}")} s |
| the runner and its table, CPU time | {shown(runner)} s |
| progress and TensorBoard files, time | {shown(written, "{:.3f}")} s |
| both, of the run's CPU time | {shown([100 * value for value in share])} % |
| wall time, experiment / plain training | {shown([a["wall"] / b["wall"] for a, b in pairs], "{:.3f}")} |
| CPU time, experiment / plain training | {shown([a["cpu"] / b["cpu"] for a, b in pairs], "{:.3f}")} |
| wall time outside epochs, plain training of a run | {shown([outside(b) for _, b in pairs])} s |
| of this, added by the experiment | {shown(added)} s |
| of this, added for each of {options.short_runs} short runs | {shown(added_short)} s |

A row of TensorBoard costs {1000 * files["seconds_per_epoch"]:.2f} ms an epoch, progress \
{1000 * files["seconds_per_progress"]:.2f} ms a second.""")
    if options.json:
        options.json.write_text(json.dumps({"files": files, "pairs": pairs, "short": short}, indent=2) + "\n")
    met = statistics.median(share) < BAR
    print(f"bar: under {BAR:.0%} of a run's CPU time: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    exit_with(main)

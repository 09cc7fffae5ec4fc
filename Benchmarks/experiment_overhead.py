#!/usr/bin/env python3
"""What an experiment costs beside plain training of the same runs: the runner, the table of runs, progress and TensorBoard files.

    Benchmarks/experiment_overhead.py [--pairs 3] [--epochs 11] [--json FILE]

Standard library only; needs Linux. Wall time is compared in pairs, taken in turns; since that drifts with whatever else the machine
does, the runner's CPU time and the files' cost are measured alone as well, which drifts less.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RELEASE = pathlib.Path(__file__).resolve().parent.parent / ".build/release"
BAR = 0.01
MODEL = "attn_ugru_hc"


def spent(process: int) -> float:
    """CPU seconds of a process alone, without its children."""
    words = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def run(command: list) -> dict:
    """Wall time, CPU time with and without children."""
    start, own = time.monotonic(), 0.0
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while True:
        # Until it has ended and has not been waited for, the count stays readable.
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        own = spent(process.pid)
        if ended:
            break
        time.sleep(0.02)
    wall = time.monotonic() - start
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with status {process.returncode}:\n{said}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "own": own}


def epochs_of(folder: pathlib.Path) -> float:
    """Seconds of training and validation, as the run counted them."""
    return sum(json.loads(line)["seconds"] for line in (folder / "metrics.jsonl").read_text().splitlines())


class Pair:
    """The same runs as an experiment and by plain training, from one file of settings."""

    def __init__(self, jersey: pathlib.Path, work: pathlib.Path, tracks: int, epochs: int, seeds: list):
        self.jersey, self.work, self.seeds = jersey, work, seeds
        subprocess.run([jersey, "synthesize", "--out", work / "data", "--numbers", "4,48,07,9", "--tracks", str(tracks), "--frames", "4-8"],
                       check=True, stdout=subprocess.DEVNULL)
        settings = {"encoder": "mobilenet_v3_small", "data": {"path": str(work / "data"), "height": 96, "width": 48},
                    "optimizer": {"warmupEpochs": 0}, "training": {"epochs": epochs, "batchSize": 8, "threads": 1}}
        self.settings, self.definition = work / "settings.json", work / "experiment.json"
        self.settings.write_text(json.dumps(settings))
        self.definition.write_text(json.dumps({"name": "overhead", "models": [MODEL], "seeds": seeds, "settings": settings}))

    def experiment(self) -> dict:
        out = self.work / "experiment"
        shutil.rmtree(out, ignore_errors=True)
        measured = run([self.jersey, "experiment", "run", self.definition, "--out", out])
        measured["epochs"] = sum(epochs_of(out / "runs" / f"{MODEL}-{seed}") for seed in self.seeds)
        return measured

    def training(self) -> dict:
        out = self.work / "training"
        shutil.rmtree(out, ignore_errors=True)
        total = {"wall": 0.0, "cpu": 0.0, "epochs": 0.0}
        for seed in self.seeds:
            measured = run([self.jersey, "train", "--config", self.settings, "--model", MODEL, "--set", f"seed={seed}", "--run", out / str(seed)])
            measured["epochs"] = epochs_of(out / str(seed))
            for key in total:
                total[key] += measured[key]
        return total


def spread(values: list, form: str = "{:.2f}") -> str:
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=RELEASE, metavar="DIR", help="where our programs are")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=11, help="of each run; it should take a minute or more")
    parser.add_argument("--short-runs", type=int, default=4, help="runs of one epoch, for what a run costs whatever its length")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write every figure there")
    options = parser.parse_args()
    jersey, bench = options.bin / "jersey", options.bin / "jersey-bench"
    for program in [jersey, bench]:
        if not program.exists():
            parser.error(f"{program} is missing: build it with `swift build -c release`, or say --bin DIR")
    work = pathlib.Path(tempfile.mkdtemp(prefix="jersey-overhead-"))
    try:
        files = json.loads(subprocess.run([bench, "bookkeeping", "--epochs", str(options.epochs)], check=True, capture_output=True, text=True).stdout)
        short = take(Pair(jersey, work / "short", 6, 1, list(range(1, options.short_runs + 1))), options.pairs, "short")
        pairs = take(Pair(jersey, work / "long", 40, options.epochs, [1]), options.pairs, "long")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return report(options, files, pairs, short)


def take(pair: Pair, count: int, name: str) -> list:
    taken = []
    for turn in range(count):
        # A B B A, so that a drift falls on both alike.
        first, second = (pair.experiment, pair.training)[::-1 if turn % 2 else 1]
        done = [first(), second()]
        ours, plain = done[::-1] if turn % 2 else done
        taken.append((ours, plain))
        print(f"{name} pair {turn + 1}: experiment {ours['wall']:.1f} s, plain {plain['wall']:.1f} s", file=sys.stderr, flush=True)
    return taken


def report(options, files: dict, pairs: list, short: list) -> int:
    def outside(run):
        return run["wall"] - run["epochs"]

    runner = [ours["own"] for ours, _ in pairs]
    run_cpu = [ours["cpu"] - ours["own"] for ours, _ in pairs]
    written = [options.epochs * files["seconds_per_epoch"] + ours["epochs"] * files["seconds_per_progress"] for ours, _ in pairs]
    share = [(a + b) / c for a, b, c in zip(runner, written, run_cpu)]
    added = [(outside(ours) - outside(plain)) for ours, plain in pairs]
    added_short = [(outside(ours) - outside(plain)) / options.short_runs for ours, plain in short]
    print(f"""
| | median (extremes) of {options.pairs} pairs |
|---|---|
| a run, CPU time | {spread(run_cpu, "{:.1f}")} s |
| the runner and its table, CPU time | {spread(runner)} s |
| progress and TensorBoard files, time | {spread(written, "{:.3f}")} s |
| both, of the run's CPU time | {spread([100 * value for value in share])} % |
| wall time, experiment over plain training | {spread([a["wall"] / b["wall"] for a, b in pairs], "{:.3f}")} |
| CPU time, experiment over plain training | {spread([a["cpu"] / b["cpu"] for a, b in pairs], "{:.3f}")} |
| wall time outside epochs, plain training of a run | {spread([outside(b) for _, b in pairs])} s |
| the same, added by the experiment | {spread(added)} s |
| the same, added for each of {options.short_runs} short runs | {spread(added_short)} s |

A row of TensorBoard costs {1000 * files["seconds_per_epoch"]:.2f} ms an epoch, progress {1000 * files["seconds_per_progress"]:.2f} ms a second.""")
    if options.json:
        options.json.write_text(json.dumps({"files": files, "pairs": pairs, "short": short}, indent=2) + "\n")
    met = statistics.median(share) < BAR
    print(f"bar: under {BAR:.0%} of a run's CPU time: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

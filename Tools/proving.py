"""What the proofs share: reading a run's files with the times left out, and a small experiment to be harmed."""
import json
import os
import pathlib
import sqlite3
import subprocess
import time

MODELS = ["attn_ugru_hc", "basic_mv3s"]
SEEDS = [1, 2]
RUNS = [f"{model}-{seed}" for seed in SEEDS for model in MODELS]


def timeless(value):
    """A JSON value without its times."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in ("seconds", "started", "finished", "attempts", "commit", "host")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def metrics(folder: pathlib.Path) -> list:
    return [timeless(json.loads(line)) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def tensors(path: pathlib.Path) -> bytes:
    """The body of a safetensors file: all tensors, without the header that holds times."""
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little"):]


def compare_runs(one: pathlib.Path, other: pathlib.Path) -> None:
    """Fails with the first of a run's files that differs by more than times."""
    def same(name, read):
        assert read(one / name) == read(other / name), f"{other / name} differs from {one / name}"

    for name in ["config.json", "splits.json", "best.safetensors", "outcomes.jsonl"]:
        same(name, pathlib.Path.read_bytes)
    same("last/state.safetensors", tensors)
    same("", metrics)
    same("result.json", lambda path: timeless(json.loads(path.read_text())))


def table(folder: pathlib.Path) -> tuple:
    """The rows of runs.sqlite, without times and what the table alone knows."""
    database = sqlite3.connect(f"file:{folder / 'runs.sqlite'}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    try:
        runs = [timeless(dict(row)) for row in database.execute("SELECT * FROM run ORDER BY id")]
        epochs = [timeless(dict(row)) for row in database.execute("SELECT * FROM epoch ORDER BY run, epoch")]
    finally:
        database.close()
    for run in runs:
        run["result"] = timeless(json.loads(run["result"] or "null"))
    return runs, epochs


def compare_experiments(one: pathlib.Path, other: pathlib.Path) -> None:
    for run in RUNS:
        compare_runs(one / "runs" / run, other / "runs" / run)
    assert table(one) == table(other), f"the table of runs of {other} differs from that of {one}"


def files(folder: pathlib.Path) -> set:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


class Experiment:
    """Two models, two seeds, images of 48 × 24 pixels."""

    def __init__(self, jersey: str, work: pathlib.Path, epochs: int = 4):
        self.jersey, self.work = str(pathlib.Path(jersey).resolve()), work
        self.data, self.definition = work / "data", work / "experiment.yaml"
        subprocess.run([self.jersey, "synthesize", "--out", str(self.data), "--numbers", "4,48,07", "--tracks", "6",
                        "--frames", "3-5"], check=True, stdout=subprocess.DEVNULL)
        self.definition.write_text(f"""
name: proof
models: [{", ".join(MODELS)}]
seeds: {SEEDS}
settings:
  encoder: mobilenet_v3_small
  data: {{height: 48, width: 24}}
  training: {{epochs: {epochs}, batchSize: 2, saveEverySteps: 1, threads: 1}}
""")

    def command(self, folder: pathlib.Path, *more: str) -> list:
        return [self.jersey, "experiment", "run", str(self.definition), "--out", str(folder), "--data", str(self.data),
                "--jobs", "2", *more]

    def run(self, folder: pathlib.Path, *more: str, humbly: bool = False) -> tuple:
        """The exit status, and all that was said; humbly is without root's right to write everywhere."""
        without = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if humbly else []
        done = subprocess.run(without + self.command(folder, *more), stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stderr


def tasks(folder: pathlib.Path, parent: int | None = None) -> list:
    """Process ids of the runs at work in an experiment's folder; of one runner, or of all."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            state, runner = (process / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if b"task" in words and str(folder).encode() in words and state not in "ZX" and parent in (None, int(runner)):
            found.append(int(process.name))
    return found


def open_files(process: int) -> dict:
    """What each descriptor of a process refers to."""
    found = {}
    try:
        for entry in os.scandir(f"/proc/{process}/fd"):
            try:
                found[int(entry.name)] = os.readlink(entry.path)
            except OSError:
                pass
    except OSError:
        pass
    return found


def wait_until(condition, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()

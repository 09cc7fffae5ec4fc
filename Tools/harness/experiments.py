"""Makes, runs, inspects and compares small experiments."""

import json
import pathlib
import sqlite3
import subprocess

from harness.runs import compare_runs, small_data, timeless

MODELS = ["attn_ugru_hc", "basic_mv3s"]
SEEDS = [1, 2]
RUNS = [f"{model}-{seed}" for seed in SEEDS for model in MODELS]


def table(folder: pathlib.Path) -> tuple:
    """Returns the rows of runs.sqlite, without times and columns that only the table has."""
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

    def __init__(self, jersey: pathlib.Path, work: pathlib.Path, epochs: int = 4):
        self.jersey, self.work = jersey, work
        self.data, self.definition = small_data(jersey, work / "data"), work / "experiment.yaml"
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
        command = [
            self.jersey,
            "experiment",
            "run",
            self.definition,
            "--out",
            folder,
            "--data",
            self.data,
            "--jobs",
            2,
        ]
        return [str(word) for word in [*command, *more]]

    def run(self, folder: pathlib.Path, *more: str, humbly: bool = False) -> tuple:
        """Returns exit status and messages; `humbly` drops root's right to write everywhere."""
        without = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if humbly else []
        done = subprocess.run(without + self.command(folder, *more), stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stderr


def tasks(folder: pathlib.Path, parent: int | None = None) -> list:
    """Returns process ids of an experiment's running tasks, of one runner or of all."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            state, runner = (process / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if (
            b"task" in words
            and str(folder).encode() in words
            and state not in "ZX"
            and parent in (None, int(runner))
        ):
            found.append(int(process.name))
    return found

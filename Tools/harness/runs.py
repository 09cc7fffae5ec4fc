"""Small training runs, and their comparison without times."""

import json
import pathlib

from harness.data import synthesize

NUMBERS = "4,48,07"
# What differs between two equal runs.
TIMES = {"seconds", "started", "finished", "attempts", "commit", "host"}


def small_data(jersey, out: pathlib.Path) -> pathlib.Path:
    """Renders a data set that a model learns in seconds."""
    return synthesize(jersey, out, NUMBERS, tracks=6, frames="3-5")


def small_training(jersey, data: pathlib.Path, run: pathlib.Path, epochs: int, *more: str) -> list:
    """Returns a command that trains on 48 × 24 pixels, saves after each step, and resumes."""
    return [
        jersey,
        "train",
        "--model",
        "attn_ugru_hc",
        "--encoder",
        "mobilenet_v3_small",
        "--data",
        data,
        "--run",
        run,
        "--size",
        "48x24",
        "--epochs",
        str(epochs),
        "--batch-size",
        "2",
        "--threads",
        "1",
        "--set",
        "training.saveEverySteps=1",
        "--resume",
        *more,
    ]


def timeless(value):
    """Returns a JSON value without times."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def metrics(folder: pathlib.Path) -> list:
    return [timeless(json.loads(line)) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def tensors(path: pathlib.Path) -> bytes:
    """Returns the body of a safetensors file: all tensors, without the header, which has times."""
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]


def compare_runs(one: pathlib.Path, other: pathlib.Path) -> None:
    """Fails on the first file of a run that differs by more than times."""

    def same(name, read):
        assert read(one / name) == read(other / name), f"{other / name} differs from {one / name}"

    for name in ["config.json", "splits.json", "best.safetensors", "outcomes.jsonl"]:
        same(name, pathlib.Path.read_bytes)
    same("last/state.safetensors", tensors)
    same("", metrics)
    same("result.json", lambda path: timeless(json.loads(path.read_text())))

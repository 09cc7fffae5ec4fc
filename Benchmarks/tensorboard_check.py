#!/usr/bin/env python3
"""Trains tiny runs and reads their event files with TensorBoard's own readers. Every scalar must match
metrics.jsonl.

    Benchmarks/tensorboard_check.py [--jersey .build/release/jersey] [--kills 5]

One run is uninterrupted; another is killed and resumed while a reader watches it. On first use it installs
TensorBoard into its own environment: ~/.cache/jersey/tensorboard, or the folder in JERSEY_TENSORBOARD.
"""

import json
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

from harness import environment
from harness.processes import wait_until
from harness.programs import Parser
from harness.runs import small_data, small_training

VERSION = "2.21.0"


def enter_environment() -> None:
    """Continues with the interpreter that has TensorBoard; creates its environment if missing."""
    place = pathlib.Path(os.environ.get("JERSEY_TENSORBOARD") or environment.CACHE / "tensorboard")
    if pathlib.Path(sys.prefix).resolve() == place.resolve():
        return
    test = f"from tensorboard import version; assert version.VERSION == '{VERSION}'"
    python = environment.python(place, test, [f"tensorboard=={VERSION}"])
    os.execv(python, [python, *sys.argv])


def single(value: float) -> float:
    """Rounds to float32."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def expected(run: pathlib.Path) -> dict:
    """Returns tag → step → value, from the run's own files."""
    scalars = {}

    def put(tag, step, value):
        scalars.setdefault(tag, {})[step] = single(value)

    def put_part(name, step, part):
        for key, value in part.items():
            if key not in ("sequences", "count"):
                put(f"{key}/{name}", step, value)

    for line in (run / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        for name in ["train", "validation"]:
            put_part(name, row["epoch"], row[name])
        put("rate_factor", row["epoch"], row["rate_factor"])
        put("seconds", row["epoch"], row["seconds"])
    result = json.loads((run / "result.json").read_text())
    test = {key: value for key, value in result["test"]["sequences"].items() if key.endswith("_accuracy")}
    put_part("test", result["best_epoch"], test | {"loss": result["test"]["loss"]})
    return scalars


def read_events(run: pathlib.Path) -> tuple:
    """Returns every scalar of every record in order, and their times; nothing is dropped or merged."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util import tensor_util

    scalars, times = [], []
    files = sorted((run / "tensorboard").iterdir())
    for file in files:
        for event in EventFileLoader(str(file)).Load():
            times.append(event.wall_time)
            for value in event.summary.value:
                scalars.append((value.tag, event.step, tensor_util.make_ndarray(value.tensor).item()))
    return files, scalars, times


def accumulated(reader) -> dict:
    """Returns what TensorBoard would show."""
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]
    }


class Server:
    """A running TensorBoard, which has another, faster reader that keeps the files open."""

    def __init__(self, run: pathlib.Path):
        with socket.socket() as chosen:
            chosen.bind(("localhost", 0))
            self.address = f"http://localhost:{chosen.getsockname()[1]}/data/plugin/scalars/"
            program, port = pathlib.Path(sys.prefix) / "bin/tensorboard", str(chosen.getsockname()[1])
        self.process = subprocess.Popen(
            [program, "--logdir", run, "--port", port, "--reload_interval", "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.shown, 60, pause=0.2)

    def shown(self) -> dict:
        """Returns tag → (step, value) of the only run."""
        try:
            runs = json.load(urllib.request.urlopen(self.address + "tags"))
            found = {}
            for run, tags in runs.items():
                for tag in tags:
                    query = urllib.parse.urlencode({"run": run, "tag": tag})
                    rows = json.load(urllib.request.urlopen(f"{self.address}scalars?{query}"))
                    found[tag] = [(step, value) for _, step, value in rows]
            return found
        except OSError:
            return {}

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def check(name: str, run: pathlib.Path, reader) -> None:
    wanted = expected(run)
    files, scalars, times = read_events(run)
    places = [(tag, step) for tag, step, _ in scalars]
    twice = sorted(place for place in set(places) if places.count(place) > 1)
    assert not twice, f"{name}: duplicate scalars: {twice}"
    found = {}
    for tag, step, value in scalars:
        found.setdefault(tag, {})[step] = value
    assert found == wanted, f"{name}: the event file has\n{found}\nbut the run has\n{wanted}"
    assert times == sorted(times), f"{name}: times go back"
    reader.Reload()
    shown = accumulated(reader)
    sorted_steps = {tag: sorted(steps.items()) for tag, steps in wanted.items()}
    assert shown == sorted_steps, f"{name}: TensorBoard shows\n{shown}\nnot\n{wanted}"
    print(
        f"{name}: {len(scalars)} scalars under {len(found)} tags in {len(files)} file, "
        "all match metrics.jsonl and result.json"
    )


def main() -> int:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    enter_environment()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    work, server = pathlib.Path(tempfile.mkdtemp(prefix="jersey-tensorboard-")), None
    try:
        data = small_data(options.jersey, work / "data")

        def command(name: str, *more: str) -> list:
            return small_training(options.jersey, data, work / name, 6, *more)

        forms = {"uninterrupted": [], "with a head for the full number": ["--set", "training.fullWeight=0.5"]}
        for name, more in forms.items():
            subprocess.run(command(name, *more), check=True, stderr=subprocess.DEVNULL)
            check(
                name,
                work / name,
                EventAccumulator(str(work / name / "tensorboard"), size_guidance={"scalars": 0}),
            )

        # A reader that watches all the time, like an open TensorBoard.
        name, chance, kills, reader = "killed and resumed", random.Random(1), 0, None
        metrics = work / name / "metrics.jsonl"
        while True:
            process = subprocess.Popen(command(name), stderr=subprocess.DEVNULL)
            rows = len(metrics.read_text().splitlines()) if metrics.exists() else 0
            ended = None
            # Kill within the second after a new epoch's row, in a different epoch each time.
            while kills < options.kills and ended is None:
                try:
                    ended = process.wait(timeout=0.02)
                except subprocess.TimeoutExpired:
                    if metrics.exists() and len(metrics.read_text().splitlines()) > rows:
                        break
            if ended is None and kills < options.kills:
                try:
                    process.wait(timeout=chance.uniform(0, 0.2))
                except subprocess.TimeoutExpired:
                    process.kill()
                    kills += 1
            if process.wait() == 0:
                break
            assert process.returncode == -9 or kills == 0, f"{name}: exit status {process.returncode}"
            if reader is None:
                reader = EventAccumulator(str(work / name / "tensorboard"), size_guidance={"scalars": 0})
                server = Server(work / name)
            reader.Reload()
        check(f"{name} {kills} times, watched meanwhile", work / name, reader)
        wanted = {tag: sorted(steps.items()) for tag, steps in expected(work / name).items()}
        shows = wait_until(lambda: server.shown() == wanted, 60, pause=0.2)
        assert shows, f"the running TensorBoard shows\n{server.shown()}\nnot\n{wanted}"
        print("a TensorBoard that kept running shows the same")
        return 0
    finally:
        if server:
            server.end()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Trains tiny runs and reads their event files with TensorBoard's own readers: every scalar must be what metrics.jsonl says.

    Benchmarks/tensorboard_check.py [--jersey .build/release/jersey] [--kills 5]

One run goes through, one is killed and taken up again while a reader keeps watching. TensorBoard is installed on first use into an
environment of its own: ~/.cache/jersey/tensorboard, or where JERSEY_TENSORBOARD says.
"""
import argparse
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
import time
import urllib.parse
import urllib.request

VERSION = "2.21.0"
ROOT = pathlib.Path(__file__).resolve().parent.parent


def enter_environment() -> None:
    """Goes on with the interpreter that has TensorBoard; makes its environment where it is not there."""
    place = pathlib.Path(
        os.environ.get("JERSEY_TENSORBOARD")
        or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "jersey/tensorboard")
    python, mark = place / "bin/python", place / "version"
    if pathlib.Path(sys.prefix).resolve() == place.resolve():
        return
    if not mark.exists() or mark.read_text() != VERSION:
        print(f"installing TensorBoard {VERSION} into {place}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"tensorboard=={VERSION}"], check=True)
        # Written last, so that an interrupted installation is done again.
        mark.write_text(VERSION)
    os.execv(python, [python, *sys.argv])


def single(value: float) -> float:
    """As it comes back from 32 bits."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def expected(run: pathlib.Path) -> dict:
    """Tag → step → value, as the run's own files have it."""
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
    """Every scalar of every record, in order, with their times; nothing is dropped or merged."""
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
    """What TensorBoard would show."""
    return {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


class Server:
    """A TensorBoard that is left open: it reads with its own, faster reader, which keeps the files open."""

    def __init__(self, run: pathlib.Path):
        with socket.socket() as chosen:
            chosen.bind(("localhost", 0))
            self.address = f"http://localhost:{chosen.getsockname()[1]}/data/plugin/scalars/"
            command = [pathlib.Path(sys.prefix) / "bin/tensorboard", "--logdir", run, "--port", str(chosen.getsockname()[1])]
        self.process = subprocess.Popen([*command, "--reload_interval", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.shown())

    def shown(self) -> dict:
        """Tag → (step, value), of the only run."""
        try:
            runs = json.load(urllib.request.urlopen(self.address + "tags"))
            found = {}
            for run, tags in runs.items():
                for tag in tags:
                    rows = json.load(urllib.request.urlopen(self.address + "scalars?" + urllib.parse.urlencode({"run": run, "tag": tag})))
                    found[tag] = [(step, value) for _, step, value in rows]
            return found
        except OSError:
            return {}

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def wait_for(condition, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.2)
    return condition()


def check(name: str, run: pathlib.Path, reader) -> None:
    wanted = expected(run)
    files, scalars, times = read_events(run)
    places = [(tag, step) for tag, step, _ in scalars]
    assert len(set(places)) == len(places), f"{name}: written twice: {sorted(p for p in set(places) if places.count(p) > 1)}"
    found = {}
    for tag, step, value in scalars:
        found.setdefault(tag, {})[step] = value
    assert found == wanted, f"{name}: the event file says\n{found}\nand the run\n{wanted}"
    assert times == sorted(times), f"{name}: times go back"
    reader.Reload()
    shown = accumulated(reader)
    assert shown == {tag: sorted(steps.items()) for tag, steps in wanted.items()}, f"{name}: TensorBoard shows\n{shown}\nand not\n{wanted}"
    print(f"{name}: {len(scalars)} scalars under {len(found)} tags in {len(files)} file, all as in metrics.jsonl and result.json")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jersey", type=pathlib.Path, default=ROOT / ".build/release/jersey")
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    if not options.jersey.exists():
        parser.error(f"{options.jersey} is missing: build it with `swift build -c release`, or say --jersey FILE")
    enter_environment()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    jersey = str(options.jersey.resolve())
    work, server = pathlib.Path(tempfile.mkdtemp(prefix="jersey-tensorboard-")), None
    try:
        subprocess.run([jersey, "synthesize", "--out", work / "data", "--numbers", "4,48,07", "--tracks", "6", "--frames", "3-5"],
                       check=True, stdout=subprocess.DEVNULL)

        def command(name: str, *more: str) -> list:
            return [jersey, "train", "--model", "attn_ugru_hc", "--encoder", "mobilenet_v3_small", "--data", str(work / "data"),
                    "--run", str(work / name), "--size", "48x24", "--epochs", "6", "--batch-size", "2", "--threads", "1",
                    "--set", "training.saveEverySteps=1", "--resume", *more]

        for name, more in [("uninterrupted", []), ("with a head for the full number", ["--set", "training.fullWeight=0.5"])]:
            subprocess.run(command(name, *more), check=True, stderr=subprocess.DEVNULL)
            check(name, work / name, EventAccumulator(str(work / name / "tensorboard"), size_guidance={"scalars": 0}))

        # A reader that watches all the time, as a TensorBoard that is left open.
        name, chance, kills, reader = "killed and resumed", random.Random(1), 0, None
        metrics = work / name / "metrics.jsonl"
        while True:
            process = subprocess.Popen(command(name), stderr=subprocess.DEVNULL)
            rows = len(metrics.read_text().splitlines()) if metrics.exists() else 0
            ended = None
            # Killed within the second after a new epoch's row, in a fresh epoch each time.
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
        assert wait_for(lambda: server.shown() == wanted), f"the TensorBoard that was left open shows\n{server.shown()}\nand not\n{wanted}"
        print("a TensorBoard that was left open meanwhile shows the same")
        return 0
    finally:
        if server:
            server.end()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

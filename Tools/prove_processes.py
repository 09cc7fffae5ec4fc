#!/usr/bin/env python3
"""Trains with several processes through Open MPI, and checks that they train what one process does.

    Tools/prove_processes.py equal     1, 2 and 4 processes end with the same weights but for rounding,
                                       twice with the same bytes, and also when the number changes
                                       between a stop and a resume
    Tools/prove_processes.py faults    a killed process ends all, a stopped one is named after the
                                       time limit, and other programs and arguments are refused
    Tools/prove_processes.py hosts     two processes in two network namespaces, which only a virtual
                                       cable connects, on which the bytes of a step are counted; at
                                       10, 1 and 0.1 Gbit/s if the system can limit it (root)
    Tools/prove_processes.py slurm     the same with `srun --mpi=pmix`, in a one-node Slurm cluster
    Tools/prove_processes.py scaling   one process of one thread, and two of one thread each, in turns

Needs Open MPI (Debian: openmpi-bin). Without a word, all but `scaling` run.
"""

import array
import json
import math
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from harness.cable import Cable
from harness.data import synthesize
from harness.processes import Failure, exit_with, wait_until
from harness.programs import ROOT, Parser
from harness.runs import metrics, small_data, tensors
from harness.turns import ratios, spread, take_turns

MODELS = [
    ["--model", "attn_ugru_hc", "--encoder", "mobilenet_v3_small"],
    ["--model", "basic_effl0", "--set", "augmentation.frameJitter=true"],
    ["--model", "evidence_tied", "--encoder", "compact", "--set", "data.unreadable=true"],
]


class Trainings:
    """Trainings of rendered data with `mpirun`, in a folder of their own."""

    def __init__(self, jersey: pathlib.Path, work: pathlib.Path):
        self.jersey, self.work = jersey, work
        self.data = small_data(jersey, work / "data")

    def mpirun(self, processes: int, *more) -> list:
        if processes == 1:
            return []
        words = ["mpirun", "-n", processes, "--oversubscribe", "--bind-to", "none"]
        return words + (["--allow-run-as-root"] if os.geteuid() == 0 else []) + list(more)

    def command(self, run: str, *more, epochs: int = 3) -> list:
        return [
            self.jersey, "train", "--data", self.data, "--run", self.work / run, "--size", "48x48",
            "--epochs", epochs, "--batch-size", 6, "--threads", 1, "--workers", 1, *more,
        ]  # fmt: skip

    def start(self, command: list) -> subprocess.Popen:
        return subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def end(self, process: subprocess.Popen, statuses: tuple = (0,), seconds: float = 300) -> str:
        errors = process.communicate(timeout=seconds)[1]
        if process.returncode not in statuses:
            raise Failure(f"ended with status {process.returncode}:\n{errors[-2000:]}")
        return errors

    def train(self, processes: int, run: str, *more, **keywords) -> pathlib.Path:
        self.end(self.start(self.mpirun(processes) + self.command(run, *more, **keywords)))
        return self.work / run


def floats(path: pathlib.Path, part: str) -> array.array:
    """Returns the float32 values of all tensors of a safetensors file whose names begin with `part`."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    values = array.array("f")
    for name, entry in sorted(json.loads(data[8 : 8 + length]).items()):
        if name.startswith(part) and entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            values.frombytes(data[8 + length + first : 8 + length + last])
    return values


def difference(one: pathlib.Path, other: pathlib.Path) -> tuple[float, float, float]:
    """Returns how far the weights of two runs are apart, as the largest difference and in proportion to
    their norm, and the largest difference of a loss."""
    a, b = (floats(run / "last/state.safetensors", "model.") for run in (one, other))
    squares = math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    losses = [
        abs(x[part]["loss"] - y[part]["loss"])
        for x, y in zip(metrics(one), metrics(other), strict=True)
        for part in ("train", "validation")
    ]
    norm = math.sqrt(math.fsum(x * x for x in a))
    return max(abs(x - y) for x, y in zip(a, b, strict=True)), math.sqrt(squares) / norm, max(losses)


def equal(trainings: Trainings) -> None:
    for model in MODELS:
        name = model[1]
        one = trainings.train(1, f"{name}-1", *model)
        # What another rounding does to one process, as on another processor. Training amplifies it.
        words = ["env", "ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2"]
        trainings.end(trainings.start(words + trainings.command(f"{name}-avx2", *model)))
        worst, rounding, loss = difference(one, trainings.work / f"{name}-avx2")
        print(f"{name}: one process, held back to AVX2: {worst:.1e}, {rounding:.1e}, losses {loss:.1e}")
        for processes in (2, 4):
            run = trainings.train(processes, f"{name}-{processes}", *model)
            worst, relative, loss = difference(one, run)
            print(
                f"{name}: {processes} processes: weights differ from those of one process by {worst:.1e} "
                f"at most, {relative:.1e} of their norm, losses by {loss:.1e}"
            )
            assert relative < 10 * rounding, "that is more than rounding"
            again = trainings.train(processes, f"{name}-{processes}-again", *model)
            states = [tensors(folder / "last/state.safetensors") for folder in (run, again)]
            assert states[0] == states[1], f"{processes} processes gave other weights the second time"
            print(f"{name}: {processes} processes: the same bytes a second time")
        resumed(trainings, model, one, rounding)


def resumed(trainings: Trainings, model: list, one: pathlib.Path, rounding: float) -> None:
    """Stops two processes, and goes on with four, then with one."""
    name = f"{model[1]}-resumed"
    more = [*model, "--resume", "--set", "training.saveEverySteps=1"]
    stops = 0
    for processes in (2, 4):
        process = trainings.start(trainings.mpirun(processes) + trainings.command(name, *more))
        progress = trainings.work / name / "progress.json"
        progress.unlink(missing_ok=True)
        assert wait_until(progress.exists, 120), "training did not begin"
        # mpirun hands this signal on to all processes.
        process.send_signal(signal.SIGUSR1)
        errors = trainings.end(process, statuses=(130, 0))
        stops += "stopped and saved" in errors
    run = trainings.train(1, name, *more)
    worst, relative, loss = difference(one, run)
    print(f"{model[1]}: {stops} stops, 2, 4 and 1 processes: {worst:.1e}, {relative:.1e}, losses {loss:.1e}")
    assert relative < 10 * rounding, "that is more than rounding"


def faults(trainings: Trainings) -> None:
    def begun(name: str, *more) -> tuple[subprocess.Popen, list[int]]:
        command = trainings.command(name, *MODELS[0], *more, epochs=1000)
        (trainings.work / name / "progress.json").unlink(missing_ok=True)
        process = trainings.start(trainings.mpirun(2) + command)
        assert wait_until((trainings.work / name / "progress.json").exists, 120), "training did not begin"
        found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout
        return process, sorted(int(word) for word in found.split())

    for victim in (0, 1):
        process, ranks = begun(f"killed-{victim}")
        start = time.monotonic()
        os.kill(ranks[victim], signal.SIGKILL)
        errors = trainings.end(process, statuses=tuple(range(1, 256)), seconds=60)
        assert "Killed" in errors or "signal 9" in errors, errors
        print(f"process {victim} killed: all ended after {time.monotonic() - start:.1f} s, mpirun names it")
    for victim in (0, 1):
        process, ranks = begun(f"frozen-{victim}", "--set", "training.processTimeout=5")
        start = time.monotonic()
        os.kill(ranks[victim], signal.SIGSTOP)
        try:
            errors = trainings.end(process, statuses=tuple(range(1, 256)), seconds=90)
        finally:
            process.kill()
        line = next(line for line in errors.splitlines() if line.startswith("Error: process"))
        assert f"process {victim} does not answer" in line, line
        print(f"process {victim} frozen: all ended after {time.monotonic() - start:.1f} s\n    {line}")

    process, _ = begun("killed-1", "--resume")
    process.send_signal(signal.SIGUSR1)
    errors = trainings.end(process, statuses=(130,))
    assert "stopped and saved" in errors, errors
    print("resumed after the kill, then SIGUSR1 to mpirun: saved, status 130")

    words = ["env", "PMI_RANK=0", "PMI_SIZE=2"]
    errors = trainings.end(trainings.start(words + trainings.command("refused", *MODELS[0])), statuses=(2,))
    assert "only Open MPI is supported" in errors, errors
    print(errors.strip())
    both = trainings.mpirun(2)
    both = both[:1] + both[3:]
    one, other = (trainings.command("refused", *MODELS[0], "--seed", seed) for seed in (1, 2))
    errors = trainings.end(
        trainings.start([*both, "-n", 1, *one, ":", "-n", 1, *other]), statuses=tuple(range(1, 256))
    )
    assert "other arguments than process 0" in errors, errors
    print(next(line for line in errors.splitlines() if "other arguments" in line))


def hosts(trainings: Trainings) -> None:
    cable = Cable(trainings.work)
    try:
        one = trainings.train(1, "hosts-1", *MODELS[0])
        before = cable.sent()
        trainings.end(trainings.start(cable.mpirun() + trainings.command("hosts-2", *MODELS[0])))
        worst, relative, loss = difference(one, trainings.work / "hosts-2")
        log = (trainings.work / "hosts-2/log.txt").read_text()
        assert "in 2 processes" in log, log
        print(f"two hosts: weights differ by {worst:.1e}, {relative:.1e} of their norm, losses by {loss:.1e}")
        bytes_each = [after - start for start, after in zip(before, cable.sent(), strict=True)]
        rows = metrics(one)
        steps = len(rows) * math.ceil(rows[0]["train"]["sequences"] / 6)
        size = 4 * sum(1 for _ in floats(one / "last/state.safetensors", "adam.")) / 2
        print(
            f"two hosts: {bytes_each[0] / 1e6:.0f} and {bytes_each[1] / 1e6:.0f} MB sent in {steps} steps "
            f"and at the start; gradients are {size / 1e6:.1f} MB a step"
        )
        for gigabits in (10, 1, 0.1):
            if not cable.limit(gigabits):
                print("two hosts: this system cannot limit the cable")
                break
            run = f"limit-{gigabits}"
            trainings.end(trainings.start(cable.mpirun() + trainings.command(run, *MODELS[0])))
            print(f"two hosts: {gigabits} Gbit/s: {seconds(trainings.work / run) / steps:.3f} s a step")
        cut(trainings, cable)
    finally:
        cable.remove()


def cut(trainings: Trainings, cable: Cable) -> None:
    """Cuts the cable: the processes end, and name each other. mpirun itself goes on for minutes."""
    command = trainings.command("cut", *MODELS[0], "--set", "training.processTimeout=5", epochs=1000)
    errors = trainings.work / "cut.txt"
    with errors.open("w") as output:
        process = subprocess.Popen([str(word) for word in cable.mpirun() + command], stderr=output)
    assert wait_until((trainings.work / "cut/progress.json").exists, 120), "training did not begin"
    start = time.monotonic()
    first, second = Cable.HOSTS
    Cable.ip("-n", first, "link", "set", first, "down")

    def pids(host: str) -> list[int]:
        found = subprocess.run(["ip", "netns", "pids", host], capture_output=True, text=True).stdout.split()
        return [int(pid) for pid in found]

    def names(pid: int) -> str:
        try:
            return pathlib.Path(f"/proc/{pid}/exe").resolve().name
        except OSError:
            return ""

    def training() -> bool:
        return any(names(pid) == trainings.jersey.name for host in (first, second) for pid in pids(host))

    try:
        assert wait_until(lambda: not training(), 60), errors.read_text()
        print(f"two hosts: cable cut: both processes ended after {time.monotonic() - start:.1f} s")
        lines = [line for line in errors.read_text().splitlines() if line.startswith("Error: process")]
        print("".join(f"    {line}\n" for line in lines), end="")
        assert lines, errors.read_text()
    finally:
        process.kill()
        for host in (first, second):
            for pid in pids(host):
                os.kill(pid, signal.SIGKILL)


def slurm(trainings: Trainings) -> None:
    node, folder = ROOT / "Tools/slurm_node.sh", trainings.work / "slurm"
    started = subprocess.run([node, "start", folder], capture_output=True, text=True)
    if started.returncode == 77:
        print("slurm: left out, because Slurm is not installed")
        return
    try:
        name, _, value = started.stdout.strip().splitlines()[-1].partition("=")
        os.environ[name] = value
        one = trainings.train(1, "slurm-1", *MODELS[0])
        command = ["srun", "-n", 2, "--mpi=pmix", *trainings.command("slurm-2", *MODELS[0])]
        trainings.end(trainings.start(command))
        log = (trainings.work / "slurm-2/log.txt").read_text()
        assert "in 2 processes" in log, log
        worst, relative, loss = difference(one, trainings.work / "slurm-2")
        print(f"srun: weights differ by {worst:.1e}, {relative:.1e} of their norm, losses by {loss:.1e}")
    finally:
        subprocess.run([node, "stop", folder], check=False)


def seconds(run: pathlib.Path) -> float:
    """Returns the time of all epochs."""
    return sum(json.loads(line)["seconds"] for line in (run / "metrics.jsonl").read_text().splitlines())


def scaling(trainings: Trainings, rounds: int) -> None:
    data = synthesize(trainings.jersey, trainings.work / "more", "4,48,07", tracks=44, frames=2)
    more = ["--data", data, "--model", "basic_r18", "--size", "192x96", "--batch-size", 32, "--cache", 200]
    count = 0

    def once(processes: int, *extra) -> float:
        nonlocal count
        count += 1
        run = trainings.train(processes, f"scaling-{count}", *more, *extra)
        rows = [json.loads(line)["seconds"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        return statistics.median(rows[1:])

    works = {
        "one": lambda: once(1),
        "two": lambda: once(2),
        "two, with statistics of their own": lambda: once(2, "--set", "training.syncBatchNorm=false"),
    }
    found = take_turns(works, rounds, rotate=True, title="scaling")
    for name, times in found.items():
        speed = spread(ratios(found["one"], times))
        print(f"processes of one thread: {name}: {spread(times)} s an epoch, {speed} times as fast")


def main() -> int:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("parts", nargs="*", metavar="PART", help="equal, faults, hosts, slurm, scaling")
    parser.add_argument("--rounds", type=int, default=5, help="of `scaling` (default: 5)")
    options = parser.parse_args()
    if not shutil.which("mpirun"):
        raise Failure("mpirun is missing; install Open MPI (Debian: openmpi-bin)")
    works = {"equal": equal, "faults": faults, "hosts": hosts, "slurm": slurm}
    works["scaling"] = lambda trainings: scaling(trainings, options.rounds)
    parts = options.parts or list(works)[:-1]
    if unknown := [part for part in parts if part not in works]:
        raise Failure(f"there is no part {unknown[0]}; choose among {', '.join(works)}")
    work = pathlib.Path(tempfile.mkdtemp(prefix="jersey-processes-"))
    try:
        trainings = Trainings(options.jersey, work)
        for part in parts:
            works[part](trainings)
        return 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    exit_with(main)

#!/usr/bin/env python3
"""Damages a small experiment in every way that we can think of. The fault must be named, the other runs must
continue, and after a repair the same call must complete the experiment as if nothing had happened.

    Tools/prove_experiment_faults.py [--jersey .build/release/jersey] [--only WORD ...]

Needs Linux and root (mounts small disks in its own namespace), and only the standard library. Prints one
line per fault, and the reason if it fails.
"""

import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from harness.experiments import RUNS, Experiment, compare_experiments, tasks
from harness.harm import VICTIM, Case, cut, garble
from harness.processes import wait_until
from harness.programs import Parser
from harness.runs import compare_runs

FAULTS = []


def fault(function):
    FAULTS.append(function)
    return function


# (a) Files of a run. Everything that follows from the state can be restored from it.


def harmed(name: str, harm, template: str, heals: bool):
    def prove(experiment: Experiment) -> str:
        case = Case(experiment, "case", template)
        harm(case.victim / name)
        if heals:
            case.completes(*([f"{VICTIM}/{name}"] if template == "whole" else []))
            return "named and repaired" if template == "whole" else "repaired"
        case.fails(
            f"{VICTIM} failed",
            f"{VICTIM}/{name}",
            *(["remove the run folder"] if name != "splits.json" else []),
        )
        case.remove_victim()
        case.completes()
        return "named; the others continued; complete after the run folder was removed"

    state = "finished" if template == "whole" else "interrupted"
    prove.__name__ = f"{name} {'cut in half' if harm is cut else 'garbled'}, {state} run"
    FAULTS.append(prove)


for harm in [cut, garble]:
    for name in ["result.json", "metrics.jsonl", "outcomes.jsonl"]:
        harmed(name, harm, "whole", heals=True)
    harmed("metrics.jsonl", harm, "half", heals=True)
    for name in ["config.json", "splits.json", "last/state.safetensors", "best.safetensors"]:
        harmed(name, harm, "half", heals=False)


# (b) The table of runs.


@fault
def table_cut_in_half(experiment: Experiment) -> str:
    case = Case(experiment, "case", "whole")
    cut(case.folder / "runs.sqlite")
    case.completes("runs.sqlite", "was corrupt")
    return "named, set aside and recreated"


@fault
def table_garbled(experiment: Experiment) -> str:
    case = Case(experiment, "case", "half")
    garble(case.folder / "runs.sqlite")
    case.completes("runs.sqlite", "was corrupt")
    return "named, set aside and recreated"


@fault
def table_garbled_within(experiment: Experiment) -> str:
    case = Case(experiment, "case", "whole")
    path = case.folder / "runs.sqlite"
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    case.completes("runs.sqlite", "was corrupt")
    return "named, set aside and recreated"


@fault
def table_locked(experiment: Experiment) -> str:
    case = Case(experiment, "case", "half")
    database = sqlite3.connect(case.folder / "runs.sqlite", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    begin = time.monotonic()
    status, said = case.run()
    seconds = time.monotonic() - begin
    assert status == 0, said
    case.expect(said, "runs.sqlite", "locked")
    for run in RUNS:
        compare_runs(experiment.work / "whole/runs" / run, case.folder / "runs" / run)
    database.execute("ROLLBACK")
    database.close()
    case.completes()
    return f"named; all runs continued ({seconds:.0f} s in all); the next call updated the table"


@fault
def table_locked_for_a_while(experiment: Experiment) -> str:
    case = Case(experiment, "case", None)
    process = case.start()
    assert wait_until((case.folder / "runs.sqlite").exists, 30)
    assert wait_until(lambda: tasks(case.folder), 30)
    database = sqlite3.connect(case.folder / "runs.sqlite", isolation_level=None, timeout=30)
    database.execute("BEGIN EXCLUSIVE")
    wait_until(lambda: case.finished() > 0, 120)
    time.sleep(6)
    database.execute("ROLLBACK")
    database.close()
    said = process.communicate()[1]
    assert process.returncode == 0, said
    compare_experiments(experiment.work / "whole", case.folder)
    return "all runs continued, and the table is complete at the end"


@fault
def table_is_a_folder(experiment: Experiment) -> str:
    case = Case(experiment, "case", "half")
    (case.folder / "runs.sqlite").unlink()
    (case.folder / "runs.sqlite").mkdir()
    status, said = case.run()
    assert status == 0, said
    case.expect(said, "runs.sqlite")
    (case.folder / "runs.sqlite").rmdir()
    case.completes()
    return "named; all runs continued; the next call created the table"


# (c) The data set.


@fault
def data_missing_at_the_start(experiment: Experiment) -> str:
    case = Case(experiment, "case", None)
    hidden = experiment.data.rename(experiment.work / "hidden")
    try:
        status, said = case.run()
    finally:
        hidden.rename(experiment.data)
    assert status == 1, said
    case.expect(said, str(experiment.data))
    case.completes()
    return "named; complete once the data was there"


def vanishing(experiment: Experiment, moment) -> str:
    case = Case(experiment, "case", None)
    process = case.start()
    assert wait_until(lambda: moment(case), 120), "the moment did not come"
    hidden = experiment.data.rename(experiment.work / "hidden")
    try:
        said = process.communicate()[1]
    finally:
        hidden.rename(experiment.data)
    assert process.returncode == 1, f"expected exit status 1, got {process.returncode}:\n{said}"
    case.expect(said, str(experiment.data), "failed")
    kept = case.finished()
    case.completes()
    return f"named, with {kept} of {len(RUNS)} runs finished before; complete once the data was back"


@fault
def data_vanishing_between_runs(experiment: Experiment) -> str:
    return vanishing(experiment, lambda case: case.finished() >= 1)


@fault
def data_vanishing_within_runs(experiment: Experiment) -> str:
    return vanishing(experiment, lambda case: list(case.folder.glob("runs/*/last/state.safetensors")))


# (d) and (e) Disks.


def mounted(folder: pathlib.Path, size: str) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)


@fault
def disk_full(experiment: Experiment) -> str:
    case = Case(experiment, "disk", None)
    mounted(case.folder, "110m")
    try:
        status, said = case.run()
        assert status == 1, f"expected exit status 1, got {status}:\n{said}"
        case.expect(said, "No space left on device")
        left = [str(path) for path in case.folder.rglob(".*")]
        assert not left, f"partial files: {left}"
        kept = case.finished()
        subprocess.run(["mount", "-o", "remount,size=400m", case.folder], check=True)
        case.completes()
    finally:
        subprocess.run(["umount", case.folder], check=True)
    return f"named; {kept} of {len(RUNS)} runs finished, no partial files; complete once there was space"


@fault
def disk_full_from_the_start(experiment: Experiment) -> str:
    case = Case(experiment, "disk", None)
    mounted(case.folder, "64k")
    try:
        (case.folder / "filler").write_bytes(bytes(60 << 10))
        status, said = case.run()
        assert status == 1, f"expected exit status 1, got {status}:\n{said}"
        case.expect(said, "No space left on device")
        (case.folder / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=400m", case.folder], check=True)
        case.completes()
    finally:
        subprocess.run(["umount", case.folder], check=True)
    return "named; complete once there was space"


@fault
def folder_read_only(experiment: Experiment) -> str:
    case = Case(experiment, "disk", None)
    mounted(case.folder, "400m")
    try:
        subprocess.run(["mount", "-o", "remount,ro", case.folder], check=True)
        status, said = case.run()
        assert status == 1, f"expected exit status 1, got {status}:\n{said}"
        case.expect(said, str(case.folder), "Read-only file system")
        subprocess.run(["mount", "-o", "remount,rw", case.folder], check=True)
        case.completes()
    finally:
        subprocess.run(["umount", case.folder], check=True)
    return "named; complete once it was writable"


@fault
def run_folder_not_writable(experiment: Experiment) -> str:
    """Runs without root's right to write everywhere."""
    case = Case(experiment, "case", "half")
    subprocess.run(["chmod", "-R", "a-w", case.victim], check=True)
    case.fails(f"{VICTIM} failed", str(case.victim), "Permission denied", humbly=True)
    subprocess.run(["chmod", "-R", "u+w", case.victim], check=True)
    case.completes(humbly=True)
    return "named; the others continued; complete once it was writable"


# (f) Runners.


@fault
def two_runners_at_once(experiment: Experiment) -> str:
    case = Case(experiment, "case", None)
    first = case.start()
    assert wait_until(lambda: tasks(case.folder), 30)
    before = (case.folder / "experiment.json").read_bytes()
    for more in [(), ("--seeds", "1,2,3")]:
        status, said = case.run(*more)
        assert status == 1, f"expected exit status 1, got {status}:\n{said}"
        case.expect(said, str(case.folder), "another process runs this experiment")
        assert (case.folder / "experiment.json").read_bytes() == before, (
            "the second call changed the experiment"
        )
    said = first.communicate()[1]
    assert first.returncode == 0, said
    compare_experiments(experiment.work / "whole", case.folder)
    return "the second exits at once with a message; the first continues"


@fault
def runners_begun_at_the_same_moment(experiment: Experiment) -> str:
    case = Case(experiment, "case", None)
    runners = [case.start() for _ in range(3)]
    said = [runner.communicate()[1] for runner in runners]
    assert sorted(runner.returncode for runner in runners) == [0, 1, 1], said
    assert sum("another process runs this experiment" in text for text in said) == 2, said
    compare_experiments(experiment.work / "whole", case.folder)
    return "one of three runs it; the other two exit with a message"


@fault
def killed_run(experiment: Experiment) -> str:
    """Kills a run, as the kernel does when memory runs out."""
    case = Case(experiment, "case", None)
    process = case.start()
    assert wait_until(lambda: len(tasks(case.folder)) == 2, 30)
    os.kill(tasks(case.folder)[0], signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    case.expect(said, "it was killed by signal 9", "retrying once")
    compare_experiments(experiment.work / "whole", case.folder)
    return "named; retried; complete"


def main() -> int:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="faults whose names contain one of these"
    )
    options = parser.parse_args()
    if "JERSEY_PROOF_MOUNTS" not in os.environ:
        os.environ["JERSEY_PROOF_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    work = pathlib.Path(tempfile.mkdtemp(prefix="jersey-faults-"))
    work.chmod(0o755)
    tried, failures = 0, 0
    try:
        experiment = Experiment(options.jersey, work, epochs=3)
        status, said = experiment.run(work / "whole")
        assert status == 0, said
        interrupt(experiment)
        for prove in FAULTS:
            name = prove.__name__.replace("_", " ")
            if not any(word in name for word in options.only):
                continue
            begin = time.monotonic()
            tried += 1
            try:
                print(f"{name}: {prove(experiment)} ({time.monotonic() - begin:.0f} s)", flush=True)
            except AssertionError as error:
                failures += 1
                print(f"{name}: FAILED: {error}", flush=True)
            shutil.rmtree(work / "case", ignore_errors=True)
        print(f"{tried} faults, {failures} failed")
        return 1 if failures else 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


def interrupt(experiment: Experiment) -> None:
    """Makes `half`, an experiment stopped while the victim, and perhaps others, ran its second epoch."""
    folder = experiment.work / "half"
    runner = subprocess.Popen(experiment.command(folder), stderr=subprocess.PIPE, text=True)
    metrics = folder / "runs" / VICTIM / "metrics.jsonl"
    assert wait_until(metrics.exists, 120)
    runner.send_signal(signal.SIGINT)
    said = runner.communicate()[1]
    assert runner.returncode == 130, f"expected exit status 130, got {runner.returncode}: {said}"
    assert not (folder / "runs" / VICTIM / "result.json").exists()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Kills a small experiment at random moments and starts it again each time; the end must equal the
uninterrupted one's.

    Tools/prove_experiment_kills.py [--kills 20] [--seed 1] [--victims runner all]

`runner` kills the runner alone, whose runs must notice and stop by themselves; `all` kills the runner
and its runs at once. Standard library only; needs Linux. Prints one line a kill, and fails with a
reason.
"""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness.experiments import Experiment, compare_experiments, files, tasks
from harness.processes import open_files, wait_until
from harness.programs import Parser

# Seconds that a run may need to notice, to end its step and to save.
GRACE = 5.0


def main() -> int:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--victims", nargs="+", choices=["runner", "all"], default=["runner", "all"])
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="jersey-kills-"))
    try:
        experiment = Experiment(options.jersey, work)
        start = time.monotonic()
        status, said = experiment.run(work / "whole")
        assert status == 0, said
        whole = time.monotonic() - start
        print(f"uninterrupted: {whole:.1f} s")
        for victims in options.victims:
            prove(experiment, victims, options.kills, random.Random(options.seed), whole)
        return 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


def prove(experiment: Experiment, victims: str, wanted: int, chance: random.Random, whole: float) -> None:
    folder = experiment.work / victims
    kills, begun, longest, pairs = 0, 0, 0.0, 0
    while kills < wanted:
        runner = subprocess.Popen(experiment.command(folder), stderr=subprocess.PIPE, text=True)
        # From the first instruction to well into training, and so also within saves, at the ends of epochs
        # and between runs.
        moment = chance.uniform(0, max(whole / 4, 3))
        end = time.monotonic() + moment
        if not wait_until(lambda: runner.poll() is not None, moment / 2):
            pairs += check_leashes(runner.pid, folder)
        if wait_until(lambda: runner.poll() is not None, end - time.monotonic()):
            said = runner.communicate()[1]
            assert runner.returncode == 0, f"failed after {kills} kills: {said}"
            # Done too soon: begin again, so that all kills hit an experiment at work.
            check_end(experiment, folder)
            begun += 1
            shutil.rmtree(folder)
            continue
        kills += 1
        at_work = tasks(folder)
        runner.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        if victims == "all":
            for process in at_work:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        runner.wait()
        runner.stderr.close()
        orphans = tasks(folder)
        note = ""
        # Every second time the next runner comes at once, and meets the runs that the last one has left.
        if kills % 2 == 0 or kills == wanted:
            assert wait_until(lambda: not set(orphans) & set(tasks(folder)), GRACE), (
                f"{orphans} outlive their runner by {GRACE} s"
            )
            lived = time.monotonic() - killed
            longest = max(longest, lived)
            note = f"; its {len(orphans)} runs ended within {lived:.2f} s" if orphans else ""
        print(f"{victims}: kill {kills:2} after {moment:.2f} s{note}", flush=True)
    status, said = experiment.run(folder)
    assert status == 0, f"failed after {kills} kills: {said}"
    check_end(experiment, folder)
    assert not tasks(folder), "runs are at work after the end"
    print(
        f"{victims}: {kills} kills, {begun + 1} times to the end: weights, optimizer state, metrics, "
        f"outcomes, results and table equal the uninterrupted experiment's; "
        f"nothing else is left in the folder; "
        f"no run outlived its runner by more "
        f"than {longest:.1f} s; {pairs} pairs of runs at work shared no leash"
    )


def check_end(experiment: Experiment, folder: pathlib.Path) -> None:
    compare_experiments(experiment.work / "whole", folder)
    extra = files(folder) ^ files(experiment.work / "whole")
    assert not extra, f"left behind, or missing: {sorted(extra)}"


def check_leashes(runner: int, folder: pathlib.Path) -> int:
    """The runner alone must hold the write ends: a run's leash in its sibling's hands keeps it from noticing.

    Returns whether there were siblings to look at.
    """
    held = {process: open_files(process) for process in tasks(folder, runner)}
    holders = open_files(runner)
    for process in set(held) & set(tasks(folder, runner)):
        leash = held[process].get(0, "")
        assert leash.startswith("pipe:") and leash in holders.values(), f"nobody holds the leash of {process}"
        for other, found in held.items():
            holds = [
                number for number, name in found.items() if name == leash and (other, number) != (process, 0)
            ]
            assert not holds, f"{other} holds the leash of {process} as descriptors {holds}"
    return len(held) > 1


if __name__ == "__main__":
    sys.exit(main())

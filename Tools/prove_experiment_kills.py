#!/usr/bin/env python3
"""Kills a small experiment at random moments and restarts it each time. The final result must equal the
uninterrupted one's.

    Tools/prove_experiment_kills.py [--kills 20] [--seed 1] [--victims runner all]

`runner` kills only the runner, whose runs must notice and stop by themselves; `all` kills the runner and
its runs at once. Needs Linux and only the standard library. Prints one line per kill, and the reason if it
fails.
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

# Seconds for a run to notice, finish its step, and save.
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
        # From the first instruction to well into training: also within saves, at the ends of epochs
        # and between runs.
        moment = chance.uniform(0, max(whole / 4, 3))
        end = time.monotonic() + moment
        if not wait_until(lambda: runner.poll() is not None, moment / 2):
            pairs += check_leashes(runner.pid, folder)
        if wait_until(lambda: runner.poll() is not None, end - time.monotonic()):
            said = runner.communicate()[1]
            assert runner.returncode == 0, f"failed after {kills} kills: {said}"
            # It finished too soon. Start again, so that all kills hit a running experiment.
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
        # Every second time, start the next runner at once, while runs of the last one are still
        # there.
        if kills % 2 == 0 or kills == wanted:
            assert wait_until(lambda: not set(orphans) & set(tasks(folder)), GRACE), (
                f"{orphans} outlived their runner by {GRACE} s"
            )
            lived = time.monotonic() - killed
            longest = max(longest, lived)
            note = f"; its {len(orphans)} runs ended within {lived:.2f} s" if orphans else ""
        print(f"{victims}: kill {kills:2} after {moment:.2f} s{note}", flush=True)
    status, said = experiment.run(folder)
    assert status == 0, f"failed after {kills} kills: {said}"
    check_end(experiment, folder)
    assert not tasks(folder), "runs are still running after the end"
    print(
        f"{victims}: {kills} kills, {begun + 1} complete runs: weights, optimizer state, metrics, "
        f"outcomes, results and table equal the uninterrupted experiment's; "
        f"the folder has no other files; "
        f"no run outlived its runner by more "
        f"than {longest:.1f} s; {pairs} pairs of running tasks shared no leash"
    )


def check_end(experiment: Experiment, folder: pathlib.Path) -> None:
    compare_experiments(experiment.work / "whole", folder)
    extra = files(folder) ^ files(experiment.work / "whole")
    assert not extra, f"extra or missing files: {sorted(extra)}"


def check_leashes(runner: int, folder: pathlib.Path) -> int:
    """Checks that only the runner holds the write ends of leashes: a sibling that held one would keep a run
    from noticing that the runner is gone.

    Returns whether there were siblings to check.
    """
    held = {process: open_files(process) for process in tasks(folder, runner)}
    holders = open_files(runner)
    for process in set(held) & set(tasks(folder, runner)):
        leash = held[process].get(0, "")
        assert leash.startswith("pipe:") and leash in holders.values(), (
            f"the runner does not hold the leash of {process}"
        )
        for other, found in held.items():
            holds = [
                number for number, name in found.items() if name == leash and (other, number) != (process, 0)
            ]
            assert not holds, f"{other} holds the leash of {process} as descriptors {holds}"
    return len(held) > 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Kills a small training run at random moments and resumes it each time. The final result must equal the
uninterrupted run's, byte for byte.

    Tools/prove_kills.py [--jersey .build/release/jersey] [--kills 50] [--seed 1]

Needs only the standard library. Prints one line per kill, and the reason if it fails.
"""

import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness.programs import Parser
from harness.runs import metrics, small_data, small_training, tensors


def main() -> int:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    work = pathlib.Path(tempfile.mkdtemp(prefix="jersey-kills-"))
    try:
        data = small_data(options.jersey, work / "data")

        def command(run: str) -> list:
            return small_training(options.jersey, data, work / run, 5)

        start = time.monotonic()
        subprocess.run(command("whole"), check=True, stderr=subprocess.DEVNULL)
        whole = time.monotonic() - start
        print(f"uninterrupted: {whole:.1f} s")

        kills, finished = 0, False
        while kills < options.kills:
            process = subprocess.Popen(command("killed"), stderr=subprocess.PIPE, text=True)
            # From the first instruction to well into training: also within saves and at the ends of
            # epochs.
            moment = chance.uniform(0, max(whole / 8, 0.8))
            try:
                process.wait(timeout=moment)
                finished = True
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            error = process.communicate()[1]
            if finished:
                if process.returncode != 0:
                    print(f"failed after {kills} kills: {error}")
                    return 1
                if kills < options.kills:
                    # It finished too soon. Start again, so that all kills hit a running training.
                    compare(work)
                    shutil.rmtree(work / "killed")
                    finished = False
                continue
            kills += 1
            print(f"kill {kills:2} after {moment:.2f} s")
        subprocess.run(command("killed"), check=True, stderr=subprocess.DEVNULL)
        compare(work)
        leftovers = [str(path) for path in (work / "killed").rglob("*.partial")]
        print(
            f"{options.kills} kills: weights, optimizer state, metrics and result "
            f"equal the uninterrupted run's; "
            f"{len(leftovers)} temporary files remain from kills during a write"
        )
        return 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


def compare(work: pathlib.Path) -> None:
    whole, killed = work / "whole", work / "killed"
    assert (whole / "best.safetensors").read_bytes() == (killed / "best.safetensors").read_bytes(), (
        "best weights differ"
    )
    assert tensors(whole / "last/state.safetensors") == tensors(killed / "last/state.safetensors"), (
        "last state differs"
    )
    assert metrics(whole) == metrics(killed), "metrics differ"
    assert (whole / "outcomes.jsonl").read_bytes() == (killed / "outcomes.jsonl").read_bytes(), (
        "outcomes differ"
    )


if __name__ == "__main__":
    sys.exit(main())

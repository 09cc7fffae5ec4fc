#!/usr/bin/env python3
"""Compares speed and accuracy on tracklets of number crops: `jersey predict` with the bundled model, the
same network in PyTorch, and an off-the-shelf text recogniser, in turns.

    Benchmarks/read_tracklets.py [--data DIR] [--rounds 3]

Without --data, 1,000 tracklets of 16 crops are rendered. Times are of whole processes. The recogniser
reads every n-th tracklet (--every), and its time is scaled up. Ratios are theirs / ours, pair by pair;
above 1, jersey is faster.
"""

import json
import pathlib
import statistics
import tempfile

from harness import environment
from harness.data import number_crops
from harness.processes import exit_with, measured
from harness.programs import BUNDLED, PEERS, Parser
from harness.turns import ratios, take_turns

OCR = ["rapidocr-onnxruntime==1.4.4"]


def right(answers: dict) -> str:
    hits = sum(answer == sequence.split("/")[0] for sequence, answer in answers.items())
    return f"{hits / len(answers):.2%} of {len(answers)} right"


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--ocr-venv", type=pathlib.Path, default=environment.CACHE / "venv-ocr")
    options = parser.parse_args()
    torch = environment.peers_python()
    ocr = environment.python(options.ocr_venv, "import rapidocr_onnxruntime", OCR)
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or number_crops(options.jersey, pathlib.Path(folder) / "data", "0-99", tracks=10)
        answers: dict = {}

        def jersey() -> float:
            done = measured([options.jersey, "predict", data, "--format", "json"])
            # Count abstentions as well: each contestant gives its best number.
            rows = [row for row in json.loads(done.output) if row["top"]]
            names = [row["sequence"].removeprefix(f"{data}/").removeprefix(data.name + "/") for row in rows]
            answers["jersey"] = {name: row["top"][0]["number"] for name, row in zip(names, rows, strict=True)}
            return done.seconds

        def pytorch() -> float:
            done = measured([torch, PEERS / "bundled.py", BUNDLED, data])
            answers["PyTorch"] = json.loads(done.output.splitlines()[-1])["answers"]
            return done.seconds

        def recogniser() -> float:
            done = measured([ocr, PEERS / "ocr.py", data, "--every", options.every])
            result = json.loads(done.output.splitlines()[-1])
            answers["OCR"] = result["answers"]
            return done.seconds - result["seconds"] + result["seconds"] * options.every

        times = take_turns({"jersey": jersey, "PyTorch": pytorch, "OCR": recogniser}, options.rounds)
        for name, seconds in times.items():
            found = ratios(seconds, times["jersey"])
            print(
                f"{name:8} {statistics.median(seconds):7.1f} s  ratio {statistics.median(found):6.1f} "
                f"({min(found):.1f}-{max(found):.1f})  {right(answers[name])}"
            )
        common = answers["jersey"].keys() & answers["PyTorch"].keys()
        same = sum(answers["jersey"][name] == answers["PyTorch"][name] for name in common)
        print(f"jersey and PyTorch agree on {same} of {len(common)}")


if __name__ == "__main__":
    exit_with(main)

#!/usr/bin/env python3
"""How fast and how well tracklets of number crops are read: `jersey predict` with the bundled model, the same network in PyTorch, and an
off-the-shelf text recogniser, in turns.

    Benchmarks/read_tracklets.py [--data DIR] [--rounds 3]

Without --data 1,000 tracklets of 16 crops are rendered. Times are of whole processes, start to end; the recogniser reads one tracklet of
--every, and its time is scaled. Ratios are pair by pair, theirs over ours; above 1 we are faster.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import environment

HERE = pathlib.Path(__file__).resolve().parent
OCR = ["rapidocr-onnxruntime==1.4.4"]


def timed(command: list) -> tuple[float, str]:
    start = time.perf_counter()
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, result.stdout


def right(answers: dict) -> str:
    hits = sum(answer == sequence.split("/")[0] for sequence, answer in answers.items())
    return f"{hits / len(answers):.2%} of {len(answers)} right"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jersey", default=".build/release/jersey")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--ocr-venv", type=pathlib.Path, default=environment.CACHE / "venv-ocr")
    options = parser.parse_args()
    torch = subprocess.run([HERE / "peers/setup.sh"], check=True, capture_output=True, text=True).stdout.strip()
    ocr = environment.python(options.ocr_venv, "import rapidocr_onnxruntime", OCR)
    with tempfile.TemporaryDirectory() as folder:
        data = options.data
        if data is None:
            data = pathlib.Path(folder) / "data"
            subprocess.run([options.jersey, "synthesize", "--out", data, "--framing", "number", "--numbers", "0-99", "--tracks", "10",
                            "--sequences", "1", "--frames", "16", "--seed", "5"], check=True, capture_output=True)
        weights = HERE.parent / "Sources/CBundledModel/bundled.safetensors"
        times: dict = {"jersey": [], "PyTorch": [], "OCR": []}
        answers: dict = {}
        for _ in range(options.rounds):
            seconds, text = timed([options.jersey, "predict", data, "--format", "json"])
            times["jersey"].append(seconds)
            prefix = str(data) + "/"
            # What it holds back it has read, too: all three are asked for their best number.
            answers["jersey"] = {row["sequence"].removeprefix(prefix).removeprefix(data.name + "/"): row["top"][0]["number"]
                                 for row in json.loads(text) if row["top"]}
            seconds, text = timed([torch, HERE / "peers/bundled.py", weights, data])
            times["PyTorch"].append(seconds)
            answers["PyTorch"] = json.loads(text.splitlines()[-1])["answers"]
            seconds, text = timed([ocr, HERE / "peers/ocr.py", data, "--every", options.every])
            result = json.loads(text.splitlines()[-1])
            times["OCR"].append(seconds - result["seconds"] + result["seconds"] * options.every)
            answers["OCR"] = result["answers"]
        for name, seconds in times.items():
            ratios = sorted(theirs / ours for theirs, ours in zip(seconds, times["jersey"]))
            print(f"{name:8} {statistics.median(seconds):7.1f} s  ratio {statistics.median(ratios):6.1f} ({ratios[0]:.1f}-{ratios[-1]:.1f})  "
                  f"{right(answers[name])}")
        common = answers["jersey"].keys() & answers["PyTorch"].keys()
        same = sum(answers["jersey"][name] == answers["PyTorch"][name] for name in common)
        print(f"jersey and PyTorch agree on {same} of {len(common)}")


if __name__ == "__main__":
    main()

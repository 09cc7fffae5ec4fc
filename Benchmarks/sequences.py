#!/usr/bin/env python3
"""Reads the sequences of a data set with one model: with jersey, with and without early exit, and with int8
peers, in turns.

jersey is timed from frames in memory to answers, in the order of the data set. Peers are timed from
normalised frames to logits, for the same lengths; their batches group equal lengths, which keeps padding
small. Needs only Python's standard library.
"""

import json
import os
import pathlib
import random
import statistics
import tempfile

from harness.contestant import Contestant, compete
from harness.environment import peers_python
from harness.programs import BUNDLED, PEERS, Parser
from harness.turns import ratios, spread
from inference import MODELS

FORMS = ["onnxruntime-int8", "openvino-int8"]


def main():
    parser = Parser(__doc__)
    parser.add_argument(
        "--model", choices=MODELS, default="evidence_tied", help="(default: the bundled model's)"
    )
    parser.add_argument(
        "--weights",
        help="calibrated weights of that model, with splits.json beside them; reads the test part",
    )
    parser.add_argument(
        "--confidence",
        nargs="*",
        default=[],
        help="confidences at which to stop early (default: the file's)",
    )
    parser.add_argument("--batch", type=int, default=1, help="sequences in a batch")
    parser.add_argument("--data", required=True, help="data set in the folders format")
    parser.add_bin("jersey-bench")
    parser.add_argument("--limit", type=int, default=400, help="number of sequences, evenly chosen")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    program, python = options.bin / "jersey-bench", peers_python()
    with tempfile.TemporaryDirectory() as folder:
        frames, lengths = pathlib.Path(folder, "frames"), pathlib.Path(folder, "lengths.json")
        ours = [program, "sequences", "--data", options.data, "--limit", options.limit]
        ours += ["--threads", options.threads, "--batch", options.batch]
        ours += ["--weights", options.weights] if options.weights else []
        stops = [
            (f"jersey int8, anytime at {level}", ["--anytime", "--confidence", level])
            for level in options.confidence
        ]
        contestants = [
            Contestant(name, ours + more)
            for name, more in [("jersey int8", [])] + (stops or [("jersey int8, anytime", ["--anytime"])])
        ]
        read = {c.name: [int(c.first[key][0]) for key in ("frames", "right")] for c in contestants}
        sequences = [int(length) for length in contestants[0].first["lengths"]]
        lengths.write_text(json.dumps(sequences if options.batch == 1 else sorted(sequences)))
        count, height, width = (int(side) for side in contestants[0].first["size"])
        frames.write_bytes(random.Random(1).randbytes(count * height * width * 3))
        theirs = [python, PEERS / "inference.py", "--model", options.model]
        theirs += ["--weights", options.weights or BUNDLED, "--input", frames, "--lengths", lengths]
        theirs += ["--frames", count, "--height", height, "--width", width, "--batch", options.batch]
        theirs += ["--threads", options.threads, "--passes", 1, "--warmup", 1]
        contestants += [Contestant(form, [*theirs, "--form", form]) for form in FORMS]
        compete(contestants, options.rounds)

    print(
        f"{len(sequences)} sequences of {min(sequences)} to {max(sequences)} frames, "
        f"{sum(sequences)} in all, {options.batch} at a time, {options.threads} threads on "
        f"{os.cpu_count()} cores, {options.rounds} rounds in turns\n"
    )
    print("| | sequences/s | frames read | right | × onnxruntime-int8 | × openvino-int8 |")
    print("|---|---|---|---|---|---|")
    rates = {c.name: [len(sequences) / seconds for seconds in c.rounds] for c in contestants}
    for name, rounds in rates.items():
        cells = [f"{statistics.median(rounds):.0f}"]
        cells += [f"{read[name][0]}", f"{read[name][1]}"] if name in read else [f"{sum(sequences)}", ""]
        for peer in FORMS:
            cells.append(spread(ratios(rounds, rates[peer])) if name in read else "")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

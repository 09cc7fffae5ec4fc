#!/usr/bin/env python3
"""How far the sequences of one track repeat each other: the constant `Evidence.windowCorrelation`.

    Benchmarks/window_correlation.py runs/*/outcomes.jsonl

`jersey-bench windows` combines the sequences of each track with at least three of them, for several
correlations. Printed is how probable the true number is then (negative log-likelihood, nats), the mean
confidence, and how many tracks are right. A correlation of 0 sums all evidence. The right one has the least
loss, and a confidence near the share of right tracks.
"""

import json
import subprocess

from harness.programs import Parser

CORRELATIONS = [0, 0.25, 0.5, 0.75, 1]


def main():
    parser = Parser(__doc__)
    parser.add_bin("jersey-bench")
    parser.add_argument("outcomes", nargs="+", metavar="outcomes.jsonl")
    options = parser.parse_args()
    print("correlation      loss  confidence   right  tracks")
    for path in options.outcomes:
        command = [options.bin / "jersey-bench", "windows", path]
        asked = "".join(f"{correlation}\n" for correlation in CORRELATIONS)
        said = subprocess.run(command, input=asked, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows = [json.loads(line) for line in said.splitlines()]
        if rows[0]["tracks"] == 0:
            print(f"{path}: no track has three sequences")
            continue
        print(path)
        for correlation, row in zip(CORRELATIONS, rows, strict=True):
            figures = f"{row['loss']:9.3f} {row['confidence']:11.3f} {row['right']:7.3f} {row['tracks']:7d}"
            print(f"{correlation:11.2f} {figures}")


if __name__ == "__main__":
    main()

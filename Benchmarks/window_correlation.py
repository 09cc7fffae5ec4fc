#!/usr/bin/env python3
"""How far the sequences of one track repeat each other: the constant `Belief.windowCorrelation`.

    Benchmarks/window_correlation.py runs/*/outcomes.jsonl

Combines the sequences of each track with at least three of them as `Belief.init(windows:)` does, for several correlations, and prints how
probable the true number is then (negative log-likelihood, nats), the mean confidence, and how many tracks are right. A correlation of 0
sums all evidence. The right one has the least loss, and a confidence near the share of right tracks.
"""
import collections
import json
import math
import sys

CORRELATIONS = [0, 0.25, 0.5, 0.75, 1]


def logs(probabilities):
    return [math.log(max(p, 1e-300)) for p in probabilities]


def normalised(sums):
    top = max(sums)
    total = top + math.log(sum(math.exp(s - top) for s in sums))
    return [s - total for s in sums]


def information(rows):
    return sum(math.log(len(row)) + sum(math.exp(x) * x for x in row) for row in rows)


def combined(windows, correlation):
    said = [information(window) for window in windows]
    count = sum(said) ** 2 / sum(s * s for s in said)
    factor = 1 / (1 + (count - 1) * correlation)
    return [normalised([factor * sum(column) for column in zip(*rows)]) for rows in zip(*windows)]


def main(paths):
    print("correlation      loss  confidence   right  tracks")
    for path in paths:
        tracks = collections.defaultdict(list)
        for line in open(path):
            outcome = json.loads(line)
            tracks[outcome["track"]].append((outcome["truth"], (logs(outcome["tens"]), logs(outcome["ones"]))))
        tracks = [track for track in tracks.values() if len(track) > 2]
        if not tracks:
            print(f"{path}: no track has three sequences")
            continue
        print(path)
        for correlation in CORRELATIONS:
            loss = confidence = right = 0
            for track in tracks:
                tens, ones = combined([window for _, window in track], correlation)
                truth = track[0][0]
                place = (int(truth[0]) if len(truth) == 2 else 10, int(truth[-1]))
                best = (tens.index(max(tens)), ones.index(max(ones)))
                loss -= tens[place[0]] + ones[place[1]]
                confidence += math.exp(tens[best[0]] + ones[best[1]])
                right += best == place
            n = len(tracks)
            print(f"{correlation:11.2f} {loss / n:9.3f} {confidence / n:11.3f} {right / n:7.3f} {n:7d}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if sys.argv[1:] else __doc__)

#!/usr/bin/env python3
"""What a roster adds: answers with and without one, from predictions of rendered sequences.

    jersey predict DATA --format jsonl --output predictions.jsonl
    Benchmarks/rosters.py predictions.jsonl [--threshold 0.843]

DATA is in the folders format, with sequences without a number in unreadable/. For each size rosters are drawn from its numbers; of the
sequences those count that show a number of the roster, and those that show none. What a roster makes of a prediction is computed as
Sources/Jersey/Inference/Roster.swift does, with one player a number. Standard library only.
"""
import argparse
import json
import pathlib
import random

CONFLICT = 0.5


def truth(sequence: str, numbers: set) -> str | None:
    return next((part for part in pathlib.PurePath(sequence).parts if part in numbers), None)


def probability(row: dict, number: str) -> float:
    return row["tens"][10 if len(number) == 1 else int(number[0])] * row["ones"][int(number[-1])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictions")
    parser.add_argument("--threshold", type=float, default=0.843, help="of the model (default: the bundled one's)")
    parser.add_argument("--unreadable", type=float, default=0.15, help="share of sequences without a number that answers are counted with")
    options = parser.parse_args()
    everything = [str(number) for number in range(10)] + [f"{number:02}" for number in range(100)]
    rows = [json.loads(line) for line in open(options.predictions)]
    rows = [(row, truth(row["sequence"], set(everything) | {"unreadable"})) for row in rows if row["tens"]]
    numbers = sorted({number for _, number in rows} - {"unreadable", None})
    beliefs = [{number: probability(row, number) for number in everything} for row, _ in rows]
    print("| numbers in the roster | answered without a roster | with it | right | of sequences without a number it answers |")
    print("|---|---|---|---|---|")
    for size in (2, 5, 11, 20, 40):
        draw = random.Random(size)
        shown = unseen = without = given = right = wrong = 0
        for _ in range(200 if size <= 5 else 60):
            roster = draw.sample(numbers, size)
            for (_, number), belief in zip(rows, beliefs):
                if number != "unreadable" and number not in roster:
                    continue
                seen = max(belief, key=belief.get)
                best = max(roster, key=belief.get)
                conflicts = seen not in roster and belief[seen] >= CONFLICT
                answers = not conflicts and belief[best] / sum(belief[one] for one in roster) >= options.threshold
                if number == "unreadable":
                    unseen += 1
                    wrong += answers
                else:
                    shown += 1
                    without += belief[seen] >= options.threshold
                    given += answers
                    right += answers and best == number
        # As many without a number as the share says, whatever the data have.
        others = options.unreadable / (1 - options.unreadable) * shown * wrong / max(unseen, 1)
        print(
            f"| {size} | {without / shown:.1%} | {given / shown:.1%} | {right / (given + others):.1%} | {wrong / max(unseen, 1):.1%} |")


if __name__ == "__main__":
    main()

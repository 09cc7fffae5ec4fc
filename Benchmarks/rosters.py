#!/usr/bin/env python3
"""Measures what a roster adds: answers with and without one, from predictions of rendered sequences.

    jersey predict DATA --format jsonl --output predictions.jsonl
    Benchmarks/rosters.py predictions.jsonl [--threshold 0.843]

DATA is in the folders format, with sequences without a number in unreadable/. For each size, rosters are
drawn from its numbers. Only sequences that show a number of the roster, or no number, count.
`jersey-bench rosters` applies a roster, with one player per number, to the predictions.
"""

import json
import pathlib
import random
import subprocess
import tempfile

from harness.programs import Parser

NUMBERS = [str(number) for number in range(10)] + [f"{number:02}" for number in range(100)]


def truth(sequence: str, words: set) -> str | None:
    return next((part for part in pathlib.PurePath(sequence).parts if part in words), None)


def best(row: dict) -> float:
    """Returns the probability of the most likely number, without a roster."""
    return max(row["tens"]) * max(row["ones"])


class Judge:
    """Applies rosters to the predictions, with the program's own code."""

    def __init__(self, program: pathlib.Path, rows: list, folder: pathlib.Path):
        predictions, self.roster = folder / "predictions.jsonl", folder / "roster.csv"
        predictions.write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.process = subprocess.Popen(
            [program, "rosters", predictions], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def answers(self, numbers: list[str]) -> list[tuple[str | None, float | None]]:
        """Returns the number and confidence of each prediction; None if it contradicts the roster."""
        self.roster.write_text("team,number,name\n" + "".join(f",{number},\n" for number in numbers))
        self.process.stdin.write(f"{self.roster}\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        return list(zip(said["numbers"], said["confidences"], strict=True))

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = Parser(__doc__)
    parser.add_bin("jersey-bench")
    parser.add_argument("predictions")
    parser.add_argument(
        "--threshold", type=float, default=0.843, help="the model's threshold (default: the bundled model's)"
    )
    parser.add_argument(
        "--unreadable",
        type=float,
        default=0.15,
        help="assumed share of sequences without a number",
    )
    options = parser.parse_args()
    rows = [json.loads(line) for line in open(options.predictions)]
    rows = [row for row in rows if row["tens"]]
    truths = [truth(row["sequence"], {*NUMBERS, "unreadable"}) for row in rows]
    numbers = sorted(set(truths) - {"unreadable", None})
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(options.bin / "jersey-bench", rows, pathlib.Path(folder))
        report(options, rows, truths, numbers, judge)
        judge.end()


def report(options, rows: list, truths: list, numbers: list, judge: Judge) -> None:
    print("| numbers in the roster | answered without a roster | with it | right ", end="")
    print("| answered without a number |")
    print("|---|---|---|---|---|")
    for size in (2, 5, 11, 20, 40):
        draw = random.Random(size)
        shown = unseen = without = given = right = wrong = 0
        for _ in range(200 if size <= 5 else 60):
            roster = draw.sample(numbers, size)
            judged = judge.answers(roster)
            for row, number, (answer, confidence) in zip(rows, truths, judged, strict=True):
                if number != "unreadable" and number not in roster:
                    continue
                answers = answer is not None and confidence >= options.threshold
                if number == "unreadable":
                    unseen += 1
                    wrong += answers
                else:
                    shown += 1
                    without += best(row) >= options.threshold
                    given += answers
                    right += answers and answer == number
        # Scale sequences without a number to the assumed share.
        others = options.unreadable / (1 - options.unreadable) * shown * wrong / max(unseen, 1)
        figures = [without / shown, given / shown, right / (given + others), wrong / max(unseen, 1)]
        print(f"| {size} | {' | '.join(f'{figure:.1%}' for figure in figures)} |")


if __name__ == "__main__":
    main()

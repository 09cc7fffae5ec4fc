#!/usr/bin/env python3
"""Checks submissions to SoccerNet's jersey number challenge with the official scorer (PyPI package
SoccerNet).

    Benchmarks/soccernet_check.py --jersey .build/release/jersey --weights runs/first/best.safetensors

Renders players in SoccerNet's layout, reads them with `jersey predict --format soccernet`, and compares
the official score of that file with `jersey dataset score`. A perfect file must score 1.0, and jersey
must refuse what breaks the scorer. On first use it installs the scorer into its own virtual environment
(default: venv-soccernet in the cache folder).
"""

import json
import os
import pathlib
import subprocess
import tempfile

from harness import environment
from harness.data import sequence_folders, synthesize
from harness.programs import Parser

PACKAGES = ["scikit-learn==1.7.2", "numpy<3"]
SCORER = "SoccerNet==0.2.0"
IMPORT = "from SoccerNet.Evaluation.JerseyNumber import evaluate"
SCORE = f"import sys; {IMPORT}; print(evaluate(*sys.argv[1:])['Accuracy'])"


def render(jersey: pathlib.Path, folder: pathlib.Path) -> dict:
    """Writes a split in SoccerNet's layout and returns its ground truth, with one player whose number is
    unreadable and one without frames."""
    rendered = synthesize(
        jersey,
        folder / "rendered",
        "7,10,23,48",
        framing="number",
        difficulty="easy",
        tracks=5,
        sequences=1,
        frames="30-40",
        unreadable=0.1,
    )
    truth = {"900": -1}
    (folder / "test/images/900").mkdir(parents=True)
    for player, track in enumerate(folder.parent for folder in sequence_folders(rendered)):
        target = folder / "test/images" / str(player)
        target.mkdir()
        for index, frame in enumerate(sorted(track.glob("*/*.jpg"))):
            os.link(frame, target / f"{player}_{index}.jpg")
        truth[str(player)] = -1 if track.parent.name == "unreadable" else int(track.parent.name)
    (folder / "test/test_gt.json").write_text(json.dumps(truth))
    return truth


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--weights", required=True)
    parser.add_argument("--venv", type=pathlib.Path, default=environment.CACHE / "venv-soccernet")
    options = parser.parse_args()
    # The scorer does not need the dependencies for downloading and captioning.
    python = environment.python(options.venv, IMPORT, PACKAGES, ["--no-deps", SCORER])

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        truth = render(options.jersey, folder)
        ground_truth = folder / "test/test_gt.json"

        def official(path):
            run = subprocess.run([python, "-c", SCORE, ground_truth, path], capture_output=True, text=True)
            return float(run.stdout) if run.returncode == 0 else run.stderr.strip().splitlines()[-1]

        def ours(path):
            run = subprocess.run(
                [options.jersey, "dataset", "score", ground_truth, path], capture_output=True, text=True
            )
            if run.returncode != 0:
                return run.stderr.strip()
            return float(run.stdout.splitlines()[2].split("%")[0].split()[-1]) / 100

        submission = folder / "submission.json"
        command = [
            options.jersey,
            "predict",
            "--weights",
            options.weights,
            folder / "test",
            "--format",
            "soccernet",
        ]
        subprocess.run([*command, "--output", submission], check=True)
        assert json.loads(submission.read_text()).keys() == truth.keys(), "the submission lacks players"
        read = official(submission)
        print(f"read by the model: official {read:.4f}, jersey {ours(submission):.4f}, {len(truth)} players")
        assert abs(read - ours(submission)) < 1e-4

        perfect = folder / "perfect.json"
        perfect.write_text(json.dumps(truth))
        print(f"a perfect file:    official {official(perfect):.4f}, jersey {ours(perfect):.4f}")
        assert official(perfect) == 1 and ours(perfect) == 1

        wrongs = {"missing": None, "a text": "7", "a fraction": 7.0, "true": True, "out of range": 123}
        for what, value in wrongs.items():
            wrong = {key: number for key, number in truth.items() if key != "3"} | (
                {} if value is None else {"3": value}
            )
            path = folder / "wrong.json"
            path.write_text(json.dumps(wrong))
            answer = ours(path)
            assert isinstance(answer, str), f"{what} is not refused"
            answer = answer.replace(f"{folder}/", "")
            print(f"player 3 {what}:\n    official: {official(path)}\n    jersey:   {answer}")
    print("all checks passed")


if __name__ == "__main__":
    main()

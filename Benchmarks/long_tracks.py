#!/usr/bin/env python3
"""Reads long tracks in full and with `--skim`, in turns, and compares correct answers, frames read and
time.

    Benchmarks/long_tracks.py [--data crops] [--weights W] [--rounds 3]

Joins sequences into tracks of five kinds: a real track (from crops in the `folders` format, if given);
all of a number within a block of a hundred track ids; halves of two tracks, as if the tracker had
confused two players (the first player's number is right); ten rendered sequences of one player; and
eight of a player without a number around two of one with a number, which is then visible a fifth of
the time. Also follows rendered players through a video. Frames are linked; rendered ones are kept in
--work for the next run. Needs only Python.
"""

import argparse
import itertools
import json
import pathlib
import random
import re
import shutil
import statistics

from harness.data import synthesize
from harness.processes import Failure, exit_with, measured
from harness.programs import Parser
from harness.turns import ratios, spread, take_turns

Track = tuple[str, list[pathlib.Path]]
SEQUENCES, FRAMES = 10, 40


def natural(path: pathlib.Path) -> list:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def below(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=natural)


def frames(sequence: pathlib.Path) -> list[pathlib.Path]:
    return sorted((entry for entry in sequence.iterdir() if entry.suffix == ".jpg"), key=natural)


def tracks(data: pathlib.Path) -> list[tuple[str, str, list[list[pathlib.Path]]]]:
    """Returns number, name and sequences of each track."""
    return [
        (number.name, track.name, [frames(sequence) for sequence in below(track)])
        for number in below(data)
        for track in below(number)
    ]


def real(data: pathlib.Path, blocks: list[int] | None) -> tuple[list[Track], list[Track]]:
    """Returns single tracks of at least four windows, and all frames of a number in a clip."""
    single, clips = [], {}
    for number, name, sequences in tracks(data):
        if blocks is not None and int(name) // 100 not in blocks:
            continue
        joined = [*itertools.chain(*sequences)]
        clips.setdefault((number, int(name) // 100), []).extend(joined)
        if len(joined) > 48:
            single.append((number, joined))
    return single, [(number, joined) for (number, _), joined in clips.items() if len(joined) > 96]


def changed(tracks: list[Track]) -> list[Track]:
    """Joins the first half of a track and the second of one with another number: a tracker's mistake."""
    pairs = zip(tracks, tracks[len(tracks) // 2 :] + tracks[: len(tracks) // 2], strict=True)
    return [
        (number, own[: len(own) // 2] + other[len(other) // 2 :])
        for (number, own), (another, other) in pairs
        if another != number
    ]


def rendered(data: pathlib.Path) -> tuple[list[Track], list[Track]]:
    """Returns tracks as rendered, and with a number visible a fifth of the time."""
    found = tracks(data)
    blanks = [sequences for number, _, sequences in found if number == "unreadable"]
    whole, mostly = [], []
    draw = random.Random(1)
    for index, (number, _, sequences) in enumerate(found):
        whole.append((number, [*itertools.chain(*sequences)]))
        mixed = list(sequences)
        if number != "unreadable":
            start = draw.randrange(SEQUENCES - 1)
            blank = blanks[index % len(blanks)]
            mixed = [
                own if start <= place < start + 2 else blank[place] for place, own in enumerate(sequences)
            ]
        mostly.append((number, [*itertools.chain(*mixed)]))
    return whole, mostly


def link(tracks: list[Track], folder: pathlib.Path) -> list[str]:
    """Makes a folder of links per track; returns their numbers, in order."""
    shutil.rmtree(folder, ignore_errors=True)
    for index, (_, paths) in enumerate(tracks):
        track = folder / f"{index:04}"
        track.mkdir(parents=True)
        for place, path in enumerate(paths):
            (track / f"{place:05}.jpg").symlink_to(path.resolve())
    return [number for number, _ in tracks]


def read(options: argparse.Namespace, arguments: list) -> tuple[float, list[dict]]:
    command = [options.jersey, "predict", *arguments, "--format", "jsonl", *options.model]
    # It exits with 1 if it cannot read the frames of a sequence.
    done = measured(command, statuses=(0, 1))
    if not done.output:
        raise Failure(f"{' '.join(map(str, command))}\nprinted nothing")
    return done.seconds, [json.loads(line) for line in done.output.splitlines()]


def measure(name: str, options: argparse.Namespace, arguments: list, truth: list[str]) -> None:
    forms = {"in full": [], "--skim": ["--skim"]}
    done = take_turns(
        {title: lambda more=more: read(options, arguments + more) for title, more in forms.items()},
        options.rounds,
        rotate=True,
    )
    times = {title: [seconds for seconds, _ in rounds] for title, rounds in done.items()}
    numbered = sum(number != "unreadable" for number in truth)
    for title, rounds in done.items():
        rows = rounds[-1][1]
        pairs = list(zip(truth, rows, strict=True))
        right = sum(row["top"][0]["number"] == number for number, row in pairs if row["top"])
        answered = [(number, row["number"]) for number, row in pairs if row["number"] is not None]
        rightly = sum(number == given for number, given in answered)
        seen = sum(len(row["frames"]) for row in rows)
        print(
            f"{name:46} {title:8} {len(truth):5} tracks  right {right:4} of {numbered}  "
            f"answered {len(answered):4}, correctly {rightly:4}  frames {seen:6}  "
            f"{statistics.median(times[title]):6.2f} s",
            flush=True,
        )
    found = spread(ratios(times["--skim"], times["in full"]))
    print(f"{name:46} time with --skim / in full: {found}\n", flush=True)


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument(
        "--data", type=pathlib.Path, help="real crops, as <number>/<track>/<sequence>/<frame>.jpg"
    )
    parser.add_argument("--blocks", help="use only real tracks in these blocks of a hundred ids, such as 3,7")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="measure only sets whose name contains this")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("long-tracks"))
    options = parser.parse_args()
    options.model = ["--weights", options.weights, "--threads", options.threads]
    options.work.mkdir(parents=True, exist_ok=True)

    def wanted(name: str) -> bool:
        return options.only is None or options.only in name

    def folders(name: str, made: list[Track], stride: int) -> None:
        if wanted(name):
            truth = link(made, options.work / "tracks")
            measure(name, options, [options.work / "tracks", "--stride", stride], truth)

    if options.data:
        single, clips = real(
            options.data, options.blocks and [int(block) for block in options.blocks.split(",")]
        )
        folders("real tracks", single, 1)
        folders("real, of a number in a clip", clips, 1)
        folders("real, of two players", changed(single), 1)
        folders("real, of two players, long", changed(clips), 1)
    for framing in ("number", "body"):
        names = {
            stride: (
                f"rendered {framing}, stride {stride}",
                f"rendered {framing}, a fifth of the time, stride {stride}",
            )
            for stride in (5, 2)
        }
        if not any(wanted(name) for pair in names.values() for name in pair):
            continue
        folder = options.work / framing
        if not folder.exists():
            height = {"height": "90-240"} if framing == "body" else {}
            synthesize(
                options.jersey,
                folder,
                "0-99",
                framing=framing,
                tracks=1,
                sequences=SEQUENCES,
                frames=FRAMES,
                unreadable=0.2,
                seed=71,
                **height,
            )
        for stride, pair in names.items():
            for name, made in zip(pair, rendered(folder), strict=True):
                folders(name, made, stride)
    if wanted("video"):
        numbers = [str(number) for number in range(7, 67, 3)]
        film, boxes = options.work / "film.mp4", options.work / "film.txt"
        if not film.exists():
            synthesize(options.jersey, film, ",".join(numbers), frames=1500, seed=3)
        measure("video of 20 players, 1500 frames", options, [film, "--boxes", boxes], numbers)


if __name__ == "__main__":
    exit_with(main)

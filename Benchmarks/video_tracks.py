#!/usr/bin/env python3
"""Measures how a video's tracks are read: the best moments against every fifth box, and cuts where
the player changes.

    Benchmarks/video_tracks.py [--films 3] [--weights W]
    Benchmarks/video_tracks.py --film F --boxes B --truth T
    Benchmarks/video_tracks.py --crops DATA

Renders matches of two teams, with a camera that follows play, and cuts the boxes of players and
officials, where they are seen, into tracks of 25 to 250 frames. For cuts, it also confuses players: two
who hide each other swap their names in the boxes. A change can be found if each stretch before and after
it is answered rightly when it is a track of its own. A real film needs boxes (MOT) and the truth, a line
`track,number` for each track with a number. DATA holds crops in the folders format; changes are halves
of two tracks. Films are kept in --work for the next run. Needs only Python.
"""

import argparse
import collections
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

FRAMES, RATE = 1500, 25
# The least visible share of a box that a tracker would find.
LEAST_SEEN = 0.25
SHORTEST, LONGEST = 25, 250

# frame, track, left, top, width, height
Box = tuple[int, int, float, float, float, float]


def load(path: pathlib.Path) -> list[Box]:
    rows = [line.split(",") for line in path.read_text().splitlines()]
    # Rendered matches say who counts, and how much of whom is seen.
    rows = [row for row in rows if len(row) < 9 or (row[6] != "0" and float(row[8]) >= LEAST_SEEN)]
    return [(int(row[0]), int(row[1]), *map(float, row[2:6])) for row in rows]


def save(boxes: list[Box], path: pathlib.Path) -> pathlib.Path:
    path.write_text("".join(f"{','.join(f'{value:g}' for value in box)},1\n" for box in sorted(boxes)))
    return path


def read(options: argparse.Namespace, arguments: list) -> tuple[list[dict], float]:
    command = [options.jersey, "predict", *arguments, "--format", "jsonl", "--weights", options.weights]
    done = measured([*command, "--threads", options.threads], statuses=(0, 1))
    if not done.output:
        raise Failure(f"{' '.join(map(str, command))}\nprinted nothing")
    return [json.loads(line) for line in done.output.splitlines()], done.seconds


def pieces_of(row: dict) -> str:
    return row.get("piece_of", row["track"])


# Best moments


def tracks(boxes: list[Box], draw: random.Random) -> tuple[list[Box], dict[str, int]]:
    """Cuts the boxes of each player into tracks. Returns them and the player of each track."""
    players = collections.defaultdict(list)
    for box in boxes:
        players[box[1]].append(box)
    cut, truth = [], {}
    for player, own in players.items():
        own.sort()
        while len(own) >= SHORTEST:
            name, length = len(truth) + 1, draw.randint(SHORTEST, LONGEST)
            truth[str(name)] = player
            cut += [(box[0], name, *box[2:]) for box in own[:length]]
            own = own[length:]
    return cut, truth


def tally(rows: list[dict], truth: dict[str, str]) -> collections.Counter:
    count = collections.Counter()
    for row in rows:
        wanted = truth.get(row["track"])
        count["frames"] += len(row["frames"])
        if wanted is None:
            count["without"] += 1
            count["answered without"] += row["number"] is not None
            continue
        count["tracks"] += 1
        count["right"] += bool(row["top"]) and row["top"][0]["number"] == wanted
        count["answered"] += row["number"] is not None
        count["rightly"] += row["number"] == wanted
    return count


def compare(options: argparse.Namespace, sets: list[tuple[pathlib.Path, pathlib.Path, dict]]) -> None:
    for name, flags in {
        "every fifth box": ["--stride", 5],
        "best moments": [],
        "every box": ["--stride", 1],
    }.items():
        count, seconds = collections.Counter(), 0.0
        for film, boxes, truth in sets:
            rows, time = read(options, [film, "--boxes", boxes, "--keep-tracks", *flags])
            count += tally(rows, truth)
            seconds += time
        print(
            f"{name:16} tracks {count['tracks']}, right {count['right']}, answered {count['answered']}, "
            f"rightly {count['rightly']}; without a number {count['without']}, answered "
            f"{count['answered without']}; frames {count['frames']}, {seconds:.1f} s",
            flush=True,
        )


# Cuts


def overlap(one: Box, other: Box) -> float:
    """Returns the intersection over the union."""
    across = min(one[2] + one[4], other[2] + other[4]) - max(one[2], other[2])
    down = min(one[3] + one[5], other[3] + other[5]) - max(one[3], other[3])
    shared = max(across, 0) * max(down, 0)
    return shared / (one[4] * one[5] + other[4] * other[5] - shared)


def confused(boxes: list[Box], draw: random.Random) -> list[Box]:
    """Swaps the names of two players who hide each other, a few times a second."""
    frames = collections.defaultdict(list)
    for box in boxes:
        frames[box[0]].append(box)
    name = {player: player for _, player, *_ in boxes}
    swapped, next_swap = [], draw.randint(20, 60)
    for frame in sorted(frames):
        pairs = itertools.combinations(frames[frame], 2)
        most = max(pairs, key=lambda pair: overlap(*pair), default=None)
        if frame >= next_swap and most and overlap(*most) > 0.4:
            (_, one, *_), (_, other, *_) = most
            name[one], name[other] = name[other], name[one]
            next_swap = frame + draw.randint(8, 40)
        swapped += [(frame, name[player], *box) for _, player, *box in frames[frame]]
    return swapped


def numbers_of(film: pathlib.Path) -> dict[int, str]:
    """Returns the numbers of a rendered match by track."""
    players = json.loads(film.with_suffix(".json").read_text())["players"]
    return {player["track"]: player["number"] for player in players if "number" in player}


def cuts(options: argparse.Namespace, films: list[tuple[pathlib.Path, pathlib.Path]]) -> None:
    count, lags = collections.Counter(), []
    for seed, (film, boxes) in enumerate(films):
        draw = random.Random(seed)
        own, numbers = load(boxes), numbers_of(film)
        player = {(box[0], *box[2:]): box[1] for box in own}
        cut, _ = tracks(confused(own, draw), draw)
        # Each stretch of one player as a track of its own.
        stretches, names, alone = collections.defaultdict(list), {}, []
        for box in sorted(cut, key=lambda box: (box[1], box[0])):
            now = player[(box[0], *box[2:])]
            if not stretches[box[1]] or stretches[box[1]][-1][1] != now:
                names[len(names) + 1] = now
                stretches[box[1]].append((len(names), now, box[0]))
            alone.append((box[0], len(names), *box[2:]))
        rows, _ = read(options, [film, "--boxes", save(alone, options.work / "alone.txt"), "--keep-tracks"])
        known = {int(row["track"]) for row in rows if row["number"] == numbers.get(names[int(row["track"])])}
        confused_boxes = save(cut, options.work / "confused.txt")
        whole, _ = read(options, [film, "--boxes", confused_boxes, "--keep-tracks"])
        rows, _ = read(options, [film, "--boxes", confused_boxes])
        pieces = collections.defaultdict(list)
        for row in rows:
            pieces[pieces_of(row)].append(row)
        for track, parts in stretches.items():
            found = [piece["first_frame"] for piece in pieces[str(track)][1:]]
            if len(parts) == 1:
                count["of one"] += 1
                count["false"] += len(found)
            starts = [part[2] for part in parts] + [FRAMES + 1]
            for place, (before, after) in enumerate(itertools.pairwise(parts)):
                count["changes"] += 1
                if before[0] in known and after[0] in known:
                    count["findable"] += 1
                    here = [first for first in found if starts[place] < first < starts[place + 2]]
                    lags += [min(abs(first - after[2]) for first in here)] if here else []
        for title, answers in (("whole", whole), ("cut", rows)):
            for row in answers:
                parts = stretches[int(pieces_of(row))]
                if row["number"] is None or len(parts) == 1:
                    continue
                count[f"answered {title}"] += 1
                first, last = row["first_frame"], row["last_frame"]
                ends = [part[2] for part in parts[1:]] + [last + 1]
                spans = collections.Counter()
                for (_, shown, start), end in zip(parts, ends, strict=True):
                    spans[shown] += max(0, min(end, last + 1) - max(start, first))
                most = spans.most_common(1)[0][0]
                count[f"rightly {title}"] += row["number"] == numbers.get(most)
    print(
        f"changes {count['changes']}, findable {count['findable']}, found {len(lags)}, "
        f"{statistics.median(lags or [0]):.0f} frames away in the median; "
        f"tracks of one player {count['of one']}, false cuts {count['false']}"
    )
    print(
        f"tracks with changes: answered whole {count['answered whole']}, with the number of most frames "
        f"{count['rightly whole']}; cut {count['answered cut']}, {count['rightly cut']}"
    )


# Real crops


def natural(path: pathlib.Path) -> list:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(path))]


def crops(options: argparse.Namespace) -> None:
    """Cuts between sequences of four frames: tracks of one player, and halves of two."""
    found = [
        (track.parent.name, sorted((f for f in track.rglob("*") if f.is_file()), key=natural))
        for track in sorted(options.crops.glob("*/*"))
    ]
    found = [(number, frames) for number, frames in found if len(frames) >= 16]
    draw = random.Random(1)
    sets = collections.defaultdict(list)
    for number, frames in found:
        other, theirs = draw.choice([entry for entry in found if entry[0] != number])
        first, second = frames[: len(frames) // 2], theirs[len(theirs) // 2 :]
        sets["one"].append((number, [frames]))
        sets["two"].append((f"{number} {other}", [first, second]))
    for name, made in sets.items():
        folder = options.work / f"crops-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        for index, (_, parts) in enumerate(made):
            place = 0
            for frames in parts:
                for begin in range(0, len(frames), 4):
                    sequence = folder / f"{index:04}" / f"{place:04}"
                    sequence.mkdir(parents=True)
                    place += 1
                    for order, frame in enumerate(frames[begin : begin + 4]):
                        (sequence / f"{order}{frame.suffix}").symlink_to(frame.resolve())
        rows, _ = read(options, [folder, "--tracks"])
        pieces = collections.defaultdict(list)
        for row in rows:
            pieces[int(pathlib.PurePath(pieces_of(row)).name)].append(row["number"])
        cut = sum(len(numbers) > 1 for numbers in pieces.values())
        right = sum(pieces[index] == number.split() for index, (number, _) in enumerate(made))
        print(f"crops of {name} player(s): {len(made)} tracks, cut {cut}, all numbers right {right}")


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--films", type=int, default=3, help="how many matches to render")
    parser.add_argument("--film", type=pathlib.Path)
    parser.add_argument("--boxes", type=pathlib.Path)
    parser.add_argument("--truth", type=pathlib.Path)
    parser.add_argument("--crops", type=pathlib.Path)
    parser.add_argument("--threads", default="1")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("video-tracks"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.film:
        lines = options.truth.read_text().split()
        compare(options, [(options.film, options.boxes, dict(line.split(",") for line in lines))])
    elif options.crops:
        crops(options)
    else:
        films, sets = [], []
        for seed in range(1, options.films + 1):
            film = options.work / f"match{seed}.mp4"
            if not film.exists():
                synthesize(options.jersey, film, match=FRAMES / RATE, seed=seed)
            films.append((film, film.with_suffix(".txt")))
            cut, truth = tracks(load(films[-1][1]), random.Random(seed))
            numbers = numbers_of(film)
            boxes = save(cut, options.work / f"tracks{seed}.txt")
            wanted = {name: numbers[index] for name, index in truth.items() if index in numbers}
            sets.append((film, boxes, wanted))
        compare(options, sets)
        cuts(options, films)


if __name__ == "__main__":
    exit_with(main)

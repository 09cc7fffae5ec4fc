#!/usr/bin/env python3
"""Measures the detector of players: recall, precision and AP at an overlap of 0.5, and its cost.

    Benchmarks/detection.py --frames DIR [--stretch 1920x1080] [--classes 1,2,3]
    Benchmarks/detection.py --video FILE --boxes MOT [--every N]

DIR holds `images/` and `labels/` (YOLO: class, middle and size as shares of the picture). --stretch gives
pictures their shape back that a data set has squeezed into squares (needs FFmpeg). Without --everybody only
people on the playing surface count, as labels of players do; nothing is left out of the labels. The cost is
wall time with one thread, so run it on an idle machine. Needs only Python, and `swift build -c release
--product jersey-bench`.
"""

import argparse
import collections
import pathlib
import subprocess
import tempfile
from dataclasses import dataclass

from harness.processes import Failure, exit_with
from harness.programs import Parser

# left, top, width, height
Box = tuple[float, float, float, float]


def overlap(a: Box, b: Box) -> float:
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(across, 0) * max(down, 0)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-9)


@dataclass
class Curve:
    """Scores of all detections, best first, and whether each is right; and the number of people."""

    scores: list[float]
    hits: list[bool]
    people: int

    def at(self, threshold: float) -> tuple[float, float]:
        """Recall and precision of detections with at least this score."""
        count = sum(score >= threshold for score in self.scores)
        right = sum(self.hits[:count])
        return right / max(1, self.people), right / max(1, count)

    def average_precision(self) -> float:
        right, points = 0, []
        for index, hit in enumerate(self.hits, start=1):
            right += hit
            points.append((right / max(1, self.people), right / index))
        area, best, before = 0.0, 0.0, None
        for recall, precision in reversed(points):
            if before is not None:
                area += (before - recall) * best
            best, before = max(best, precision), recall
        return area + (before or 0) * best


def curve(found: dict[str, list[tuple[float, Box]]], truth: dict[str, list[Box]], least: float) -> Curve:
    """Every person is found by at most one detection: the best that overlaps enough."""
    rows = []
    for name, people in truth.items():
        left = list(people)
        for score, box in sorted(found.get(name, []), reverse=True):
            best = max(left, key=lambda person: overlap(person, box), default=None)
            hit = best is not None and overlap(best, box) >= least
            if hit:
                left.remove(best)
            rows.append((score, hit))
    rows.sort(key=lambda row: -row[0])
    return Curve([row[0] for row in rows], [row[1] for row in rows], sum(map(len, truth.values())))


def detected(options: argparse.Namespace, files: list[pathlib.Path]):
    """Scores and boxes by picture, and what the program says of the time."""
    command = [options.bin / "jersey-bench", "detect", *files, "--every", options.every]
    command += ["--rule", "everybody" if options.everybody else "players"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise Failure(done.stderr.strip())
    found = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        name, *values = line.rsplit(",", 5)
        left, top, width, height, score = map(float, values)
        found[name].append((score, (left, top, width, height)))
    return found, done.stderr.strip()


def frames(options: argparse.Namespace, work: pathlib.Path):
    """Pictures in their own shape, and the boxes of people in pixels."""
    pictures, truth = [], {}
    classes = set(options.classes.split(","))
    for path in sorted((options.frames / "images").iterdir()):
        picture = path
        if options.stretch:
            picture = work / f"{path.stem}.png"
            scale = f"scale={options.stretch.replace('x', ':')}"
            subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-vf", scale, picture], check=True)
        width, height = size(picture)
        rows = [
            line.split() for line in (options.frames / "labels" / f"{path.stem}.txt").read_text().splitlines()
        ]
        boxes = []
        for row in rows:
            if row[0] in classes:
                x, y, w, h = map(float, row[1:5])
                boxes.append(((x - w / 2) * width, (y - h / 2) * height, w * width, h * height))
        pictures.append(picture)
        truth[picture.name] = boxes
    return pictures, truth


def size(picture: pathlib.Path) -> tuple[int, int]:
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", picture]
    width, height = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(",")
    return int(width), int(height)


def film(options: argparse.Namespace) -> dict[str, list[Box]]:
    truth = collections.defaultdict(list)
    for line in options.boxes.read_text().splitlines():
        row = line.split(",")
        if (int(row[0]) - 1) % options.every == 0:
            truth[row[0]].append(tuple(map(float, row[2:6])))
    return truth


def main() -> None:
    parser = Parser(__doc__)
    parser.add_bin("jersey-bench")
    parser.add_argument("--frames", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--stretch", metavar="WxH")
    parser.add_argument("--classes", default="1,2,3", help="which are people (default: 1,2,3)")
    parser.add_argument("--video", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--boxes", type=pathlib.Path, metavar="MOT")
    parser.add_argument("--every", type=int, default=1, help="look at every N-th frame of the video")
    parser.add_argument("--everybody", action="store_true", help="do not leave out people beside the surface")
    options = parser.parse_args()
    if bool(options.frames) == bool(options.video and options.boxes):
        parser.error("give --frames, or --video with --boxes")
    with tempfile.TemporaryDirectory() as work:
        if options.frames:
            files, truth = frames(options, pathlib.Path(work))
        else:
            files, truth = [options.video], film(options)
        found, time = detected(options, files)
    print(f"{time}; {sum(map(len, truth.values()))} people")
    for least in (0.5, 0.3):
        result = curve(found, truth, least)
        print(f"overlap {least}: AP {100 * result.average_precision():.1f}")
        for threshold in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
            recall, precision = result.at(threshold)
            print(f"  score {threshold}: recall {100 * recall:.1f}, precision {100 * precision:.1f}")


if __name__ == "__main__":
    exit_with(main)

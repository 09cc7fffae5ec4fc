#!/usr/bin/env python3
"""Measures time and memory of `jersey predict` per track, for more and more tracks in one call. Both
must stay flat.

    Benchmarks/many_tracks.py --jersey .build/release/jersey --weights runs/first/best.safetensors

Renders a few hundred players and links their frames into one folder of four frames per track. Also
follows as many players through one video, four boxes each. Prints the cost of each call, and the time
and peak memory of each further track.
"""

import os
import pathlib
import resource
import tempfile

from harness.data import sequence_folders, synthesize
from harness.processes import exit_with, measured
from harness.programs import Parser

FRAMES = 4


def folders(root: pathlib.Path, sources: list, count: int) -> list:
    for track in range(count):
        folder = root / f"{track:05}"
        folder.mkdir(parents=True)
        for index, frame in enumerate(sources[track % len(sources)]):
            os.link(frame, folder / f"{index}.jpg")
    return [root]


def boxes(root: pathlib.Path, video: pathlib.Path, count: int, length: int) -> list:
    rows = []
    for track in range(count):
        first = track * 7919 % (length - FRAMES)
        rows += [
            f"{first + step + 1},{track},{track * 37 % 900},{track * 53 % 400},40,100"
            for step in range(FRAMES)
        ]
    path = root / f"{count}.txt"
    path.write_text("\n".join(rows))
    return [video, "--boxes", path]


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--weights", required=True)
    parser.add_argument("--counts", default="1000,3000,10000")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        length = 200
        kind = {"framing": "number", "difficulty": "easy", "tracks": 2, "sequences": 1, "frames": FRAMES}
        rendered = synthesize(options.jersey, root / "rendered", "0-99", **kind)
        video = synthesize(options.jersey, root / "match.mp4", "7,10", frames=length)
        sources = [sorted(folder.glob("*.jpg")) for folder in sequence_folders(rendered)]
        inputs = {
            "folders": [folders(root / str(count), sources, count) for count in counts],
            "video": [boxes(root, video, count, length) for count in counts],
        }
        print("input    tracks  seconds  peak MiB  ms/further track  KiB/further track")
        for kind, paths in inputs.items():
            before = None
            for count, path in zip(counts, paths, strict=True):
                command = [options.jersey, "predict", *path, "--weights", options.weights]
                done = measured([*command, "--format", "jsonl"])
                seconds, peak = done.seconds, done.peak / 2**20
                further = ""
                if before:
                    more = count - before[0]
                    time, memory = (seconds - before[1]) / more * 1000, (peak - before[2]) / more * 1024
                    further = f"{time:17.2f} {memory:18.1f}"
                print(f"{kind:8} {count:6} {seconds:8.1f} {peak:9.0f} {further}", flush=True)
                before = (count, seconds, peak)


if __name__ == "__main__":
    exit_with(main)

#!/usr/bin/env python3
"""Time and memory of `jersey predict` for a track, with more and more tracks in one call: both have to stay flat.

    Benchmarks/many_tracks.py --jersey .build/release/jersey --weights runs/first/best.safetensors

Renders a few hundred players and links to their frames from as many folders as there are tracks, of four frames each; and follows as many
players through one video, four boxes each. Prints what a call took, and what each further track cost in time and in memory at the peak.
"""
import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

FRAMES = 4


def measure(command: list) -> tuple:
    """Seconds, and MiB at the peak."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {errors.decode()}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


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
        rows += [f"{first + step + 1},{track},{track * 37 % 900},{track * 53 % 400},40,100" for step in range(FRAMES)]
    path = root / f"{count}.txt"
    path.write_text("\n".join(rows))
    return [video, "--boxes", path]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jersey", default=".build/release/jersey")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--counts", default="1000,3000,10000")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        length = 200
        subprocess.run([options.jersey, "synthesize", "--out", root / "rendered", "--framing", "number", "--difficulty", "easy",
                        "--numbers", "0-99", "--tracks", "2", "--sequences", "1", "--frames", str(FRAMES)], check=True, capture_output=True)
        video = root / "match.mp4"
        subprocess.run([options.jersey, "synthesize", "--out", video, "--numbers", "7,10", "--frames", str(length)], check=True,
                       capture_output=True)
        sources = [sorted(path.glob("*.jpg")) for path in sorted((root / "rendered").glob("*/*/*")) if path.is_dir()]
        inputs = {
            "folders": [folders(root / str(count), sources, count) for count in counts],
            "video": [boxes(root, video, count, length) for count in counts],
        }
        print("input    tracks  seconds  peak MiB  ms/further track  KiB/further track")
        for kind, paths in inputs.items():
            before = None
            for count, path in zip(counts, paths):
                seconds, peak = measure([options.jersey, "predict", "--weights", options.weights, "--format", "jsonl", *path])
                further = ""
                if before:
                    more = count - before[0]
                    further = f"{(seconds - before[1]) / more * 1000:17.2f} {(peak - before[2]) / more * 1024:18.1f}"
                print(f"{kind:8} {count:6} {seconds:8.1f} {peak:9.0f} {further}", flush=True)
                before = (count, seconds, peak)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How well `jersey predict VIDEO` finds who wears which number, and `jersey track` follows people.

    follow.py JERSEY VIDEO TRUTH [--boxes FILE] [-- OPTIONS OF predict]

TRUTH is what `jersey synthesize --match` writes beside its film: who wears which number, by team.
A row is right if its number is one of its team's, for the better of both ways to match the teams.
With --boxes (MOT text) the boxes of `jersey track` are also scored: recall and precision at an overlap
of 0.5, and HOTA if the Python package `trackeval` is there.
"""

import argparse
import collections
import contextlib
import io
import json
import pathlib
import subprocess
import tempfile
import time


def run(command):
    start = time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.time() - start


def read_boxes(path):
    """For each frame, the track, left, top, width and height of each box that counts."""
    frames = collections.defaultdict(list)
    for line in pathlib.Path(path).read_text().splitlines():
        cells = line.split(",")
        if float(cells[6]) > 0:
            frames[int(cells[0])].append((cells[1], *map(float, cells[2:6])))
    return frames


def scored(truth, found):
    import numpy as np

    ids, numbers = ({}, {}), ([], [])
    similarities = []
    for frame in range(1, max(truth) + 1):
        sides = truth.get(frame, []), found.get(frame, [])
        for side in (0, 1):
            numbers[side].append(
                np.array([ids[side].setdefault(b[0], len(ids[side])) for b in sides[side]], int)
            )
        a, b = (np.array([box[1:] for box in boxes]).reshape(-1, 4) for boxes in sides)
        low = np.maximum(a[:, None, :2], b[None, :, :2])
        high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
        shared = np.prod(np.clip(high - low, 0, None), axis=2)
        area = np.prod(a[:, 2:], axis=1)[:, None] + np.prod(b[:, 2:], axis=1)[None]
        similarities.append(shared / np.maximum(area - shared, 1e-9))
    data = {
        "num_timesteps": len(similarities),
        "num_gt_ids": len(ids[0]),
        "num_tracker_ids": len(ids[1]),
        "num_gt_dets": sum(map(len, numbers[0])),
        "num_tracker_dets": sum(map(len, numbers[1])),
        "gt_ids": numbers[0],
        "tracker_ids": numbers[1],
        "similarity_scores": similarities,
    }
    from trackeval.metrics import CLEAR, HOTA

    with contextlib.redirect_stdout(io.StringIO()):
        hota = HOTA().eval_sequence(data)
        clear = CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
    return (
        f"recall {clear['CLR_Re']:.1%}, precision {clear['CLR_Pr']:.1%}, "
        f"HOTA {hota['HOTA'].mean() * 100:.1f} (DetA {hota['DetA'].mean() * 100:.1f}, "
        f"AssA {hota['AssA'].mean() * 100:.1f}), {len(ids[1])} tracks of {len(ids[0])} people"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("jersey")
    parser.add_argument("video")
    parser.add_argument("truth")
    parser.add_argument("--boxes")
    parser.add_argument("options", nargs="*")
    arguments = parser.parse_args()
    known = json.loads(pathlib.Path(arguments.truth).read_text())
    wearers = collections.defaultdict(set)
    for player in known["players"]:
        if player.get("number"):
            wearers[str(player["team"])].add(player["number"])
    teams = sorted(wearers)
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out.json"
        seconds = run([arguments.jersey, "predict", arguments.video, "--output", out, *arguments.options])
        rows = [row for row in json.loads(pathlib.Path(out).read_text())["players"] if row["number"]]
        best = None
        for first in (0, 1):
            sides = {
                "A": wearers[teams[first]],
                "B": wearers[teams[1 - first]],
                "other": set.union(*wearers.values()),
            }
            right = [row for row in rows if row["number"] in sides.get(row["team"], set())]
            if best is None or len(right) > len(best):
                best = right
        wrong = [f"{row['team']} {row['number']}" for row in rows if row not in best]
        total = sum(map(len, wearers.values()))
        print(
            f"{len(best)} of {total} players with a number, {len(wrong)} wrong rows {wrong}; {seconds:.1f} s"
        )
        if arguments.boxes:
            seconds = run([arguments.jersey, "track", arguments.video, "--output", f"{folder}/out.txt"])
            print(scored(read_boxes(arguments.boxes), read_boxes(f"{folder}/out.txt")) + f"; {seconds:.1f} s")


main()

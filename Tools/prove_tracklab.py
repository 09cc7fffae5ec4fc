#!/usr/bin/env python3
"""Runs the module of `jersey.tracklab` in TrackLab's own engine, on boxes that TrackLab loads.

    python3 -m venv venv
    venv/bin/pip install tracklab==1.3.24 ./python
    JERSEY=.build/release/jersey venv/bin/python Tools/prove_tracklab.py

It renders a match of three players. Hydra finds the module by the entry point of the package, as for the
command `tracklab`. A saved state of TrackLab has the boxes; its offline engine loads it, runs the module and
saves a state. This is done for frames of the video file (`vid://PATH:FRAME`) and for a folder of pictures
that are not named by their place (`Tools/prove_tracklab.py vid` or `folder` does one of them). It ends with 0
if each track has the number that `jersey predict` reads in the video, and none a wrong one.
"""

import logging
import os
import pickle
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import cv2
import hydra
import jersey
import pandas as pd
from hydra.utils import instantiate
from tracklab.datastruct import TrackerState, TrackingSet
from tracklab.engine import OfflineTrackingEngine
from tracklab.pipeline import Pipeline
from tracklab.utils.cv2 import cv2_load_image

WORN = {1: "7", 2: "23", 3: "48"}
FRAMES = 250


def module():
    """The module as TrackLab makes it of its configuration."""
    with hydra.initialize_config_module("tracklab.configs", version_base=None):
        config = hydra.compose(overrides=["+modules/jersey_number_detect=jersey"])
    return instantiate(config.modules.jersey_number_detect, device="cpu", tracking_dataset=None)


def state_with(boxes: Path, images: pd.DataFrame, path: Path):
    """A state of TrackLab with a tracker's boxes, and one detection that is in no track."""
    rows = [line.split(",") for line in boxes.read_text().splitlines()]
    detections = pd.DataFrame(
        {
            "image_id": [images.index[int(row[0]) - 1] for row in rows],
            "video_id": 0,
            "track_id": [float(row[1]) for row in rows],
            "bbox_ltwh": [[float(side) for side in row[2:6]] for row in rows],
            "bbox_conf": 1.0,
        }
    )
    detections.loc[len(detections)] = [images.index[0], 0, float("nan"), [0.0, 0.0, 50.0, 90.0], 1.0]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("0.pkl", pickle.dumps(detections))
        file.writestr("0_image.pkl", pickle.dumps(images))


def run(name: str, images: pd.DataFrame, boxes: Path, folder: Path) -> dict[int, str]:
    """What the engine's detections say of each track."""
    loaded, saved = folder / f"{name}-boxes.pklz", folder / f"{name}-numbers.pklz"
    state_with(boxes, images, loaded)
    videos = pd.DataFrame({"id": [0], "name": ["match"]}, index=[0])
    pipeline = Pipeline([module()])
    state = TrackerState(
        TrackingSet(videos, images, None, images), load_file=loaded, save_file=saved, pipeline=pipeline
    )
    start = time.monotonic()
    OfflineTrackingEngine(modules=pipeline, tracker_state=state, num_workers=0).track_dataset()
    seconds = time.monotonic() - start
    with zipfile.ZipFile(saved) as file:
        detections = pickle.loads(file.read("0.pkl"))
    lone = detections[detections.track_id.isna()]
    assert lone.jersey_number_detection.isna().all() and (lone.jersey_number_confidence == 0).all()
    assert detections.jersey_number_confidence.between(0, 1).all()
    print(f"{name}: {len(detections)} detections in {seconds:.1f} s")
    numbers = {}
    for track, rows in detections.dropna(subset=["track_id"]).groupby("track_id"):
        votes = rows.groupby("jersey_number_detection").jersey_number_confidence.sum()
        numbers[int(track)] = votes.idxmax() if len(votes) else None
        print(f"  track {int(track)}: {numbers[int(track)]}, votes {votes.round(1).to_dict()}")
    return numbers


def main():
    logging.basicConfig(level=logging.WARNING)
    program = jersey.find_program()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video, boxes = folder / "match.mp4", folder / "match.txt"
        options = f"--numbers {','.join(WORN.values())} --frames {FRAMES} --seed 3".split()
        subprocess.run(
            [program, "synthesize", "--out", video, *options], check=True, stdout=subprocess.DEVNULL
        )
        expected = {int(p.track): p.number for p in jersey.read(video, boxes=boxes)}
        print(f"jersey predict: {expected}")

        # TrackLab shows its modules the first frame for FRAME 1.
        capture = cv2.VideoCapture(str(video))
        first = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
        assert (cv2_load_image(f"vid://{video}:1") == first).all()

        pictures = folder / "pictures"
        pictures.mkdir()
        capture = cv2.VideoCapture(str(video))
        for place in range(FRAMES):
            cv2.imwrite(str(pictures / f"half 1, {1000 - place}.png"), capture.read()[1])
        ways = {
            "vid": [f"vid://{video}:{place + 1}" for place in range(FRAMES)],
            "folder": [str(pictures / f"half 1, {1000 - place}.png") for place in range(FRAMES)],
        }
        wrong = 0
        for way, paths in ways.items():
            if way not in (sys.argv[1:] or ways):
                continue
            images = pd.DataFrame(
                {"id": range(5000, 5000 + FRAMES), "frame": range(FRAMES), "video_id": 0, "file_path": paths}
            ).set_index("id", drop=False)
            numbers = run(way, images, boxes, folder)
            wrong += sum(numbers.get(track) != number for track, number in expected.items())
            wrong += sum(number not in (None, WORN[track]) for track, number in numbers.items())
            wrong += not any(numbers.values())
    print("all tracks have the numbers of jersey predict" if wrong == 0 else f"{wrong} differences")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    main()

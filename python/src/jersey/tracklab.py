"""A module for TrackLab (1.3.24) that reads the number of every track.

pipeline: [track, jersey_number_detect]
defaults:
  - modules/jersey_number_detect: jersey
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from tracklab.pipeline import VideoLevelModule

from ._errors import JerseyError
from ._predict import StrPath
from ._read import read
from ._results import Box


class JerseyReader(VideoLevelModule):  # type: ignore[misc]
    """Gives every detection of a track the number of its player.

    `jersey_number_detection` is the number as text, or None where none was read; `jersey_number_confidence`
    is its probability, or 0. Where a tracker changes players within a track, each detection has the number
    of its own player.

    Args:
        device, tracking_dataset: TrackLab gives these to every module; they are not used.
        program: the program, if it is not the one that `jersey.find_program` finds.
        options: those of `jersey predict`, with underscores.
    """

    input_columns = ["bbox_ltwh", "track_id"]
    output_columns = ["jersey_number_detection", "jersey_number_confidence"]

    def __init__(
        self,
        device: str | None = None,
        tracking_dataset: Any = None,
        program: StrPath | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.program = program
        self.options = options

    def process(self, detections: pd.DataFrame, metadatas: pd.DataFrame) -> pd.DataFrame:
        """Reads the tracks of one video. The frames are those of `metadatas.file_path`: files, or
        `vid://PATH:FRAME`."""
        detections = detections.copy()
        numbers: list[str | None] = [None] * len(detections)
        confidences = [0.0] * len(detections)
        if len(detections) > 0 and detections["track_id"].notna().any():
            with _video(metadatas) as (path, frame_of):
                places, boxes = _boxes(detections, frame_of)
                reading = read(path, boxes=boxes, program=self.program, first_frame=1, **self.options)
            for place, box in zip(places, boxes):
                prediction = reading.at(box.track, box.frame)
                if prediction is not None and prediction.number is not None:
                    numbers[place] = prediction.number
                    confidences[place] = prediction.confidence or 0.0
        detections["jersey_number_detection"] = pd.Series(numbers, index=detections.index, dtype=object)
        detections["jersey_number_confidence"] = pd.Series(confidences, index=detections.index, dtype=float)
        return detections


def _boxes(detections: pd.DataFrame, frame_of: Mapping[Any, int]) -> tuple[list[int], list[Box]]:
    """The boxes of tracks, and the row of each."""
    places: list[int] = []
    boxes: list[Box] = []
    rows = zip(detections["image_id"], detections["track_id"], detections["bbox_ltwh"])
    for place, (image, track, sides) in enumerate(rows):
        if pd.isna(track) or isinstance(sides, float) or image not in frame_of:
            continue  # in no track, without a box, or in no frame of this video
        name = str(int(track)) if isinstance(track, float) and track == int(track) else str(track)
        places.append(place)
        boxes.append(Box(frame_of[image], name, *(float(side) for side in sides[:4])))
    return places, boxes


@contextmanager
def _video(metadatas: pd.DataFrame) -> Iterator[tuple[str, dict[Any, int]]]:
    """What to read, and the frame in it (from 1) of each image."""
    if "frame" in metadatas.columns:
        metadatas = metadatas.sort_values("frame", kind="stable")
    paths = {image: os.fspath(path) for image, path in metadatas["file_path"].items()}
    videos = {path[len("vid://") :].rsplit(":", 1)[0] for path in paths.values() if path.startswith("vid://")}
    if not videos:
        with tempfile.TemporaryDirectory(prefix="jersey-") as folder:
            for place, path in enumerate(paths.values()):
                name = f"{place + 1:08d}{Path(path).suffix}"
                (Path(folder) / name).symlink_to(Path(path).absolute())
            yield folder, {image: place + 1 for place, image in enumerate(paths)}
        return
    if len(videos) > 1 or not all(path.startswith("vid://") for path in paths.values()):
        raise JerseyError("the frames of one video must all be files, or all be of one video file")
    # TrackLab shows its modules the first frame of a file for FRAME 1, and for FRAME 0, too.
    yield videos.pop(), {image: max(int(path.rsplit(":", 1)[1]), 1) for image, path in paths.items()}

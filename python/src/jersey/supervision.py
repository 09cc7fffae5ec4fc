"""Numbers for the detections of supervision (0.31).

With a video file, only boxes are collected, and the program reads the file once they are complete:

    tracks = jersey.supervision.Tracks()
    for frame in sv.get_video_frames_generator("match.mp4"):
        tracks.add(tracker.update_with_detections(detect(frame)))
    reading = tracks.read("match.mp4")

With a stream, pieces of the frames are kept:

    tracks = jersey.supervision.LiveTracks(bgr=True)
    for frame in stream:
        tracks.add(tracker.update_with_detections(detect(frame)), frame)
    numbers = tracks.read()
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import supervision as sv

from ._predict import StrPath
from ._read import read
from ._reader import Reader
from ._results import Box, Prediction, Reading

# What `label` adds to `Detections.data`.
NUMBER = "jersey_number"
CONFIDENCE = "jersey_number_confidence"


class Tracks:
    """Collects the boxes of tracks, frame by frame, to read them in the video file.

    Args:
        stride: frames of the file from one `add` to the next, as in `get_video_frames_generator`.
        start: the first of them, from 0.
    """

    def __init__(self, stride: int = 1, start: int = 0) -> None:
        self.boxes: list[Box] = []
        self._stride = stride
        self._next = start

    def add(self, detections: sv.Detections, frame: int | None = None) -> int:
        """Takes the detections of the next frame, or of frame `frame` (from 0), and returns that frame.
        Detections without a tracker's number are passed over."""
        frame = self._next if frame is None else frame
        self._next = frame + self._stride
        if detections.tracker_id is not None:
            for track, (left, top, right, bottom) in zip(
                detections.tracker_id, detections.xyxy.astype(float)
            ):
                if int(track) >= 0:  # -1 is a detection that belongs to no track yet
                    self.boxes.append(Box(frame, int(track), left, top, right - left, bottom - top))
        return frame

    def read(self, video: StrPath, program: StrPath | None = None, **options: Any) -> Reading:
        """Reads the tracks in a video file, or in a folder of its frames.

        Args:
            video: the file whose frames were given to `add`.
            program, options: as for `jersey.read`.
        """
        if not self.boxes:
            return Reading(())
        return read(video, boxes=self.boxes, program=program, first_frame=0, **options)


class LiveTracks:
    """Collects pictures of tracks, frame by frame, and reads them at any time.

    Args:
        reader: the process to read with; by default one with the bundled model.
        most: the most pictures of a track that are kept; of a longer track it is every second, fourth …
        bgr: whether frames are in OpenCV's order of colours, as those of `get_video_frames_generator`.
    """

    def __init__(self, reader: Reader | None = None, most: int = 64, bgr: bool = False) -> None:
        self.reader = Reader() if reader is None else reader
        self._most = max(most, 2)
        self._bgr = bgr
        self._seen: dict[int, int] = {}
        self._steps: dict[int, int] = {}
        self._pictures: dict[int, list[np.ndarray]] = {}
        self._read: dict[int, tuple[int, Prediction]] = {}

    def add(self, detections: sv.Detections, frame: np.ndarray) -> None:
        """Keeps the boxes' parts of a frame, an array of uint8 of shape (height, width, 3)."""
        if detections.tracker_id is None:
            return
        height, width = frame.shape[:2]
        for track, (left, top, right, bottom) in zip(
            detections.tracker_id.tolist(), detections.xyxy.tolist()
        ):
            x = slice(max(math.floor(left), 0), min(math.ceil(right), width))
            y = slice(max(math.floor(top), 0), min(math.ceil(bottom), height))
            if track < 0 or x.stop - x.start < 2 or y.stop - y.start < 2:
                continue
            seen = self._seen.get(track, 0)
            self._seen[track] = seen + 1
            step = self._steps.setdefault(track, 1)
            if seen % step:
                continue
            pictures = self._pictures.setdefault(track, [])
            pictures.append(frame[y, x].copy())
            if len(pictures) > self._most:
                del pictures[1::2]
                self._steps[track] = step * 2

    def forget(self, track: int) -> None:
        """Drops what is kept of a track that has ended."""
        for kept in (self._seen, self._steps, self._pictures, self._read):
            kept.pop(track, None)

    def read(self) -> dict[int, Prediction]:
        """What can be read of each track so far. Tracks without new pictures are not read again."""
        for track, pictures in self._pictures.items():
            if track not in self._read or self._read[track][0] != self._seen[track]:
                self._read[track] = (self._seen[track], self.reader.read(pictures, bgr=self._bgr))
        return {track: prediction for track, (_, prediction) in self._read.items()}


def label(
    detections: sv.Detections,
    numbers: Reading | dict[int, Prediction],
    frame: int | None = None,
) -> sv.Detections:
    """Adds numbers to detections with a `tracker_id`: `data["jersey_number"]`, texts that are empty where
    none was read, and `data["jersey_number_confidence"]`, 0 there.

    Args:
        detections: these are changed, and returned.
        numbers: what `Tracks.read` or `LiveTracks.read` returned.
        frame: the detections' frame, as `Tracks.add` returned it. It matters only where a tracker changed
            players within a track.
    """
    tracks = [] if detections.tracker_id is None else detections.tracker_id.tolist()
    found: list[Prediction | None] = [None] * len(detections)
    for place, track in enumerate(tracks):
        found[place] = numbers.at(track, frame) if isinstance(numbers, Reading) else numbers.get(track)
    answers = [prediction if prediction and prediction.number is not None else None for prediction in found]
    # Texts of any length, so that `Detections.merge` and `Detections[...]` keep them.
    detections.data[NUMBER] = np.array([answer.number if answer else "" for answer in answers], dtype="<U2")
    detections.data[CONFIDENCE] = np.array(
        [(answer.confidence or 0.0) if answer else 0.0 for answer in answers], dtype=np.float64
    )
    return detections

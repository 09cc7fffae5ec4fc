"""Numbers and boxes in the formats of other tools: SoccerNet Game State, CVAT and COCO.

    boxes = jersey.formats.read_mot("match.txt")
    reading = jersey.read("match.mp4", boxes=boxes)
    video = jersey.formats.Video(width=1920, height=1080, frames=750)
    jersey.formats.write_cvat("match.xml", reading, boxes, video)

Every box gets the number of its track, in that frame if the tracker changed players. Boxes outside of the
video's frames are left out.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from ._predict import StrPath
from ._results import Box, Prediction, Reading


@dataclass(frozen=True)
class Video:
    """What the formats say of a video."""

    width: int
    height: int
    frames: int
    rate: float = 25.0
    first_frame: int = 1
    """The boxes' number for the first frame."""
    name: str = "video"

    def file_name(self, index: int) -> str:
        """The picture of a frame (from 0), as SoccerNet and MOTChallenge name it."""
        return f"{index + 1:06d}.jpg"


class _Read(NamedTuple):
    """A box with the number that was read of its player."""

    frame: int  # from 0
    box: Box
    number: str | None
    prediction: Prediction | None


def read_mot(path: StrPath) -> list[Box]:
    """The boxes of a MOTChallenge file, `frame,track,left,top,width,height,…`, without those of track -1."""
    boxes = []
    for place, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines()):
        cells = line.split(",")
        if not line.strip():
            continue
        try:
            frame, track, *sides = (float(cell) for cell in cells[:6])
            left, top, width, height = sides
        except ValueError:
            raise ValueError(
                f"{os.fspath(path)}: line {place + 1} is no box of MOTChallenge's format"
            ) from None
        if track != -1:
            boxes.append(Box(int(frame), int(track), left, top, width, height))
    return boxes


def write_game_state(
    path: StrPath,
    reading: Reading,
    boxes: Iterable[Box],
    video: Video,
    *,
    video_id: str = "001",
    sides: Mapping[str, str] | None = None,
) -> None:
    """Writes `Labels-GameState.json` of SoccerNet's Game State Reconstruction.

    Numbers are texts, null where none was read. Everybody is a player, with a place in the picture and none
    on the pitch.

    Args:
        video_id: SoccerNet's number of the video, as text.
        sides: `left` or `right` for teams of the reading's players, such as `{"A": "left", "B": "right"}`.
    """
    images = [f"3{video_id}{index + 1:06d}" for index in range(video.frames)]
    team_of = {piece.track: player.team for player in reading.players for piece in player.pieces}
    counts = [0] * video.frames
    annotations: list[dict[str, Any]] = []
    read = list(_numbered(reading, boxes, video))
    names = _places(read)
    for index, box, number, prediction in read:
        counts[index] += 1
        team = team_of.get(prediction.track) if prediction else None
        annotations.append(
            {
                "id": f"{images[index]}{counts[index]:02d}",
                "image_id": images[index],
                "track_id": box.track if isinstance(box.track, int) else names[box.track] + 1,
                "supercategory": "object",
                "category_id": 1,
                "attributes": {
                    "role": "player",
                    "jersey": number,
                    "team": (sides or {}).get(team) if team else None,
                },
                "bbox_image": {
                    "x": box.left,
                    "y": box.top,
                    "x_center": box.left + box.width / 2,
                    "y_center": box.top + box.height / 2,
                    "w": box.width,
                    "h": box.height,
                },
                "bbox_pitch": None,
                "bbox_pitch_raw": None,
                "lines": None,
            }
        )
    kinds = ["player", "goalkeeper", "referee", "ball", "pitch", "camera", "other"]
    _write(
        path,
        json.dumps(
            {
                "info": {
                    "version": "1.3",
                    "name": video.name,
                    "id": video_id,
                    "im_dir": "img1",
                    "im_ext": ".jpg",
                    "frame_rate": round(video.rate),
                    "seq_length": video.frames,
                },
                "images": [
                    {
                        "is_labeled": True,
                        "image_id": image,
                        "file_name": video.file_name(index),
                        "width": video.width,
                        "height": video.height,
                        "has_labeled_person": counts[index] > 0,
                        "has_labeled_pitch": False,
                        "has_labeled_camera": False,
                        "ignore_regions_x": [],
                        "ignore_regions_y": [],
                    }
                    for index, image in enumerate(images)
                ],
                "annotations": annotations,
                "categories": [
                    {
                        "supercategory": kind if kind in ("pitch", "camera") else "object",
                        "id": place + 1,
                        "name": kind,
                    }
                    for place, kind in enumerate(kinds)
                ],
            }
        ),
    )


def write_cvat(path: StrPath, reading: Reading, boxes: Iterable[Box], video: Video) -> None:
    """Writes the tracks as "CVAT for video 1.1": a label `player` with the attributes `number` (empty where
    none was read) and `track` (the tracker's name)."""
    root = ElementTree.Element("annotations")
    _add(root, "version", "1.1")
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    _add(task, "name", video.name)
    _add(task, "size", video.frames)
    _add(task, "mode", "interpolation")
    _add(task, "overlap", 0)
    _add(task, "start_frame", 0)
    _add(task, "stop_frame", video.frames - 1)
    label = ElementTree.SubElement(ElementTree.SubElement(task, "labels"), "label")
    _add(label, "name", "player")
    attributes = ElementTree.SubElement(label, "attributes")
    for name in ("number", "track"):
        attribute = ElementTree.SubElement(attributes, "attribute")
        for key, value in [("name", name), ("mutable", name == "number"), ("input_type", "text")]:
            _add(attribute, key, str(value))
        _add(attribute, "default_value", "")
        _add(attribute, "values", "")
    size = ElementTree.SubElement(task, "original_size")
    _add(size, "width", video.width)
    _add(size, "height", video.height)

    read = list(_numbered(reading, boxes, video))
    tracks: dict[int | str, list[_Read]] = {track: [] for track in _places(read)}
    for one in read:
        tracks[one.box.track].append(one)
    for place, (_track, ones) in enumerate(tracks.items()):
        element = ElementTree.SubElement(root, "track", id=str(place), label="player", source="auto")
        ones.sort(key=lambda one: one.frame)
        for one, after in zip(ones, [*ones[1:], None]):
            _box(element, one, one.frame, outside=False)
            # Between its boxes a track is not in the picture, rather than somewhere on the way.
            end = one.frame + 1
            if end < (video.frames if after is None else after.frame):
                _box(element, one, end, outside=True)
    ElementTree.indent(root)
    _write(
        path,
        '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n",
    )


def write_coco(path: StrPath, reading: Reading, boxes: Iterable[Box], video: Video) -> None:
    """Writes COCO's JSON for detection: images with the names `000001.jpg` …, boxes of the category `person`,
    with `track_id`, `number` (null where none was read) and `number_confidence` among `attributes`."""
    annotations = [
        {
            "id": place + 1,
            "image_id": index + 1,
            "category_id": 1,
            "bbox": [box.left, box.top, box.width, box.height],
            "area": box.width * box.height,
            "iscrowd": 0,
            "attributes": {
                "track_id": box.track,
                "number": number,
                "number_confidence": prediction.confidence if prediction and number is not None else None,
            },
        }
        for place, (index, box, number, prediction) in enumerate(_numbered(reading, boxes, video))
    ]
    images = [
        {"id": index + 1, "file_name": video.file_name(index), "width": video.width, "height": video.height}
        for index in range(video.frames)
    ]
    categories = [{"id": 1, "name": "person", "supercategory": "person"}]
    info = {"description": video.name, "version": "1.0"}
    _write(
        path,
        json.dumps({"info": info, "images": images, "annotations": annotations, "categories": categories}),
    )


def _numbered(reading: Reading, boxes: Iterable[Box], video: Video) -> Iterator[_Read]:
    for one in boxes:
        frame, track, *sides = one[:6]
        # Numbers of numpy become Python's, which JSON has.
        box = Box(
            int(frame), track if isinstance(track, str) else int(track), *(float(side) for side in sides)
        )
        index = box.frame - video.first_frame
        if 0 <= index < video.frames:
            prediction = reading.at(box.track, box.frame)
            yield _Read(index, box, prediction.number if prediction else None, prediction)


def _places(read: Iterable[_Read]) -> dict[int | str, int]:
    """The place of each track, in the order in which they appear."""
    places: dict[int | str, int] = {}
    for one in sorted(read, key=lambda one: one.frame):
        places.setdefault(one.box.track, len(places))
    return places


def _add(parent: ElementTree.Element, name: str, text: object) -> None:
    ElementTree.SubElement(parent, name).text = str(text)


def _box(track: ElementTree.Element, one: _Read, index: int, *, outside: bool) -> None:
    box = one.box
    element = ElementTree.SubElement(track, "box", frame=str(index), outside=str(int(outside)), occluded="0")
    element.set("keyframe", "1")
    sides = {"xtl": box.left, "ytl": box.top, "xbr": box.left + box.width, "ybr": box.top + box.height}
    for name, value in sides.items():
        element.set(name, f"{value:.2f}")
    element.set("z_order", "0")
    for name, text in [("number", one.number or ""), ("track", str(box.track))]:
        ElementTree.SubElement(element, "attribute", name=name).text = text


def _write(path: StrPath, text: str) -> None:
    """Writes a file whole or not at all."""
    target = Path(path)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

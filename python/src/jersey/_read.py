"""The front door."""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, cast, overload

from ._pictures import Picture, encoded, frames_of
from ._predict import StrPath, predict
from ._reader import Reader
from ._results import Box, Prediction, Reading

_lock = threading.Lock()
_readers: dict[str | None, Reader] = {}


@overload
def read(
    source: StrPath | Iterable[StrPath],
    *,
    boxes: StrPath | Iterable[Box] | None = None,
    roster: StrPath | None = None,
    program: StrPath | None = None,
    **options: Any,
) -> Reading: ...


@overload
def read(
    source: Picture | Iterable[Picture],
    *,
    boxes: None = None,
    roster: StrPath | None = None,
    program: StrPath | None = None,
    bgr: bool = False,
    **options: Any,
) -> Prediction: ...


def read(source, *, boxes=None, roster=None, program=None, bgr=False, **options):  # type: ignore[no-untyped-def]
    """Reads numbers.

    Args:
        source: one of

            - the path of a folder of frames, a tree of such folders, an archive of them or a video, or a
              list of paths of pictures of one player: the answer is a `Reading`;
            - pictures of one player in time order, in memory: arrays of uint8 of shape (height, width, 3)
              in RGB, images of Pillow, or the bytes of picture files. The answer is a `Prediction`;
            - whole frames in memory, if there are `boxes`: a `Reading`.
        boxes: a tracker's boxes in the video or the whole frames: a file, or `Box`es. Frames in memory
            count from 1, unless you say `first_frame=0`.
        roster: a table of players; only its numbers are possible.
        program: the program, if it is not the one that `find_program` finds.
        bgr: whether the colours of arrays are in OpenCV's order.
        options: those of `jersey predict`, with underscores: `weights="tuned.safetensors"`,
            `keep_tracks=True`, `target=0.99`, `team="Reds"`, `first_frame=0`.

    Pictures in memory without roster and options are read by a process that stays until Python ends, so
    that the model is loaded once. Make a `Reader` to choose its weights or to end it sooner.

    Raises:
        JerseyError: with the program's own message.
    """
    options = {"roster": roster, **options}
    if isinstance(source, (str, os.PathLike)):
        return predict([source], boxes=boxes, program=program, options=options)
    frames = iter(frames_of(source))
    first = next(frames, None)
    if first is None:
        raise ValueError("there are no frames to read")
    frames = chain([first], frames)
    if isinstance(first, (str, os.PathLike)):
        return predict(cast("list[StrPath]", list(frames)), boxes=boxes, program=program, options=options)
    if boxes is None and all(value is None or value is False for value in options.values()):
        return _reader(program).read(frames, bgr=bgr)
    with tempfile.TemporaryDirectory(prefix="jersey-") as folder:
        for place, frame in enumerate(frames):
            # The program tells the kind of a picture by its bytes.
            (Path(folder) / f"{place + 1:08d}.png").write_bytes(encoded(frame, bgr=bgr))
        if boxes is None:
            return predict([folder], boxes=None, program=program, options=options)[0]
        return predict([folder], boxes=boxes, program=program, options={"first_frame": 1, **options})


def _reader(program: StrPath | None) -> Reader:
    """The process that stays, for this program."""
    key = None if program is None else os.fspath(program)
    with _lock:
        if key not in _readers:
            _readers[key] = Reader(program)
        return _readers[key]


@atexit.register
def _close() -> None:
    for reader in _readers.values():
        reader.close()

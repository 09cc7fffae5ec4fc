"""`jersey predict` as a function."""

from __future__ import annotations

import csv
import json
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union

from ._errors import JerseyError
from ._program import environment, find_program
from ._results import Box, Reading

log = logging.getLogger("jersey")

StrPath = Union[str, "os.PathLike[str]"]


def predict(
    paths: Sequence[StrPath],
    *,
    boxes: StrPath | Iterable[Box] | None,
    program: StrPath | None,
    options: Mapping[str, Any],
) -> Reading:
    """Runs `jersey predict` and reads its JSON."""
    executable = find_program(program)
    with _file_of(boxes) as file:
        command = [executable, "predict", *(_safe(path) for path in paths), "--format", "json"]
        command += [] if file is None else ["--boxes", file]
        command += flags(options)
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(executable),
            check=False,
        )
    remarks = [line for line in result.stderr.decode(errors="replace").splitlines() if line.strip()]
    # Status 1 also means that nothing could be read of any sequence, and then there is output as well.
    if result.returncode != 0 and not result.stdout.strip():
        raise JerseyError(_message(remarks, result.returncode), result.returncode)
    for remark in remarks:
        log.info("%s", remark)
    return Reading.from_json(json.loads(result.stdout), remarks)


def flags(options: Mapping[str, Any]) -> list[str]:
    """Options as words of a command line: `keep_tracks=True` is `--keep-tracks`, `first_frame=0` is
    `--first-frame 0`, a list repeats the flag; None and False are left out."""
    words: list[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        else:
            for one in value if isinstance(value, (list, tuple)) else [value]:
                words += [flag, os.fspath(one) if isinstance(one, os.PathLike) else str(one)]
    return words


def _safe(path: StrPath) -> str:
    """A path that no program takes for an option."""
    text = os.fspath(path)
    return f"./{text}" if text.startswith("-") else text


def _message(remarks: Sequence[str], status: int) -> str:
    for place, line in enumerate(remarks):
        if line.startswith("Error: "):
            rest = [more for more in remarks[place + 1 :] if not more.startswith(("Usage: ", "  See "))]
            return "\n".join([line[len("Error: ") :], *rest])
    if status < 0:
        return f"the program was ended by signal {-status}" + "".join(f"\n{line}" for line in remarks[-5:])
    return "\n".join(remarks[-5:]) or f"the program ended with status {status}"


@contextmanager
def _file_of(boxes: StrPath | Iterable[Box] | None) -> Iterator[str | None]:
    """The file with the boxes; boxes in memory are written into one."""
    if boxes is None or isinstance(boxes, (str, os.PathLike)):
        yield None if boxes is None else os.fspath(boxes)
        return
    with tempfile.TemporaryDirectory(prefix="jersey-") as folder:
        path = Path(folder) / "boxes.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(Box._fields)
            for box in boxes:
                frame, track, *sides = box
                writer.writerow([int(frame), track, *(repr(float(side)) for side in sides[:4])])
        yield str(path)

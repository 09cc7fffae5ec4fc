"""Reading with the program itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import jersey


def files(crops: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(crops.glob("*.jpg"))]


def test_frames_in_memory_are_read_as_the_folder_is(program, crops):
    folder = jersey.read(crops, program=program)
    memory = jersey.read(files(crops), program=program)
    assert folder[0].number == memory.number == "23"
    assert memory.confidence == pytest.approx(folder[0].confidence, abs=1e-4)
    assert len(memory.frames) == 4
    assert sum(frame.weight for frame in memory.frames) == pytest.approx(1)


def test_arrays_and_images_are_read(program, crops):
    numpy = pytest.importorskip("numpy")
    Image = pytest.importorskip("PIL.Image")
    images = [Image.open(path).convert("RGB") for path in sorted(crops.glob("*.jpg"))]
    arrays = [numpy.asarray(image) for image in images]
    assert jersey.read(images, program=program).number == "23"
    assert jersey.read(arrays, program=program).number == "23"
    assert jersey.read([array[:, :, ::-1] for array in arrays], bgr=True, program=program).number == "23"


def test_options_hold_for_frames_in_memory(program, crops, tmp_path):
    roster = tmp_path / "squad.csv"
    roster.write_text("team,number,name\nReds,23,Jo Day\nReds,7,Ann Lee\n")
    prediction = jersey.read(files(crops), roster=roster, program=program)
    assert prediction.number == "23"
    assert prediction.players == (jersey.RosterPlayer("Reds", "Jo Day"),)


def test_a_list_of_paths_is_one_player(program, crops):
    reading = jersey.read(sorted(crops.glob("*.jpg")), program=program)
    assert [prediction.number for prediction in reading] == ["23"]


def test_a_video_is_read_with_boxes_of_a_file_and_in_memory(program, match):
    file = match.with_suffix(".txt")
    rows = [line.split(",") for line in file.read_text().splitlines()]
    boxes = [jersey.Box(int(row[0]), int(row[1]), *map(float, row[2:6])) for row in rows]
    assert jersey.read(match, boxes=file, program=program).tracks == (
        jersey.read(match, boxes=boxes, program=program).tracks
    )


def test_errors_of_the_service_are_raised_and_it_goes_on(program, crops):
    with jersey.Reader(program) as reader:
        with pytest.raises(jersey.JerseyError, match="no frame can be read") as caught:
            reader.read(b"no picture")
        assert caught.value.status == 422
        assert reader.read(files(crops)).number == "23"


def test_a_wrong_option_of_the_service_is_named(program):
    reader = jersey.Reader(program, weights="/no/such/file")
    with pytest.raises(jersey.JerseyError, match="/no/such/file: does not exist"):
        reader.read(b"a picture")


def test_threads_share_a_process(program, crops):
    pictures = files(crops)
    with jersey.Reader(program, threads=1) as reader:
        answers: list[str] = []
        threads = [
            threading.Thread(target=lambda: answers.append(reader.read(pictures).number)) for _ in range(24)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == ["23"] * 24


def test_a_process_that_was_killed_is_an_error_and_the_next_call_starts_another(program, crops):
    with jersey.Reader(program, threads=1) as reader:
        assert reader.read(files(crops)).number == "23"
        keeper = reader._process.keeper.pid
        children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        reader._process.drain.join(10)
        assert reader.read(files(crops)).number == "23"


@pytest.mark.parametrize("end", ["", "os.kill(os.getpid(), signal.SIGKILL)"], ids=["end", "kill"])
def test_the_process_ends_with_python(program, crops, end):
    script = f"""
import jersey, os, signal, pathlib, sys
with_process = jersey.Reader({program!r}, threads=1)
assert with_process.read(pathlib.Path({str(sorted(crops.glob("*.jpg"))[0])!r}).read_bytes()).number
print(with_process._process.keeper.pid, flush=True)
{end}
"""
    path = os.pathsep.join(sys.path)
    result = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    keeper = Path(f"/proc/{int(result.stdout)}")
    for _ in range(200):
        if not keeper.exists():
            return
        time.sleep(0.05)
    pytest.fail("the process is still there")

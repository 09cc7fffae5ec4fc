"""Finding and running the program, with programs of a few lines."""

from __future__ import annotations

import pytest

import jersey
from jersey import _program
from jersey._predict import flags


def test_the_argument_comes_before_the_environment(fake, monkeypatch):
    monkeypatch.setenv("JERSEY", "/bin/false")
    program = fake("exit 0")
    assert jersey.find_program(program) == program
    assert jersey.find_program() == "/bin/false"


def test_a_program_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("JERSEY", "/no/such/program")
    with pytest.raises(jersey.JerseyError, match=r"\$JERSEY is '/no/such/program'"):
        jersey.find_program()


def test_without_a_program_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.delenv("JERSEY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_program, "CARRIED", tmp_path)
    with pytest.raises(jersey.JerseyError, match="Install the wheel that carries it"):
        jersey.find_program()


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "which is not installed"), ("2.9.1", "but torch 2.9.1 is installed")],
)
def test_a_carried_program_names_the_torch_that_it_needs(monkeypatch, tmp_path, version, message):
    monkeypatch.setattr(_program, "CARRIED", tmp_path)
    monkeypatch.setattr(_program, "_torch_version", lambda: version)
    (tmp_path / "torch-version").write_text("2.13\n")
    with pytest.raises(jersey.JerseyError, match=message + r".*pip install 'torch==2\.13\.\*'"):
        _program.environment(str(tmp_path / "jersey"))


def test_options_become_flags():
    options = {"keep_tracks": True, "first_frame": 0, "skim": False, "team": None, "team_colours": ["a", "b"]}
    assert flags(options) == [
        "--keep-tracks",
        "--first-frame",
        "0",
        "--team-colours",
        "a",
        "--team-colours",
        "b",
    ]


def test_the_error_of_the_program_is_raised(fake):
    program = fake("echo 'note: something' >&2; echo 'Error: match.mp4: is no video' >&2; exit 1")
    with pytest.raises(jersey.JerseyError, match=r"^match\.mp4: is no video$") as caught:
        jersey.read("match.mp4", program=program)
    assert caught.value.status == 1


def test_a_crash_is_named(fake):
    with pytest.raises(jersey.JerseyError, match="ended by signal 11"):
        jersey.read("match.mp4", program=fake("kill -SEGV $$"))
    reader = jersey.Reader(fake("echo out of memory >&2; exit 3"))
    with pytest.raises(jersey.JerseyError, match="status 3\nout of memory"):
        reader.read(b"a picture")


def test_remarks_of_the_program_are_notes(fake):
    reading = jersey.read("crops", program=fake("echo 'skipped: 3 boxes' >&2; echo '[]'"))
    assert len(reading) == 0 and reading.notes == ("skipped: 3 boxes",)


def test_a_video_without_boxes_has_players(fake):
    reading = jersey.read(
        "match.mp4", program=fake("""echo '{"players": [{"number": "7"}], "tracks": []}'""")
    )
    assert [player.number for player in reading.players] == ["7"] and len(reading) == 0


def test_boxes_in_memory_become_a_table(fake):
    program = fake('while [ "$1" != --boxes ]; do shift; done; cat "$2" >&2; echo "[]"')
    boxes = [jersey.Box(0, "a,b", 1, 2.5, 3, 4), (5, 6, 1e-7, 8, 9, 10)]
    reading = jersey.read("match.mp4", boxes=boxes, program=program)
    assert reading.notes == (
        "frame,track,left,top,width,height",
        '0,"a,b",1.0,2.5,3.0,4.0',
        "5,6,1e-07,8.0,9.0,10.0",
    )


def test_nothing_to_read_is_an_error():
    with pytest.raises(ValueError, match="no frames"):
        jersey.read([])

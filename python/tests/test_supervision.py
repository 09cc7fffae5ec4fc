"""With the real supervision, where it is installed."""

from __future__ import annotations

import pytest

import jersey

numpy = pytest.importorskip("numpy")
sv = pytest.importorskip("supervision")

from jersey.supervision import LiveTracks, Tracks, label  # noqa: E402


def detections_of(boxes, frame: int):
    """The boxes of a MOT file in a frame (from 1), and one that belongs to no track."""
    rows = [row for row in boxes if row[0] == frame]
    xyxy = [[row[2], row[3], row[2] + row[4], row[3] + row[5]] for row in rows] + [[0, 0, 9, 9]]
    return sv.Detections(
        xyxy=numpy.array(xyxy, dtype=numpy.float32),
        tracker_id=numpy.array([int(row[1]) for row in rows] + [-1]),
    )


@pytest.fixture(scope="module")
def boxes(match):
    return [
        [float(cell) for cell in line.split(",")]
        for line in match.with_suffix(".txt").read_text().splitlines()
    ]


def test_tracks_of_a_video_are_read_as_with_the_boxes_file(program, match, boxes):
    tracks = Tracks()
    for place, _ in enumerate(sv.get_video_frames_generator(str(match))):
        assert tracks.add(detections_of(boxes, place + 1)) == place
    reading = tracks.read(match, program=program)
    expected = jersey.read(match, boxes=match.with_suffix(".txt"), program=program)
    assert {p.track: p.number for p in reading} == {p.track: p.number for p in expected}
    assert any(prediction.number for prediction in reading)

    detections = label(detections_of(boxes, 1), reading, frame=0)
    numbers = detections.data["jersey_number"]
    assert list(numbers) == [
        (expected.at(track) and expected.at(track).number) or "" for track in detections.tracker_id
    ]
    assert len(detections[numbers != ""]) == sum(numbers != "")
    sv.Detections.merge([detections, label(detections_of(boxes, 2), reading)])


def test_tracks_of_a_stream_are_read_from_their_pictures(program, match, boxes):
    with jersey.Reader(program, threads=1) as reader:
        tracks = LiveTracks(reader, most=8, bgr=True)
        for place, frame in enumerate(sv.get_video_frames_generator(str(match))):
            tracks.add(detections_of(boxes, place + 1), frame)
        assert all(len(pictures) <= 8 for pictures in tracks._pictures.values())
        read = tracks.read()
        assert tracks.read() == read
        expected = jersey.read(match, boxes=match.with_suffix(".txt"), program=program)
        sure = {int(p.track): p.number for p in expected if p.number}
        assert sure and sum(read[track].number == number for track, number in sure.items()) >= len(sure) - 1
        assert "jersey_number" in label(detections_of(boxes, 1), read).data
        tracks.forget(1)
        assert 1 not in tracks.read()


def test_nothing_is_read_of_no_tracks():
    tracks = Tracks()
    tracks.add(sv.Detections.empty())
    assert len(tracks.read("match.mp4")) == 0
    assert list(label(sv.Detections.empty(), {}).data["jersey_number"]) == []

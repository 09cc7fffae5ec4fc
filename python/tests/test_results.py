"""The dataclasses, from the program's JSON."""

from __future__ import annotations

import pytest

from jersey import Prediction, Reading

PREDICTION = {
    "number": "07",
    "confidence": 0.9,
    "track": "4/a",
    "piece_of": "4",
    "first_frame": 1,
    "last_frame": 10,
}


def test_a_prediction_keeps_the_number_as_text_and_passes_over_unknown_keys():
    prediction = Prediction.from_json({**PREDICTION, "added_later": 1})
    assert prediction.number == "07"
    assert prediction.top == ()


def test_all_keys_arrive():
    prediction = Prediction.from_json(
        {
            **PREDICTION,
            "unreadable": False,
            "top": [{"number": "07", "probability": 0.9}],
            "tens": [0.0] * 11,
            "ones": [0.0] * 10,
            "frames": [
                {
                    "path": "1",
                    "weight": 1,
                    "box": {"left": 1, "top": 2, "width": 3, "height": 4, "confidence": 1},
                },
                {"path": "2", "weight": None},
            ],
            "left_out": [{"path": "3", "reason": "broken"}],
            "players": [{"team": "Reds", "name": "Ann Lee"}],
            "conflict": {"number": "8", "probability": 0.6},
            "windows": 3,
            "windows_against": 1,
            "player_id": "4",
            "precision": "float32",
        }
    )
    assert prediction.frames[0].box.width == 3
    assert prediction.frames[1].box is None
    assert prediction.left_out[0].reason == "broken"
    assert prediction.players[0].name == "Ann Lee"
    assert prediction.conflict.probability == 0.6
    assert (prediction.windows, prediction.windows_against, prediction.player_id) == (3, 1, "4")


def test_a_reading_is_a_sequence_and_finds_pieces_of_tracks():
    second = {**PREDICTION, "number": None, "track": "4/b", "first_frame": 11, "last_frame": 20}
    reading = Reading.from_json([PREDICTION, second, {**PREDICTION, "track": "5", "piece_of": None}])
    assert len(reading) == 3 and reading[0].track == "4/a" and [p.track for p in reading][-1] == "5"
    assert reading.at(4, 3).track == "4/a"
    assert reading.at("4", 14).track == "4/b"
    assert reading.at(4, 90).track == "4/b"
    assert reading.at(4).track == "4/a"  # the surest
    assert reading.at(5, 500).track == "5"
    assert reading.at(6) is None


def test_a_video_without_boxes_has_players():
    player = {
        "team": "A",
        "colour": "#ff0000",
        "number": "7",
        "names": ["Ann Lee"],
        "confidence": 0.98,
        "seconds": 1.5,
        "pieces": [
            {"track": "3", "first_second": 0.0, "last_second": 1.5, "first_frame": 1, "last_frame": 38}
        ],
    }
    reading = Reading.from_json({"players": [player], "tracks": [PREDICTION]}, ["a note"])
    assert reading.players[0].tracks == ("3",)
    assert reading.players[0].pieces[0].last_frame == 38
    assert len(reading) == 1 and reading.notes == ("a note",)


def test_what_is_read_cannot_be_changed():
    with pytest.raises(AttributeError):
        Prediction.from_json(PREDICTION).number = "8"

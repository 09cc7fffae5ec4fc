"""Formats of other tools, read back by their own parsers where these are installed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jersey import Box, Reading, formats

VIDEO = formats.Video(width=960, height=540, frames=4, name="SNGS-001")
BOXES = [
    Box(1, 5, 10, 20, 30, 40),
    Box(2, 5, 11, 20, 30, 40),
    Box(4, 5, 12, 20, 30, 40),
    Box(2, 9, 100.5, 50, 20, 60),
]
READING = Reading.from_json(
    {
        "players": [
            {
                "team": "A",
                "number": "07",
                "pieces": [
                    {"track": "5/a", "first_second": 0, "last_second": 1, "first_frame": 1, "last_frame": 2}
                ],
            }
        ],
        "tracks": [
            {
                "number": "07",
                "confidence": 0.9,
                "track": "5/a",
                "piece_of": "5",
                "first_frame": 1,
                "last_frame": 2,
            },
            {
                "number": "11",
                "confidence": 0.8,
                "track": "5/b",
                "piece_of": "5",
                "first_frame": 4,
                "last_frame": 4,
            },
            {"number": None, "confidence": 0.2, "track": "9"},
        ],
    }
)


@pytest.fixture
def game_state(tmp_path: Path) -> Path:
    path = tmp_path / "test" / "SNGS-001" / "Labels-GameState.json"
    path.parent.mkdir(parents=True)
    formats.write_game_state(path, READING, BOXES, VIDEO, sides={"A": "left"})
    return path


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    formats.write_coco(tmp_path / "coco.json", READING, BOXES, VIDEO)
    return tmp_path / "coco.json"


@pytest.fixture
def cvat(tmp_path: Path) -> Path:
    formats.write_cvat(tmp_path / "cvat.xml", READING, BOXES, VIDEO)
    return tmp_path / "cvat.xml"


def test_game_state_has_ids_and_numbers_as_text(game_state):
    labels = json.loads(game_state.read_text())
    jerseys = [annotation["attributes"]["jersey"] for annotation in labels["annotations"]]
    assert jerseys == ["07", "07", "11", None]
    assert labels["annotations"][0]["attributes"]["team"] == "left"
    assert labels["annotations"][2]["attributes"]["team"] is None
    ids = [annotation["id"] for annotation in labels["annotations"]]
    assert len(set(ids)) == 4 and all(isinstance(value, str) for value in ids)
    assert {a["image_id"] for a in labels["annotations"]} <= {image["image_id"] for image in labels["images"]}


def test_tracklab_reads_game_state(game_state, monkeypatch):
    tracklab = pytest.importorskip("tracklab")
    pytest.importorskip("SoccerNet.Downloader")
    # The one file, since its package imports every detector and tracker.
    file = Path(tracklab.__file__).parent / "wrappers/dataset/soccernet/soccernet_game_state.py"
    spec = importlib.util.spec_from_file_location("soccernet_game_state", file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "soccernet_game_state", module)
    spec.loader.exec_module(module)

    loaded = module.load_set(str(game_state.parents[1]))
    detections = loaded.detections_gt
    assert list(detections.jersey_number.fillna("")) == ["07", "07", "", "11"]
    assert [list(box) for box in detections.bbox_ltwh][0] == [10, 20, 30, 40]
    assert len(loaded.image_metadatas) == 4


def test_pycocotools_reads_coco(coco):
    tools = pytest.importorskip("pycocotools.coco")
    loaded = tools.COCO(str(coco))
    second = loaded.loadAnns(loaded.getAnnIds(imgIds=[2]))
    assert [(a["bbox"], a["attributes"]["number"]) for a in second] == [
        ([11, 20, 30, 40], "07"),
        ([100.5, 50, 20, 60], None),
    ]
    assert loaded.loadImgs([4])[0]["file_name"] == "000004.jpg"


def test_datumaro_reads_cvat(cvat):
    datumaro = pytest.importorskip("datumaro")
    dataset = datumaro.Dataset.import_from(str(cvat), "cvat")
    found = [
        (int(item.attributes["frame"]), *box.get_bbox(), box.attributes["track"], box.attributes["number"])
        for item in dataset
        for box in item.annotations
        if not box.attributes["outside"]
    ]
    assert sorted(found) == [
        (0, 10, 20, 30, 40, "5", "07"),
        (1, 11, 20, 30, 40, "5", "07"),
        (1, 100.5, 50, 20, 60, "9", ""),
        (3, 12, 20, 30, 40, "5", "11"),
    ]


def test_cvat_leaves_the_picture_between_boxes(cvat):
    tracks = ElementTree.parse(cvat).getroot().findall("track")
    boxes = [[(box.get("frame"), box.get("outside")) for box in track.findall("box")] for track in tracks]
    assert boxes == [[("0", "0"), ("1", "0"), ("2", "1"), ("3", "0")], [("1", "0"), ("2", "1")]]


def test_boxes_of_motchallenge_are_read(tmp_path):
    file = tmp_path / "boxes.txt"
    file.write_text("1,5,10.0,20,30,40,1,-1,-1,-1\n\n2,-1,0,0,1,1\n")
    assert formats.read_mot(file) == [Box(1, 5, 10, 20, 30, 40)]
    file.write_text("1,5,10\n")
    with pytest.raises(ValueError, match="line 1 is no box"):
        formats.read_mot(file)


def test_the_program_reads_its_own_boxes_back(program, match):
    import jersey

    boxes = formats.read_mot(match.with_suffix(".txt"))
    assert jersey.read(match, boxes=boxes, program=program).tracks == (
        jersey.read(match, boxes=match.with_suffix(".txt"), program=program).tracks
    )


def test_boxes_of_numpy_are_written(tmp_path):
    numpy = pytest.importorskip("numpy")
    box = Box(numpy.int64(1), numpy.int64(5), *numpy.array([1, 2, 3, 4], dtype=numpy.float32))
    for write in [formats.write_coco, formats.write_game_state, formats.write_cvat]:
        write(tmp_path / "file", READING, [box], VIDEO)
        assert "07" in (tmp_path / "file").read_text()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "coco.json"
    path.write_text("before")
    with pytest.raises(TypeError):
        formats.write_coco(path, READING, [Box(1, 5, object(), 0, 0, 0)], VIDEO)
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]

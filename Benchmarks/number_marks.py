#!/usr/bin/env python3
"""Where numbers are in real pictures, and what is lost by not finding and what by misreading them.

    number_marks.py measure JERSEY FOLDER [--weights FILE]
    number_marks.py sheets JERSEY FOLDER OUT [--count 160]

FOLDER holds SET/<number>/<track>/<sequence>/<frame>. `measure` reads every picture of
number_marks/marks.json by itself. A number is found if the square that is read holds at least 85% of
its marked box. `sheets` draws pictures with rulers and the finder's boxes, to mark more; the marks are
left, top, right and bottom in percent of the picture.
"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import tempfile

MARKS = pathlib.Path(__file__).with_suffix("") / "marks.json"
MARGIN = 1.3  # the side of the square that is read, by the longer side of the box


def predictions(jersey, paths, weights):
    """A prediction for each picture: files of one folder would be one sequence, so each gets a folder."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for index, path in enumerate(paths):
            (folder / f"{index:04}").mkdir()
            (folder / f"{index:04}" / path.name).symlink_to(path.resolve())
        out = folder / "out.jsonl"
        command = [jersey, "predict", *(f"{folder}/{i:04}" for i in range(len(paths))), "--output", out]
        subprocess.run(
            command + (["--weights", weights] if weights else []), stdout=subprocess.DEVNULL, check=True
        )
        return [json.loads(line) for line in out.read_text().splitlines()]


def held(mark, box):
    """The share of the marked box inside the square that is read."""
    side = max(box["width"], box["height"]) * MARGIN
    x, y = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
    across = min(mark[2], x + side / 2) - max(mark[0], x - side / 2)
    down = min(mark[3], y + side / 2) - max(mark[1], y - side / 2)
    return max(across, 0) * max(down, 0) / ((mark[2] - mark[0]) * (mark[3] - mark[1]))


def overlap(mark, box):
    across = min(mark[2], box["left"] + box["width"]) - max(mark[0], box["left"])
    down = min(mark[3], box["top"] + box["height"]) - max(mark[1], box["top"])
    both = max(across, 0) * max(down, 0)
    return both / ((mark[2] - mark[0]) * (mark[3] - mark[1]) + box["width"] * box["height"] - both)


def measure(arguments):
    from PIL import Image

    marks = json.loads(MARKS.read_text())
    root = pathlib.Path(arguments.folder)
    paths = [root / name for name in marks if (root / name).exists()]
    counts = collections.defaultdict(collections.Counter)
    overlaps = collections.defaultdict(list)
    for path, read in zip(paths, predictions(arguments.jersey, paths, arguments.weights), strict=True):
        name = path.relative_to(root).parts
        width, height = Image.open(path).size
        mark = [
            value * side / 100 for value, side in zip(marks["/".join(name)], (width, height) * 2, strict=True)
        ]
        box = read["frames"][0].get("box") if read["frames"] else None
        is_right = bool(read["top"]) and read["top"][0]["number"] == name[1]
        is_found = box is not None and held(mark, box) >= 0.85
        kind = "right" if is_right else "misread" if is_found else "not found"
        counts[name[0]][kind] += 1
        counts[name[0]]["found"] += is_found
        overlaps[name[0]].append(overlap(mark, box) if box else 0)
    print(f"{'set':28}{'pictures':>9}{'found':>8}{'overlap':>9}{'right':>8}{'misread':>9}{'not found':>11}")
    for name, count in sorted(counts.items()):
        n = len(overlaps[name])
        shares = [f"{count[kind] / n:.1%}" for kind in ("found", "right", "misread", "not found")]
        mean = sum(overlaps[name]) / n
        print(f"{name:28}{n:9}{shares[0]:>8}{mean:9.2f}{shares[1]:>8}{shares[2]:>9}{shares[3]:>11}")


def sheets(arguments):
    from PIL import Image, ImageDraw

    root = pathlib.Path(arguments.folder)
    generator = random.Random(7)
    found = sorted(
        p for p in root.glob("*/*/*/*/*.jpg") if not p.relative_to(root).parts[0].endswith("-none")
    )
    paths = generator.sample(found, min(arguments.count, len(found)))
    reads = predictions(arguments.jersey, paths, arguments.weights)
    tile, out = 300, pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(paths), 20):
        sheet = Image.new("RGB", (5 * tile, 4 * tile), "white")
        pen = ImageDraw.Draw(sheet)
        for place, (path, read) in enumerate(
            zip(paths[first : first + 20], reads[first : first + 20], strict=True)
        ):
            left, top = place % 5 * tile + 26, place // 5 * tile + 14
            picture = Image.open(path).convert("RGB")
            scale = min((tile - 40) / picture.width, (tile - 40) / picture.height)
            width, height = int(picture.width * scale), int(picture.height * scale)
            sheet.paste(picture.resize((width, height), Image.BICUBIC), (left, top))
            for tick in range(0, 101, 10):
                x, y = left + width * tick / 100, top + height * tick / 100
                pen.line([x, top - 4, x, top + height], fill=(110, 110, 110))
                pen.line([left - 4, y, left + width, y], fill=(110, 110, 110))
                pen.text((left - 24, y - 5), str(tick), fill="blue")
            box = read["frames"][0].get("box") if read["frames"] else None
            if box:
                corners = [box["left"], box["top"], box["left"] + box["width"], box["top"] + box["height"]]
                pen.rectangle(
                    [value * scale + (left, top)[i % 2] for i, value in enumerate(corners)], outline="red"
                )
            pen.text((left, top + height + 2), "/".join(path.relative_to(root).parts)[:44], fill="black")
        sheet.save(out / f"{first // 20:02}.png")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    for name, run in [("measure", measure), ("sheets", sheets)]:
        command = commands.add_parser(name)
        command.add_argument("jersey")
        command.add_argument("folder")
        if name == "sheets":
            command.add_argument("out")
            command.add_argument("--count", type=int, default=160)
        command.add_argument("--weights")
        command.set_defaults(run=run)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()

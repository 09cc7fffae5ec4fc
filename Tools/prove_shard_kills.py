#!/usr/bin/env python3
"""Kills shards of a manifest at random moments and starts them again. The merged results must equal the
undisturbed ones, byte for byte.

    Tools/prove_shard_kills.py [--jersey .build/release/jersey] [--kills 50] [--seed 1] [--shards 3]

The manifest has folders, pictures, members of an archive, folders with broken frames, and items that are
not there. Needs only the standard library. Prints one line per kill, and the reason if it fails.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

from harness.data import number_crops, sequence_folders
from harness.programs import Parser


def write_manifest(
    jersey: pathlib.Path, work: pathlib.Path, count: int, chance: random.Random
) -> pathlib.Path:
    folders = sequence_folders(number_crops(jersey, work / "crops", "0-29", frames=3))
    archive = work / "crops.tar"
    with tarfile.open(archive, "w") as tar:
        for place, folder in enumerate(folders):
            tar.add(folder, f"{place}")
    broken = work / "broken"
    broken.mkdir()
    (broken / "1.jpg").write_text("no picture")
    shutil.copy(next(folders[0].glob("*.jpg")), broken / "2.jpg")

    def item(number: int) -> dict:
        kind = chance.random()
        folder = chance.choice(folders)
        if kind < 0.6:
            return {"path": str(folder), "id": number}
        if kind < 0.7:
            return {"path": str(next(folder.glob("*.jpg")))}
        if kind < 0.9:
            return {"path": f"{archive}#{chance.randrange(len(folders))}"}
        return {"path": str(broken if kind < 0.95 else work / f"missing-{number}")}

    manifest = work / "list.jsonl"
    manifest.write_text("".join(json.dumps(item(number)) + "\n" for number in range(count)))
    return manifest


def main() -> int:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--items", type=int, default=3000)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    work = pathlib.Path(tempfile.mkdtemp(prefix="jersey-shards-"))
    environment = os.environ | {"TMPDIR": str(work)}

    def command(shard: int, out: pathlib.Path) -> list:
        place = f"{shard}/{options.shards}"
        return [
            options.jersey,
            "predict",
            "--manifest",
            manifest,
            "--shard",
            place,
            "--out",
            out,
            "--threads",
            "1",
        ]

    def merged(out: pathlib.Path) -> bytes:
        done = subprocess.run([options.jersey, "merge", out], capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        extra = sorted(file.name for file in out.iterdir() if not file.name.startswith("part-"))
        assert extra == ["shards.json"] and not list(out.glob("*.partial")), f"files are left: {extra}"
        return done.stdout

    try:
        manifest = write_manifest(options.jersey, work, options.items, chance)
        start = time.monotonic()
        for shard in range(1, options.shards + 1):
            subprocess.run(
                command(shard, work / "whole"), check=True, stderr=subprocess.DEVNULL, env=environment
            )
        each = (time.monotonic() - start) / options.shards
        whole = merged(work / "whole")
        print(f"undisturbed: {each:.1f} s a shard, {len(whole.splitlines())} lines of results")

        kills, rounds, resumed = 0, 0, 0
        out = work / "killed"
        left = list(range(1, options.shards + 1))
        while kills < options.kills or left:
            if not left:
                assert merged(out) == whole, "the merged results differ"
                rounds += 1
                shutil.rmtree(out)
                left = list(range(1, options.shards + 1))
            shard = chance.choice(left)
            process = subprocess.Popen(
                command(shard, out), stderr=subprocess.PIPE, text=True, env=environment
            )
            # From the first instruction to the end: also within writes, and around the rename.
            moment = chance.uniform(0, each * 1.1) if kills < options.kills else None
            try:
                error = process.communicate(timeout=moment)[1]
                assert process.returncode == 0, f"failed after {kills} kills: {error}"
                left.remove(shard)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                error = process.communicate()[1]
                kills += 1
                print(f"kill {kills:2} of shard {shard} after {moment:.2f} s", flush=True)
            resumed += "goes on with item" in error
        assert merged(out) == whole, "the merged results differ"
        print(
            f"{kills} kills, {rounds + 1} times all shards, {resumed} starts that went on in the middle: "
            f"the merged results are the same {len(whole)} bytes; no other file is left"
        )
        return 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

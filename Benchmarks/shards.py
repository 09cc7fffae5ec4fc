#!/usr/bin/env python3
"""Measures what a million tracklets take: the rate of one shard, the bookkeeping of a long manifest, and the
merge; and computes time and cost for all of them.

    Benchmarks/shards.py [--price DOLLARS] [--items 1000000] [--shards 1000] [--frames 16]

`--price` is that of an hour of a machine like this one. The manifest names rendered number crops again and
again. Only one shard of it is read; for the merge its results stand for those of all others. That needs
disk space for twice the results of all items, 4 KB each or so.
"""

import argparse
import json
import os
import pathlib
import tempfile

from harness.data import number_crops, sequence_folders
from harness.processes import Measured, exit_with, measured
from harness.programs import Parser


def write_manifest(path: pathlib.Path, folders: list[pathlib.Path], count: int) -> pathlib.Path:
    with path.open("w") as file:
        for number in range(count):
            file.write(
                json.dumps({"path": str(folders[number % len(folders)]), "id": f"track-{number}"}) + "\n"
            )
    return path


class Shards:
    def __init__(self, options: argparse.Namespace, work: pathlib.Path):
        self.options = options
        self.work = work

    def read(self, manifest: pathlib.Path, shard: str, out: str) -> Measured:
        return measured(
            [
                self.options.jersey,
                "predict",
                "--manifest",
                manifest,
                "--shard",
                shard,
                "--out",
                self.work / out,
            ]
        )

    def fill(self, part: pathlib.Path) -> None:
        """Writes the other parts: the same results, with other items."""
        lines = part.read_bytes().splitlines(keepends=True)
        heads = [line.index(b",") for line in lines]
        items, shards = self.options.items, self.options.shards
        for shard in range(2, shards + 1):
            first, end = (shard - 1) * items // shards + 1, shard * items // shards + 1
            name = f"part-{shard:05}-of-{shards:05}.jsonl"
            with (part.parent / name).open("wb") as file:
                for item in range(first, end):
                    place = (item - first) % len(lines)
                    file.write(b'{"item":%d' % item + lines[place][heads[place] :])


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--price", type=float, help="of an hour of this machine")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--csv", action="store_true", help="merge to CSV, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        shards = Shards(options, work)
        folders = sequence_folders(
            number_crops(options.jersey, work / "crops", "0-99", frames=options.frames)
        )
        manifest = write_manifest(work / "list.jsonl", folders, options.items)
        size = os.path.getsize(manifest) / 2**20

        # The same ten tracklets, as a manifest of their own and as a shard of the long one.
        few = write_manifest(work / "few.jsonl", folders, 10)
        short = shards.read(few, "1/1", "few")
        last = f"{options.items // 10}/{options.items // 10}"
        long = shards.read(manifest, last, "long")
        print(f"manifest of {options.items} items, {size:.0f} MiB; ten of them, start included:")
        print(f"  as a manifest of their own  {short.seconds:6.2f} s  {short.peak / 2**20:5.0f} MiB")
        print(f"  as the last shard {last:>9} {long.seconds:6.2f} s  {long.peak / 2**20:5.0f} MiB")

        done = shards.read(manifest, f"1/{options.shards}", "results")
        count = options.items // options.shards
        rate = count / done.seconds
        print(
            f"shard 1/{options.shards}: {count} tracklets of {options.frames} frames, {done.seconds:.1f} s, "
            f"{rate:.1f} a second, start included; peak {done.peak / 2**20:.0f} MiB"
        )
        hours = options.items / rate / 3600
        cost = (
            f", {hours * options.price:.2f} at {options.price} an hour" if options.price is not None else ""
        )
        print(f"{options.items} tracklets: {hours:.2f} hours of this machine{cost}")

        part = next((work / "results").glob("part-*.jsonl"))
        shards.fill(part)
        for ending in ["jsonl"] + (["csv"] if options.csv else []):
            merged = work / f"all.{ending}"
            done = measured([options.jersey, "merge", work / "results", "--output", merged])
            print(
                f"merge to {ending}: {done.seconds:.1f} s, peak {done.peak / 2**20:.0f} MiB, "
                f"{os.path.getsize(merged) / 2**20:.0f} MiB"
            )
            merged.unlink()


if __name__ == "__main__":
    exit_with(main)

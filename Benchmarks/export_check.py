#!/usr/bin/env python3
"""Exports every model in every format, reads the files with other libraries, and compares their outputs
with jersey's.

    swift build -c release && Benchmarks/export_check.py

Covers batches of 1, 2 and 7 sequences, every length from 1 to 16, mixed lengths within a batch, and
noise after the end of shorter sequences. Tests models with random weights, in which every weight
matters, and the bundled model. peers/setup.sh creates the peers' environment; JERSEY_PYTHON names
another.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from harness.environment import peers_python
from harness.programs import PEERS, Parser

FORMATS = {
    "safetensors": ".safetensors",
    "float16": ".16.safetensors",
    "pth": ".pth",
    "torchscript": ".pt",
    "onnx": ".onnx",
}


def main():
    parser = Parser(__doc__)
    parser.add_bin("jersey", "jersey-bench")
    parser.add_argument("--models", help="names, separated by commas (default: all, and 'bundled')")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    python = peers_python()
    names = options.models.split(",") if options.models else [*models(options.bin), "bundled"]
    failed = False
    for index, name in enumerate(names):
        with tempfile.TemporaryDirectory() as folder:
            export(options, name, pathlib.Path(folder))
            model = "evidence_tied" if name == "bundled" else name
            command = [python, PEERS / "exports.py", folder, model, "--title", name]
            failed |= subprocess.run(command + ([] if index else ["--header"])).returncode != 0
    print("failed" if failed else "all agree")
    sys.exit(failed)


def models(binaries):
    run = subprocess.run([binaries / "jersey", "models", "--json"], check=True, capture_output=True)
    return [row["name"] for row in json.loads(run.stdout)]


def export(options, name, folder):
    """Writes weights, reference.safetensors, an export in each format, and half/ with float16's reference."""
    reference = [options.bin / "jersey-bench", "reference", "--model", name, "--seed", str(options.seed)]
    subprocess.run([*reference, "--out", folder], check=True)
    for form, ending in FORMATS.items():
        kind = ["safetensors", "--float16"] if form == "float16" else [form]
        command = [options.bin / "jersey", "export", "--format", *kind]
        command += ["--weights", folder / "weights.safetensors", "--out", folder / f"model{ending}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    # Rounding changes the weights, so float16 has its own reference.
    halved = ["--weights", folder / f"model{FORMATS['float16']}", "--out", folder / "half"]
    subprocess.run(reference + halved, check=True)


if __name__ == "__main__":
    main()

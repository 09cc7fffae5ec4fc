#!/usr/bin/env python3
"""Exports every model in every format, reads the files as others would, and compares what they answer with what jersey answers.

    swift build -c release && Benchmarks/export_check.py

Batches of 1, 2 and 7 sequences, every length from 1 to 16, different ones within a batch, noise past the end of the shorter ones. Models with drawn
weights, in which every weight matters, and the bundled one. The peers' environment is made by peers/setup.sh, or named by JERSEY_PYTHON.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FORMATS = {"safetensors": ".safetensors", "float16": ".16.safetensors", "pth": ".pth", "torchscript": ".pt", "onnx": ".onnx"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=HERE.parent / ".build/release", help="where jersey and jersey-bench are")
    parser.add_argument("--models", help="names with commas; all and 'bundled' where not given")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    python = os.environ.get("JERSEY_PYTHON") or subprocess.run(
        [HERE / "peers/setup.sh"], check=True, capture_output=True, text=True).stdout.strip()
    names = options.models.split(",") if options.models else models(options.bin) + ["bundled"]
    failed = False
    for index, name in enumerate(names):
        with tempfile.TemporaryDirectory() as folder:
            export(options, name, pathlib.Path(folder))
            command = [python, HERE / "peers/exports.py", folder, "evidence_tied" if name == "bundled" else name, "--title", name]
            failed |= subprocess.run(command + ([] if index else ["--header"])).returncode != 0
    print("failed" if failed else "all agree")
    sys.exit(failed)


def models(binaries):
    import json

    run = subprocess.run([binaries / "jersey", "models", "--json"], check=True, capture_output=True)
    return [row["name"] for row in json.loads(run.stdout)]


def export(options, name, folder):
    """Weights and reference.safetensors, an export in each format, and in half/ the reference for those with half the bits."""
    reference = [options.bin / "jersey-bench", "reference", "--model", name, "--seed", str(options.seed)]
    subprocess.run(reference + ["--out", folder], check=True)
    for form, ending in FORMATS.items():
        kind = ["safetensors", "--float16"] if form == "float16" else [form]
        command = [options.bin / "jersey", "export", "--weights", folder / "weights.safetensors", "--out", folder / f"model{ending}"]
        subprocess.run(command + ["--format", *kind], check=True, stdout=subprocess.DEVNULL)
    # What rounding the weights changes is not the reader's doing.
    subprocess.run(reference + ["--weights", folder / f"model{FORMATS['float16']}", "--out", folder / "half"], check=True)


if __name__ == "__main__":
    main()

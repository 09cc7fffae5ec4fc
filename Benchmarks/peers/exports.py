"""Reads the exports of one model, as written by export_check.py, and prints how far their outputs are from
jersey's, as a row of a table.

Each figure is the largest difference of a logit or weight over all batches, relative to the largest
value. Exits with 1 if a figure is too large.
"""

import argparse
import pathlib
import sys
import warnings

import numpy
import onnx
import onnxruntime
import openvino
import torch
import zoo
from safetensors import safe_open
from safetensors.torch import load_file

warnings.filterwarnings("ignore")
LIMIT = 1e-4


def batches(folder):
    """Returns a list of (inputs, expected), both dictionaries."""
    found = {}
    for key, tensor in load_file(folder / "reference.safetensors").items():
        index, name = key.split(".")
        found.setdefault(int(index), {})[name] = tensor
    return [
        (
            {k: v for k, v in batch.items() if k in ("frames", "lengths")},
            {k: v for k, v in batch.items() if k not in ("frames", "lengths")},
        )
        for _, batch in sorted(found.items())
    ]


def study(model):
    """Wraps the study's network, which takes normalised frames and returns two tensors."""

    def run(inputs):
        tens, ones = model(
            zoo.normalized(inputs["frames"]), *([inputs["lengths"]] if "lengths" in inputs else [])
        )
        return {"tens": tens, "ones": ones}

    return run


def pth(name, folder):
    model = zoo.load(name, folder / "model.pth")
    return study(model) if model else None


def safetensors(ending):
    def prepare(name, folder):
        model = zoo.load(name, folder / "model.pth")
        if model is None:
            return None
        inner = model.network if isinstance(model, zoo.Evidence) else model
        inner.load_state_dict(load_file(folder / f"model{ending}"))
        with safe_open(folder / f"model{ending}", "pt") as file:
            assert "jersey" in file.metadata()
        return study(model)

    return prepare


def torchscript(name, folder):
    extra = {"jersey": ""}
    model = torch.jit.load(folder / "model.pt", _extra_files=extra)
    assert name.encode() in extra["jersey"]
    return lambda inputs: model(**inputs)


def onnx_runtime(name, folder):
    onnx.checker.check_model(folder / "model.onnx", full_check=True)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    assert name in session.get_modelmeta().custom_metadata_map["jersey"]
    names = [output.name for output in session.get_outputs()]

    def run(inputs):
        results = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        return dict(zip(names, results, strict=True))

    return run


def open_vino(name, folder):
    model = openvino.Core().compile_model(folder / "model.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    names = [output.any_name for output in model.outputs]

    def run(inputs):
        results = model({k: v.numpy() for k, v in inputs.items()})
        return {name: results[name] for name in names}

    return run


# The reader, the reference, and the outputs to compare: the study's networks do not return
# attention.
DIGITS, ALL = ["tens", "ones"], ["tens", "ones", "attention"]
READERS = {
    "safetensors": (safetensors(".safetensors"), ".", DIGITS),
    "float16": (safetensors(".16.safetensors"), "half", DIGITS),
    "pth": (pth, ".", DIGITS),
    "torch.jit": (torchscript, ".", ALL),
    "ONNX Runtime": (onnx_runtime, ".", ALL),
    "OpenVINO": (open_vino, ".", ALL),
}


def difference(run, data, names):
    worst = 0
    for inputs, expected in data:
        answer = run(inputs)
        for name, wanted in expected.items():
            if name not in names:
                continue
            got = numpy.asarray(answer[name])
            assert got.shape == tuple(wanted.shape), f"{name} is {got.shape}, not {tuple(wanted.shape)}"
            error = numpy.abs(got - wanted.numpy()).max() / numpy.abs(wanted.numpy()).max()
            worst = max(worst, float("inf") if numpy.isnan(error) else error)
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("name")
    parser.add_argument("--title")
    parser.add_argument("--header", action="store_true")
    options = parser.parse_args()
    if options.header:
        print("| | batches | " + " | ".join(READERS) + " |")
        print("|---" * (len(READERS) + 2) + "|")
    data = {part: batches(options.folder / part) for part in (".", "half")}
    count, cells, failed = len(data["."]), [], False
    with torch.inference_mode():
        for reader, (prepare, part, names) in READERS.items():
            try:
                run = prepare(options.name, options.folder)
                error = difference(run, data[part], names) if run else None
            except Exception as problem:
                print(f"{options.title}, {reader}: {problem}", file=sys.stderr)
                error = float("inf")
            failed |= error is not None and not error <= LIMIT
            cells.append("-" if error is None else f"{error:.0e}")
    print(f"| `{options.title or options.name}` | {count} | " + " | ".join(cells) + " |", flush=True)
    sys.exit(failed)


main()

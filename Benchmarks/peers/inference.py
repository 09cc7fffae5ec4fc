"""Times forward passes of one model in one of Python's forms.

Prints a line with its logits. Then for each line of standard input, it makes `--passes` passes and
prints their seconds as JSON. With `--random FILE` it only writes random weights for all contestants.
With `--lengths FILE` a pass reads sequences of these lengths, `--batch` at a time, each batch padded to
its longest sequence.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time
from functools import partial

import bundled
import numpy
import torch
import zoo
from forms import FORMS


class Whole(zoo.Sequence):
    """Sequences without padding. Nothing needs packing, which suits compilers and exporters best."""

    def forward(self, frames):  # (B, T, 3, H, W)
        features = self.encoder.backbone(frames.flatten(0, 1)).view(*frames.shape[:2], -1)
        states, last = getattr(self, self.recurrent)(features)
        if self.pooling == "mean":
            pooled = states.mean(1)
        else:
            query = self.attn_query(torch.cat([last[0], last[1]], dim=1)).unsqueeze(1)
            scores = torch.bmm(query, self.attn_key(states).transpose(1, 2)) / self.attn_key.out_features**0.5
            pooled = torch.bmm(scores.softmax(dim=2), states).squeeze(1)
        return self.fc_tens(pooled), self.fc_ones(pooled)


class Single(zoo.Single):
    def forward(self, frames):
        return super().forward(frames[:, 0])


class Evidence(bundled.Model):
    """The bundled model."""

    def forward(self, frames):
        batch, time = frames.shape[:2]
        tens, ones, readable = super().forward(frames.flatten(0, 1))
        return tuple((logs * readable).view(batch, time, -1).sum(1) for logs in (tens, ones))


MODELS = {
    "attn_bgru_luong": Whole,
    "seq_bgru_mp": Whole,
    "basic_r18": Single,
    "evidence_tied": lambda _: Evidence(),
}


def load(path):
    if path.endswith(".safetensors"):
        return bundled.weights(pathlib.Path(path))
    return torch.load(path, weights_only=True)["model_state"]


def onnx_file(model, frames, any_length):
    path = tempfile.mkdtemp() + "/model.onnx"
    torch.onnx.export(
        model,
        (frames,),
        path,
        input_names=["frames"],
        output_names=["tens", "ones"],
        dynamo=False,
        dynamic_axes={"frames": {0: "batch", 1: "length"}} if any_length else None,
    )
    return path


def int8_file(path, values):
    """Adds quantisers around convolutions, as ONNX Runtime makes them and OpenVINO accepts them: weights
    per channel, activations calibrated on the frames themselves."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Frames(CalibrationDataReader):
        def __init__(self):
            self.rest = [values]

        def get_next(self):
            return self.rest.pop() if self.rest else None

    prepared, target = path + ".prepared.onnx", path + ".int8.onnx"
    quant_pre_process(path, prepared)
    quantize_static(
        prepared,
        target,
        Frames(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", "Add", "MaxPool"],
    )
    return target


def prepared_on_gpu(form, model, frames):
    """Returns a function that makes one pass and waits for it."""
    if form != "eager":
        model = model.half().to(memory_format=torch.channels_last)
        frames = frames.half().permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)

    def run():
        return model(frames)

    if form == "graph":
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            for _ in range(3):
                run()
        side.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = run()

        def run():
            graph.replay()
            return results

    if form.startswith("inductor"):
        import torch._inductor.config as config

        config.freezing = True
        compiled = torch.compile(
            model, mode="max-autotune" if form.endswith("autotune") else "reduce-overhead"
        )

        def run():
            return compiled(frames)

    def finished():
        results = run()
        torch.cuda.synchronize()
        return results

    return finished


def prepared(form, model, frames, threads, lengths):
    """Returns a function that makes one pass and returns its results."""
    size = frames.shape[0]
    groups = [lengths[start : start + size] for start in range(0, len(lengths), size)] or [
        [frames.shape[1]] * size
    ]
    order = [(len(group), max(group)) for group in groups]
    pieces = {(b, n): frames[:b, :n].contiguous() for b, n in order}
    if form.startswith(("onnxruntime", "openvino")):
        path = onnx_file(model, frames, bool(lengths))
        if form.endswith("int8"):
            path = int8_file(path, {"frames": frames.numpy()})
        infer = loaded(form, path, threads)
        passes = {n: partial(infer, {"frames": piece.numpy()}) for n, piece in pieces.items()}
    else:
        passes = {n: compiled(form, model, piece) for n, piece in pieces.items()}

    def run():
        for n in order:
            result = passes[n]()
        return result

    return run


def compiled(form, model, frames):
    """Returns a function that makes one pass in PyTorch."""
    if form == "eager":
        return lambda: model(frames)
    if form == "channels-last":
        model = model.to(memory_format=torch.channels_last)
        # (B, T, 3, H, W) with channels last in memory.
        rows = frames.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
        return lambda: model(rows)
    if form.startswith("inductor"):
        import torch._inductor.config as config

        config.freezing = True
        faster = torch.compile(model)
        half = form.endswith("bf16")

        def run():
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                return faster(frames)

        return run
    raise ValueError(form)


def loaded(form, path, threads):
    """Returns a function of the inputs."""
    if form.startswith("onnxruntime"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda values: session.run(["tens", "ones"], values)
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if form.endswith("bf16") else "f32",
    }
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()

    def infer(values):
        result = request.infer(values, share_inputs=True, share_outputs=True)
        return result["tens"], result["ones"]

    return infer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="attn_bgru_luong")
    parser.add_argument("--random", help="write random weights to this file and exit")
    parser.add_argument("--weights")
    parser.add_argument("--input", help="uint8 (T, height, width, 3)")
    parser.add_argument("--device", choices=FORMS, default="cpu")
    parser.add_argument("--lengths", help="JSON file with a list; on the CPU only")
    parser.add_argument("--form", default="eager", help="one of the device's forms")
    for name, value in [
        ("threads", 2),
        ("frames", 16),
        ("height", 192),
        ("width", 96),
        ("batch", 1),
        ("passes", 10),
        ("warmup", 10),
    ]:
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    model = MODELS[options.model](options.model).eval()
    if options.random:
        return torch.save({"model_state": model.state_dict()}, options.random)
    missing = model.load_state_dict(load(options.weights), strict=False)
    assert not missing.unexpected_keys and all("num_batches" in key for key in missing.missing_keys), missing
    pixels = numpy.fromfile(options.input, numpy.uint8).reshape(
        options.frames, options.height, options.width, 3
    )
    frames = zoo.normalized(torch.from_numpy(pixels))
    frames = frames.unsqueeze(0).expand(options.batch, -1, -1, -1, -1).contiguous().to(options.device)
    model = model.to(options.device)
    torch.backends.cudnn.benchmark = True
    lengths = (
        [int(length) for length in json.loads(pathlib.Path(options.lengths).read_text())]
        if options.lengths
        else []
    )

    # Libraries may print, so keep standard output for the figures.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with torch.inference_mode() if not options.form.startswith("inductor") else torch.no_grad():
        run = (
            prepared_on_gpu(options.form, model, frames)
            if options.device == "cuda"
            else prepared(options.form, model, frames, options.threads, lengths)
        )
        for _ in range(options.warmup):
            run()
        tens, ones = (torch.as_tensor(value)[0].float().tolist() for value in run())
        print(json.dumps({"logits": tens + ones}), file=out, flush=True)
        for _ in sys.stdin:
            seconds = []
            for _ in range(options.passes):
                start = time.perf_counter()
                run()
                seconds.append(time.perf_counter() - start)
            print(json.dumps({"seconds": seconds}), file=out, flush=True)


main()

"""Forward passes of one `attn_bgru_luong` sequence in one of the ways that Python offers.

After a line with its logits, it makes `--passes` passes for each line of its standard input, and prints their seconds as JSON.
"""

import argparse
import json
import os
import sys
import tempfile
import time

import numpy
import torch
from study import MEAN, STD, LuongModel
from torch import nn

FORMS = ["eager", "channels-last", "inductor", "inductor-bf16", "onnxruntime", "openvino", "openvino-bf16"]


class Whole(nn.Module):
    """Sequences without padding, so that nothing needs packing: what compilers and exporters understand best."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, frames):  # (B, T, 3, H, W)
        model, (batch, time) = self.model, frames.shape[:2]
        features = model.encoder(frames.flatten(0, 1)).view(batch, time, -1)
        states, last = model.gru(features)
        query = model.attn_query(torch.cat([last[0], last[1]], dim=1)).unsqueeze(1)
        scores = torch.bmm(query, model.attn_key(states).transpose(1, 2)) / model.attn_key.out_features**0.5
        pooled = torch.bmm(scores.softmax(dim=2), states).squeeze(1)
        return model.fc_tens(pooled), model.fc_ones(pooled)


def load(path):
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file

        return load_file(path)
    return torch.load(path, weights_only=True)["model_state"]


def onnx_file(model, frames):
    path = tempfile.mkdtemp() + "/model.onnx"
    torch.onnx.export(model, (frames,), path, input_names=["frames"], output_names=["tens", "ones"], dynamo=False)
    return path


def prepared(form, model, frames, threads):
    """A function without arguments that makes one pass."""
    if form == "eager":
        return lambda: model(frames)
    if form == "channels-last":
        model = model.to(memory_format=torch.channels_last)
        # (B, T, 3, H, W) with the colours last in memory.
        rows = frames.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
        return lambda: model(rows)
    if form.startswith("inductor"):
        import torch._inductor.config as config

        config.freezing = True
        compiled = torch.compile(model)
        half = form.endswith("bf16")

        def run():
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                return compiled(frames)

        return run
    path = onnx_file(model, frames)
    values = {"frames": frames.numpy()}
    if form == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda: session.run(["tens", "ones"], values)
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if form.endswith("bf16") else "f32",
    }
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()

    def infer():
        result = request.infer(values, share_inputs=True, share_outputs=True)
        return result["tens"], result["ones"]

    return infer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--input", required=True, help="uint8 (T, height, width, 3)")
    parser.add_argument("--form", choices=FORMS, default="eager")
    for name, value in [("threads", 2), ("frames", 16), ("height", 192), ("width", 96), ("batch", 1), ("passes", 10), ("warmup", 10)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    study = LuongModel()
    study.load_state_dict(load(options.weights))
    model = Whole(study).eval()
    pixels = numpy.fromfile(options.input, numpy.uint8).reshape(options.frames, options.height, options.width, 3)
    frames = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - MEAN) / STD
    frames = frames.unsqueeze(0).expand(options.batch, -1, -1, -1, -1).contiguous()

    # What libraries print goes elsewhere: the output is for figures.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with torch.inference_mode() if not options.form.startswith("inductor") else torch.no_grad():
        run = prepared(options.form, model, frames, options.threads)
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

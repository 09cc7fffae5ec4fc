"""The forms in which peers/inference.py runs a model, by device. Benchmarks/inference.py uses the list."""

FORMS = {
    "cpu": [
        "eager",
        "channels-last",
        "inductor",
        "inductor-bf16",
        "onnxruntime",
        "onnxruntime-int8",
        "openvino",
        "openvino-bf16",
        "openvino-int8",
    ],
    # All but the first run in half precision, channels last.
    "cuda": ["eager", "float16", "graph", "inductor", "inductor-autotune"],
}

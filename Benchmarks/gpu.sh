#!/usr/bin/env bash
# Checks and measures a GPU in a quarter of an hour: whether the bundled model's answers match the
# processor's, its latency beside PyTorch's best form (goal: at most 0.7 of it), and the service.
#
#   Benchmarks/gpu.sh [BIN]     folder with jersey and jersey-bench, built where libtorch has CUDA (default: .build/release)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin=${1:-.build/release}
jersey=$bin/jersey
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$jersey" doctor | tee "$work/doctor"
if grep -qE '^GPU +none' "$work/doctor"; then
    echo 'gpu: error: jersey found no GPU; see `jersey doctor`' >&2
    exit 1
fi

printf '\n## Answers: the processor in float32, the GPU in each precision\n\n'
"$jersey" synthesize --out "$work/crops" --framing number --numbers 0-99 --tracks 4 --sequences 1 --frames 8 --seed 98
for form in 'cpu float32' 'cuda float32' 'cuda bfloat16' 'cuda float16'; do
    read -r device precision <<< "$form"
    echo "$form: $("$jersey" evaluate --data "$work/crops" --split all --device "$device" --precision "$precision" --outcomes "$work/$device-$precision.jsonl" | head -1)"
done
python3 - "$work" <<'PYTHON'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
read = {file.stem: {row["sequence"]: row["prediction"] for row in map(json.loads, file.open())} for file in folder.glob("*.jsonl")}
first = read.pop("cpu-float32")
for name, answers in sorted(read.items()):
    print(f"{name}: {sum(answers[key] != value for key, value in first.items())} of {len(first)} numbers differ from the processor's")
PYTHON

printf '\n## Latency beside PyTorch\n\n'
for model in evidence_tied attn_bgru_luong; do
    Benchmarks/inference.py --bin "$bin" --model "$model" --device cuda --rounds 7 --passes 50
done

printf '\n## The service\n\n'
for precision in float32 float16; do
    echo "$precision:"
    Benchmarks/serve_load.py throughput latency --jersey "$jersey" --device cuda --precision "$precision" --batch-size 64
done

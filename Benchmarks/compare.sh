#!/usr/bin/env bash
# Compares forward passes in jersey, PyTorch, ONNX Runtime and OpenVINO: the same weights and
# frames, in turns, four models, batches of 1 and 8. Takes about half an hour on two cores.
#
#   Benchmarks/compare.sh [OPTION...]     options of Benchmarks/inference.py, such as --only openvino, --device cuda, --rounds 9
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift build -c release --product jersey-bench
for model in attn_bgru_luong seq_bgru_mp basic_r18 evidence_tied; do
    for batch in 1 8; do
        # Turns take about half a second, because each contestant first has to get the cores back.
        case $model-$batch in
            basic_r18-1 | evidence_tied-1) passes=20 ;;
            *_bgru_*-8) passes=2 ;;
            *) passes=5 ;;
        esac
        printf '\n## %s, batches of %s\n\n' "$model" "$batch"
        Benchmarks/inference.py --model "$model" --batch "$batch" --rounds 7 --passes "$passes" "$@"
    done
done

#!/usr/bin/env bash
# Trains a sequence model on real number crops in two stages, from scratch, and measures it on
# unseen clips.
#
#   Benchmarks/real_data.sh DATA [OUT]
#
# DATA is in the `folders` format. Its tracks are numbered so that neighbours come from one clip;
# blocks of a hundred ids stay together.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jersey=${JERSEY:-$root/.build/release/jersey}
data=${1:?name the data set, as in real_data.sh DATA}
out=${2:-$root/runs/real-data}
settings=$root/Benchmarks/real-data

"$jersey" train --config "$settings/frames.yaml" --data "$data" --run "$out/frames" --resume
"$jersey" train --config "$settings/sequences.yaml" --pretrained "$out/frames/best.safetensors" --data "$data" \
    --run "$out/sequences" --resume
"$jersey" evaluate --weights "$out/sequences/best.safetensors" --data "$data"

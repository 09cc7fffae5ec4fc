#!/usr/bin/env bash
# Training from scratch: renders sequences of numbered shirts, trains a model of the study on them,
# evaluates it, and reads unseen sequences. Takes a few minutes on two cores; run `make build`
# first. Each run starts from scratch.
#
#   Tools/training_demo.sh [FOLDER]    folder for the results (default: demo/training/)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
demo=${1:-$root/demo/training}
jersey=${JERSEY:-$(cd "$root" && swift build -c release --show-bin-path)/jersey}
numbers=7,10,23,48,99

say() { printf '\ndemo: %s\n' "$*"; }

[ -x "$jersey" ] || { echo "demo: '$jersey' does not exist; run \`make build\`" >&2; exit 1; }
# Remove only files from an earlier demo, nothing else in that folder.
rm -rf "$demo/data" "$demo/new" "$demo/frames" "$demo/run" "$demo/predictions.csv" "$demo/predictions.png"
mkdir -p "$demo"

settings=(--data "$demo/data" --size 48x48 --seed 1 --cache 200 --rate 1e-3 --scheduler onecycle
    --set augmentation.zoom=0.1 --set augmentation.shift=0.05 --set augmentation.frameJitter=true)

say "1 of 6: rendering sequences of players with the numbers $numbers"
"$jersey" synthesize --difficulty easy --framing number --out "$demo/data" --numbers "$numbers" --tracks 120 --sequences 1 --frames 4-6 --seed 1

say "2 of 6: training a single-frame model on them (a minute or two)"
"$jersey" train --model basic_r18 --run "$demo/frames" --epochs 16 --batch-size 16 "${settings[@]}"

say "3 of 6: training a sequence model that starts from it (about a minute)"
"$jersey" train --model attn_bgru_luong --run "$demo/run" --epochs 4 --batch-size 8 "${settings[@]}" \
    --pretrained "$demo/frames/best.safetensors" --rates discriminative --set optimizer.temporalRate=1e-3 \
    --set optimizer.headRate=1e-3

say "4 of 6: evaluating it on the test sequences"
"$jersey" evaluate --weights "$demo/run/best.safetensors" --data "$demo/data"

say "5 of 6: rendering new sequences with another seed"
"$jersey" synthesize --difficulty easy --framing number --out "$demo/new" --numbers "$numbers" --tracks 2 --sequences 1 --frames 8 --seed 2

say "6 of 6: reading their numbers"
"$jersey" predict --weights "$demo/run/best.safetensors" "$demo/new" --sheet "$demo/predictions.png"
"$jersey" predict --weights "$demo/run/best.safetensors" "$demo/new" --format csv --output "$demo/predictions.csv"

say "done. Results:
    $demo/data                    the training sequences
    $demo/frames, $demo/run       the training runs: configuration, metrics, results
    $demo/run/best.safetensors    the model, in one file
    $demo/new                     the new sequences, in folders named by the true number
    $demo/predictions.csv         the numbers that the model read
    $demo/predictions.png         the same as an image: frames, their weights, and the number read"

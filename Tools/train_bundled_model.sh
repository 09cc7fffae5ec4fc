#!/usr/bin/env bash
# Makes the bundled model from scratch: renders number crops, whole players, and torsos; trains
# on all (Tools/bundled-model.yaml); and calibrates on other rendered sequences. Takes a quarter of an hour with a GPU and 16 cores, about three hours on two cores, and
# 4 GB of disk. Copy the result to Sources/CBundledModel/bundled.safetensors.
#
#   Tools/train_bundled_model.sh [FOLDER]    working folder (default: bundled/); existing results are kept
#   WORKERS=8                                threads for decoding and augmentation (default: 1)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${1:-$root/bundled}
jersey=${JERSEY:-$(cd "$root" && swift build -c release --show-bin-path)/jersey}
# Single-digit numbers are as frequent as in play, numbers from 40 less so, and 00...09 are rare: a
# blurred 14 that could be a 74 should be read as 14.
numbers=0-9:4,00-09:0.5,10-39,40-99:0.4

[ -x "$jersey" ] || { echo "'$jersey' does not exist; run \`make build\`" >&2; exit 1; }
mkdir -p "$work"

# render NAME SEED NUMBER-TRACKS PLAYER-TRACKS TORSO-TRACKS FRAMES UNREADABLE: renders number crops;
# whole players, in tracks named body0000 and so on; and torsos, in tracks named torso0000 and so on.
render() {
    [ ! -e "$work/$1" ] || return 0
    rm -rf "$work/$1.part" "$work/$1.players"
    local options=(--numbers "$numbers" --seed "$2" --sequences 1 --frames "$6" --unreadable "$7" ${THREADS:+--threads "$THREADS"})
    "$jersey" synthesize --out "$work/$1.part" --framing number --tracks "$3" "${options[@]}"
    local framing tracks
    for framing in "body $4" "torso $5"; do
        read -r framing tracks <<< "$framing"
        [ "$tracks" -gt 0 ] || continue
        "$jersey" synthesize --out "$work/$1.players" --framing "$framing" --tracks "$tracks" "${options[@]}"
        for track in "$work/$1.players"/*/*; do
            mv "$track" "$work/$1.part/$(basename "$(dirname "$track")")/$framing$(basename "$track")"
        done
        rm -rf "$work/$1.players"
    done
    mv "$work/$1.part" "$work/$1"
}

render train 1 850 200 400 2 0.08
numbers=0-9:4,00-09:0.5,10-99
render other 2 8 4 0 3-16 0.15

if [ ! -e "$work/run/result.json" ]; then
    "$jersey" train --config "$root/Tools/bundled-model.yaml" --data "$work/train" --run "$work/run" --workers "${WORKERS:-1}" --resume
fi
"$jersey" calibrate --weights "$work/run/best.safetensors" --data "$work/other" --target 0.98 --out "$work/bundled.safetensors"
"$jersey" evaluate --weights "$work/bundled.safetensors" --data "$work/other" --split all

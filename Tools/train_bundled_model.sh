#!/usr/bin/env bash
# Makes the bundled model from nothing: renders number crops and whole players, trains on them (Tools/bundled-model.yaml), and measures
# on other rendered sequences how far its confidences can be trusted and when it should not answer. An hour or two on two cores, about
# 2 GB of disk. What it leaves is to be copied to Sources/CBundledModel/bundled.safetensors.
#
#   Tools/train_bundled_model.sh [FOLDER]    where everything goes (default: bundled/); what is there already is not made again
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${1:-$root/bundled}
jersey=${JERSEY:-$(cd "$root" && swift build -c release --show-bin-path)/jersey}
# Numbers of one digit are as frequent as on a pitch, and 00...09 are rare.
numbers=0-9:4,00-09:0.5,10-99

[ -x "$jersey" ] || { echo "'$jersey' is not there: run \`make build\`" >&2; exit 1; }
mkdir -p "$work"

# render NAME SEED NUMBER-TRACKS PLAYER-TRACKS FRAMES UNREADABLE: number crops, and whole players, whose tracks are named p0000 and so on.
render() {
    [ ! -e "$work/$1" ] || return 0
    rm -rf "$work/$1.part" "$work/$1.players"
    "$jersey" synthesize --out "$work/$1.part" --framing number --numbers "$numbers" --seed "$2" --tracks "$3" --sequences 1 \
        --frames "$5" --unreadable "$6" ${THREADS:+--threads "$THREADS"}
    "$jersey" synthesize --out "$work/$1.players" --framing body --height 70-220 --numbers "$numbers" --seed "$2" --tracks "$4" \
        --sequences 1 --frames "$5" --unreadable "$6" ${THREADS:+--threads "$THREADS"}
    for track in "$work/$1.players"/*/*; do
        mv "$track" "$work/$1.part/$(basename "$(dirname "$track")")/p$(basename "$track")"
    done
    rm -rf "$work/$1.players"
    mv "$work/$1.part" "$work/$1"
}

render train 1 350 60 3 0.08
render other 2 8 4 3-16 0.15

if [ ! -e "$work/run/result.json" ]; then
    "$jersey" train --config "$root/Tools/bundled-model.yaml" --data "$work/train" --run "$work/run" --resume
fi
"$jersey" calibrate --weights "$work/run/best.safetensors" --data "$work/other" --target 0.98 --out "$work/bundled.safetensors"
"$jersey" evaluate --weights "$work/bundled.safetensors" --data "$work/other" --split all

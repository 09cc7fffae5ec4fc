#!/usr/bin/env bash
# Makes the bundled model from nothing: renders number crops, whole players and glances at them, trains on all (Tools/bundled-model.yaml),
# and measures on other rendered sequences how far its confidences can be trusted and when it should not answer. With a GPU and 16 cores
# a quarter of an hour, on two cores some three hours; about 4 GB of disk. What it leaves is to be copied to Sources/CBundledModel/bundled.safetensors.
#
#   Tools/train_bundled_model.sh [FOLDER]    where everything goes (default: bundled/); what is there already is not made again
#   WORKERS=8                                threads that decode and augment (default: 1)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${1:-$root/bundled}
jersey=${JERSEY:-$(cd "$root" && swift build -c release --show-bin-path)/jersey}
# Numbers of one digit are as frequent as on a pitch, those from 40 on less, and 00...09 are rare: where a blurred 14 looks like a 74, it
# is a 14.
numbers=0-9:4,00-09:0.5,10-39,40-99:0.4

[ -x "$jersey" ] || { echo "'$jersey' is not there: run \`make build\`" >&2; exit 1; }
mkdir -p "$work"

# render NAME SEED NUMBER-TRACKS PLAYER-TRACKS GLANCE-TRACKS FRAMES UNREADABLE: number crops; whole players, whose tracks are named body0000
# and so on; and what is cut out of such players, glance0000 and so on.
render() {
    [ ! -e "$work/$1" ] || return 0
    rm -rf "$work/$1.part" "$work/$1.players"
    local options=(--numbers "$numbers" --seed "$2" --sequences 1 --frames "$6" --unreadable "$7" ${THREADS:+--threads "$THREADS"})
    "$jersey" synthesize --out "$work/$1.part" --framing number --tracks "$3" "${options[@]}"
    local framing tracks
    for framing in "body $4" "glance $5"; do
        read -r framing tracks <<< "$framing"
        [ "$tracks" -gt 0 ] || continue
        "$jersey" synthesize --out "$work/$1.players" --framing "$framing" --height 70-220 --tracks "$tracks" "${options[@]}"
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

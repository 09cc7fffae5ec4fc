#!/usr/bin/env bash
# Makes the bundled model from scratch: renders number crops, whole players, and crops of them
# around located numbers; trains on all (Tools/bundled-model.yaml); and calibrates on other rendered
# sequences. Takes a quarter of an hour with a GPU and 16 cores, about three hours on two cores, and
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

# add NAME PREFIX OPTIONS: renders tracks into the data NAME, with PREFIX before their names.
add() {
    local track
    "$jersey" synthesize --out "$work/$1.tracks" "${@:3}" ${THREADS:+--threads "$THREADS"}
    for track in "$work/$1.tracks"/*/*; do
        mkdir -p "$work/$1/$(basename "$(dirname "$track")")"
        mv "$track" "$work/$1/$(basename "$(dirname "$track")")/$2$(basename "$track")"
    done
    rm -rf "$work/$1.tracks"
}

# render NAME SEED NUMBER-TRACKS PLAYER-TRACKS GLANCE-TRACKS LONG-TRACKS FRAMES UNREADABLE: renders
# number crops; whole players, in tracks named body0000 and so on; crops of players around located
# numbers, in tracks named glance0000 and so on; and number crops in tracks of four sequences, named
# long0000 and so on.
render() {
    [ ! -e "$work/$1" ] || return 0
    rm -rf "$work/$1.part" "$work/$1.part.tracks"
    local options=(--numbers "$numbers" --seed "$2" --frames "$7" --unreadable "$8")
    add "$1.part" "" --framing number --tracks "$3" --sequences 1 "${options[@]}"
    [ "$4" -eq 0 ] || add "$1.part" body --framing body --height 70-220 --tracks "$4" --sequences 1 "${options[@]}"
    [ "$5" -eq 0 ] || add "$1.part" glance --framing glance --height 70-220 --tracks "$5" --sequences 1 "${options[@]}"
    [ "$6" -eq 0 ] || add "$1.part" long --framing number --tracks "$6" --sequences 4 "${options[@]}"
    mv "$work/$1.part" "$work/$1"
}

render train 1 850 200 400 0 2 0.08
numbers=0-9:4,00-09:0.5,10-99
render other 2 8 4 0 1 3-16 0.15

if [ ! -e "$work/run/result.json" ]; then
    "$jersey" train --config "$root/Tools/bundled-model.yaml" --data "$work/train" --run "$work/run" --workers "${WORKERS:-1}" --resume
fi
"$jersey" calibrate --weights "$work/run/best.safetensors" --data "$work/other" --target 0.98 --out "$work/bundled.safetensors"
"$jersey" evaluate --weights "$work/bundled.safetensors" --data "$work/other" --split all --reliability "$work/reliability.svg"

#!/usr/bin/env bash
# Makes the bundled model from scratch: renders number crops, whole players and torsos; trains the
# finder of numbers and the reader on them (Tools/bundled-model.yaml); and calibrates on other
# rendered sequences. Takes some four hours on two cores and 4 GB of disk. Stop it at any time: the
# same command goes on. Copy the result to Sources/CBundledModel/bundled.safetensors.
#
#   Tools/train_bundled_model.sh [FOLDER]    working folder (default: bundled/); existing results are kept
#   WORKERS=8                                threads for decoding and augmentation (default: 1)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${1:-$root/bundled}
jersey=${JERSEY:-$(cd "$root" && swift build -c release --show-bin-path)/jersey}
# Single-digit numbers are as frequent as in play, numbers from 40 less so, and 00...09 are rare: a
# blurred 14 that could be a 74 should be read as 14.
numbers=0-9:4,00-09:0.5,10-39,40-99:0.6
# libtorch's threads wait for each other many times a frame. Asleep they leave the cores to others.
export OMP_WAIT_POLICY=passive

[ -x "$jersey" ] || { echo "'$jersey' does not exist; run \`make build\`" >&2; exit 1; }
mkdir -p "$work"

# add NAME PREFIX OPTIONS: renders tracks into the data NAME, with PREFIX before their names.
add() {
    local folder
    "$jersey" synthesize --out "$work/$1.tracks" --overwrite "${@:3}" ${THREADS:+--threads "$THREADS"}
    for folder in "$work/$1.tracks"/*/; do
        mkdir -p "$work/$1/$(basename "$folder")"
        (cd "$folder" && for track in *; do mv "$track" "$work/$1/$(basename "$folder")/$2$track"; done)
    done
    rm -rf "$work/$1.tracks"
}

# render NAME SEED NUMBER-TRACKS PLAYER-TRACKS TORSO-TRACKS LONG-TRACKS FRAMES UNREADABLE: renders
# number crops, whole players and torsos, in tracks named number0000, body0000 and torso0000 and so
# on; and number crops in tracks of four sequences, named long0000 and so on.
render() {
    [ ! -e "$work/$1.done" ] || return 0
    rm -rf "${work:?}/$1"
    local options=(--numbers "$numbers" --seed "$2" --frames "$7" --unreadable "$8")
    add "$1" number --framing number --tracks "$3" --sequences 1 "${options[@]}"
    add "$1" body --framing body --tracks "$4" --sequences 1 "${options[@]}"
    add "$1" torso --framing torso --tracks "$5" --sequences 1 "${options[@]}"
    [ "$6" = 0 ] || add "$1" long --framing number --tracks "$6" --sequences 4 "${options[@]}"
    touch "$work/$1.done"
}

render train 1 420 180 140 0 2 0.12
numbers=0-9:4,00-09:0.5,10-99
render other 2 6 3 3 1 3-16 0.15

[ -e "$work/finder.done" ] || { "$jersey" train-finder --data "$work/train" --run "$work/finder" && touch "$work/finder.done"; }
if [ ! -e "$work/run/result.json" ]; then
    "$jersey" train --config "$root/Tools/bundled-model.yaml" --data "$work/train" --finder "$work/finder/finder.safetensors" \
        --run "$work/run" --workers "${WORKERS:-1}" --resume
fi
"$jersey" calibrate --weights "$work/run/best.safetensors" --data "$work/other" --target 0.98 --out "$work/bundled.safetensors"
"$jersey" evaluate --weights "$work/bundled.safetensors" --data "$work/other" --split all --reliability "$work/reliability.svg"

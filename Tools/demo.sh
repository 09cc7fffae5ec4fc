#!/usr/bin/env bash
# The main use in one command: renders twelve seconds of a match with the boxes of a perfect tracker,
# and reads the numbers with the bundled model. `make demo` builds first. Each run starts
# from scratch.
#
#   Tools/demo.sh [FOLDER]    folder for the results (default: demo/)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
demo=${1:-$root/demo}
jersey=${JERSEY:-$(cd "$root" && swift build -c release --show-bin-path)/jersey}

say() { printf '\ndemo: %s\n' "$*"; }

[ -x "$jersey" ] || { echo "demo: '$jersey' does not exist; run \`make demo\`, which builds it" >&2; exit 1; }
# Remove only files from an earlier demo, nothing else in that folder.
rm -f "$demo"/{match.mp4,match.txt,match.json,read.mp4,read.html,read.json}
mkdir -p "$demo"

say "1 of 2: rendering twelve seconds of a match"
"$jersey" synthesize --out "$demo/match.mp4" --match 12 --seed 3

say "2 of 2: reading their numbers"
start=$SECONDS
"$jersey" predict "$demo/match.mp4" --boxes "$demo/match.txt" --video "$demo/read.mp4" --sheet "$demo/read.html" \
    --format json --output "$demo/read.json"
"$jersey" predict "$demo/match.mp4" --boxes "$demo/match.txt"

say "done, in $((SECONDS - start)) s. Results:
    $demo/match.mp4    the video; match.txt has the boxes of all people,
                       match.json the numbers they wear
    $demo/read.mp4     the video with the numbers that were read
    $demo/read.html    the deciding frames, as a web page
    $demo/read.json    the same as JSON

Next, try your own: a folder of player or number crops, with a folder per player
    $jersey predict FOLDER
or a video with a tracker's boxes (docs/guides/predict.md)
    $jersey predict VIDEO --boxes BOXES --video read.mp4"

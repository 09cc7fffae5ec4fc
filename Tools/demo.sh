#!/usr/bin/env bash
# The main job, in one command: renders ten seconds of film with three players and the boxes that a tracker would find, and reads their
# numbers with the bundled model. `make demo` builds first. Every run starts afresh.
#
#   Tools/demo.sh [FOLDER]    where the results go (default: demo/)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
demo=${1:-$root/demo}
jersey=${JERSEY:-$(cd "$root" && swift build -c release --show-bin-path)/jersey}

say() { printf '\ndemo: %s\n' "$*"; }

[ -x "$jersey" ] || { echo "demo: '$jersey' is not there: run \`make demo\`, which builds it" >&2; exit 1; }
# Only what an earlier demo left is removed, and nothing else that may lie in that folder.
rm -f "$demo"/{match.mp4,match.txt,read.mp4,read.html,read.json}
mkdir -p "$demo"

say "1 of 2: rendering ten seconds of film with the players 7, 23 and 48"
"$jersey" synthesize --out "$demo/match.mp4" --numbers 7,23,48 --frames 250 --seed 3

say "2 of 2: reading their numbers"
start=$SECONDS
"$jersey" predict "$demo/match.mp4" --boxes "$demo/match.txt" --video "$demo/read.mp4" --sheet "$demo/read.html" \
    --format json --output "$demo/read.json"
"$jersey" predict "$demo/match.mp4" --boxes "$demo/match.txt"

say "done, in $((SECONDS - start)) s. It left:
    $demo/match.mp4    the film, and in match.txt the boxes of its players
    $demo/read.mp4     the film with what was read
    $demo/read.html    the frames that decided, a page for a browser
    $demo/read.json    the same for programs

Next, your own: a folder of player or number crops, one folder for each player
    $jersey predict FOLDER
or a video with the boxes of a tracker (docs/guides/predict.md)
    $jersey predict VIDEO --boxes BOXES --video read.mp4"

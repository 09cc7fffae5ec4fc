#!/usr/bin/env bash
# The main use in one command: renders twelve seconds of a match, and finds and reads its players with
# the models in the program. `make demo` builds first. Each run starts from scratch.
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

say "2 of 2: finding the players, following them and reading their numbers"
start=$SECONDS
"$jersey" predict "$demo/match.mp4" --video "$demo/read.mp4" --sheet "$demo/read.html"

say "done, in $((SECONDS - start)) s. Results:
    $demo/match.mp4    the video; match.json has the numbers that are worn,
                       match.txt the true boxes of all people
    $demo/read.mp4     the video with the players that were found
    $demo/read.html    who was seen when, and the best views, as a web page

Next, try your own: a video
    $jersey predict VIDEO --video read.mp4
or a folder of player or number crops, with a folder per player
    $jersey predict FOLDER"

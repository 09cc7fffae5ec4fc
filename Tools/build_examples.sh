#!/usr/bin/env bash
# Builds and runs the packages in Examples/ as a user does, with jersey from a URL: a clone of this
# repository. Commit first.
#
#   Tools/build_examples.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "examples: $*"; }

# Always the same folder, because SwiftPM keeps a copy of every repository that it has seen.
work=$PWD/.build/examples
example=$work/jersey/Examples/ReadFolder
rm -rf "$work"
mkdir -p "$work"

# Depend on a release, not a branch: only for releases does SwiftPM refuse unsafe flags.
git clone --quiet . "$work/jersey"
git -C "$work/jersey" tag --force 1.0.0 > /dev/null
sed -i 's/branch: "main"/exact: "1.0.0"/' "$example/Package.swift"
url=$(sed -n 's/.*url: "\(.*\)", exact: "1.0.0".*/\1/p' "$example/Package.swift")

in_example() { # command of swift, arguments...
    local command=$1
    shift
    swift "$command" --package-path "$example" --security-path "$work/security" "$@"
}

say "ReadFolder: building, with what it needs of jersey (minutes)"
in_example package config set-mirror --original "$url" --mirror "file://$work/jersey"
in_example build --quiet

say "ReadFolder: reading"
swift build --quiet --product jersey
jersey=$(swift build --show-bin-path)/jersey
"$jersey" synthesize --out "$work/new" --framing number --numbers 7,23,99 --tracks 1 --sequences 1 --frames 4 --difficulty easy --seed 3 > /dev/null
"$jersey" predict "$work/new" --format csv | awk -F, 'NR > 1 { print $1, $3 == "" ? "unreadable" : $3 }' > "$work/expected"
in_example run --skip-build ReadFolder "$work/new" | tee "$work/found"
cmp "$work/expected" "$work/found" || { say "error: \`jersey predict\` gives other answers:" >&2; cat "$work/expected" >&2; exit 1; }

say "ReadStream: reading the frames of one player"
in_example run --skip-build ReadStream "$work"/new/23/*/*/*.jpg | tee "$work/stream"
tail -n 1 "$work/stream" | grep -q '^4 23 ' || { say "error: the stream does not end with 4 frames of 23" >&2; exit 1; }

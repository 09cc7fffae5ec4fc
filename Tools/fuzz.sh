#!/usr/bin/env bash
# Feeds the readers of files from outside with what libFuzzer makes of good files, under the address sanitizer; or measures what they cost.
#
#   Tools/fuzz.sh [SECONDS] [READER...]     seconds for each reader (default: 600); all readers where none is named
#   Tools/fuzz.sh cost [READER...]          reads the worst files that we could make, each in a process of its own: processor time and
#                                           memory have to stay below a + b × bytes (Tools/fuzzing/cost)
#
# Readers: see Tools/fuzzing/readers.
#
# Ends with status 1 at the first input on which a reader traps, overruns memory, takes more than half a minute of a processor (or ten
# minutes of time) or 4 GiB; the input stays in .build-fuzz/READER/. What was found interesting stays there, too, and is where the next time begins.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-600}
shift || true
readers=("$@")
folder=$PWD/.build-fuzz

if [ "$seconds" = cost ]; then
    # With what is built already: CONFIGURATION=debug takes the tests' build.
    configuration=${CONFIGURATION:-release}
    JERSEY_FUZZ=1 swift build -c "$configuration" --product jersey-cost
    python3 Tools/fuzzing/seeds.py "$folder"
    exec ".build/$configuration/jersey-cost" "$folder/worst" "${readers[@]}"
fi
if [ ${#readers[@]} -eq 0 ]; then
    readers=(safetensors pth card image archive video boxes roster splits soccernet config experiment outcomes result metrics progress
        body infer head packet)
fi

echo "fuzz: building with libFuzzer and the address sanitizer"
JERSEY_FUZZ=1 swift build -c release --product jersey-fuzz --scratch-path "$folder" --sanitize address -Xswiftc -sanitize=fuzzer \
    -Xcc -fsanitize=fuzzer-no-link -Xcxx -fsanitize=fuzzer-no-link -Xswiftc -use-ld=lld

python3 Tools/fuzzing/seeds.py "$folder"

for reader in "${readers[@]}"; do
    echo "fuzz: $reader for $seconds s"
    # libtorch is not compiled for the sanitizer; what it does with containers that cross its border is not for it to judge.
    (
        mkdir -p "$folder/$reader/corpus"
        cd "$folder/$reader"
        JERSEY_FUZZ=$reader ASAN_OPTIONS=detect_container_overflow=0:detect_odr_violation=0:alloc_dealloc_mismatch=0:detect_leaks=0 \
            "$folder/release/jersey-fuzz" corpus -max_total_time="$seconds" -timeout=600 -rss_limit_mb=4096 -max_len=65536 \
            -print_final_stats=1 -artifact_prefix=found- > log 2>&1
    ) || { tail -n 40 "$folder/$reader/log"; echo "fuzz: $reader failed; $(ls "$folder/$reader"/found-* 2> /dev/null | tail -n 1)" >&2; exit 1; }
    grep -E "cov:|exec/s" "$folder/$reader/log" | tail -n 1
done

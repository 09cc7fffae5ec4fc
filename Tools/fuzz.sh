#!/usr/bin/env bash
# Fuzzes the readers of untrusted files with libFuzzer, from valid files, under the address
# sanitizer; or measures their cost.
#
#   Tools/fuzz.sh [SECONDS] [READER...]     seconds per reader (default: 600; all readers)
#   Tools/fuzz.sh cost [READER...]          reads the worst files we could make, each in its own process: CPU time and memory
#                                           must stay below a + b × bytes (Tools/fuzzing/cost)
#
# Tools/fuzzing/readers has the readers.
#
# Exits with status 1 at the first input on which a reader traps, overruns memory, or takes more
# than 30 s of CPU time, ten minutes, or 4 GiB. The input stays in .build-fuzz/READER/. Interesting
# inputs stay there as well, and the next run starts from them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-600}
shift || true
readers=("$@")
folder=$PWD/.build-fuzz

if [ "$seconds" = cost ]; then
    # Uses existing builds: CONFIGURATION=debug uses the tests'.
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
    # libtorch is not compiled for the sanitizer, which therefore cannot judge containers that cross
    # the border.
    (
        mkdir -p "$folder/$reader/corpus"
        cd "$folder/$reader"
        JERSEY_FUZZ=$reader ASAN_OPTIONS=detect_container_overflow=0:detect_odr_violation=0:alloc_dealloc_mismatch=0:detect_leaks=0 \
            "$folder/release/jersey-fuzz" corpus -max_total_time="$seconds" -timeout=600 -rss_limit_mb=4096 -max_len=65536 \
            -print_final_stats=1 -artifact_prefix=found- > log 2>&1
    ) || { tail -n 40 "$folder/$reader/log"; echo "fuzz: $reader failed; $(ls "$folder/$reader"/found-* 2> /dev/null | tail -n 1)" >&2; exit 1; }
    grep -E "cov:|exec/s" "$folder/$reader/log" | tail -n 1
done

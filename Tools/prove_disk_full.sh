#!/usr/bin/env bash
# Trains on a disk that is too small, then on the same disk made larger. The first run must end with
# the system's reason and lose nothing; the second must resume. Needs Linux and root (mounts a small
# tmpfs in its own namespace).
#
#   Tools/prove_disk_full.sh [JERSEY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jersey=$(realpath "${1:-$root/.build/release/jersey}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$jersey" synthesize --out "$work/data" --numbers 4,48 --tracks 5 --frames 3 > /dev/null
mkdir "$work/disk"
export jersey work
unshare --mount bash -euo pipefail -c '
    mount -t tmpfs -o size=30m tmpfs "$work/disk"
    train() {
        "$jersey" train --model attn_ugru_gate --encoder mobilenet_v3_small --data "$work/data" --run "$work/disk/run" \
            --size 48x24 --epochs 3 --batch-size 4 --set training.saveEverySteps=1 --resume
    }
    status=0
    train 2> "$work/log" || status=$?
    tail -n 1 "$work/log"
    [ "$status" = 1 ] || { echo "expected exit status 1, got $status"; exit 1; }
    grep -q "No space left on device" "$work/log" || { echo "the message lacks the reason"; exit 1; }
    [ -z "$(find "$work/disk" -name "*.partial")" ] || { echo "a partial file remains"; exit 1; }
    mount -o remount,size=200m "$work/disk"
    train 2>&1 | tail -n 1
'
echo "the full disk was reported, no partial file remained, and the run resumed once there was space"

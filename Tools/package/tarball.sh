#!/usr/bin/env bash
# Builds dist/jersey-VERSION-linux-ARCHITECTURE.tar.xz: one folder that runs wherever it lies, libtorch inside.
#
#   Tools/package/tarball.sh        after `make build`
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

name=jersey-$version-linux-$(uname -m)
RPATH='$ORIGIN/lib' "$root/Tools/package/stage.sh" "$work/$name" torch swift system
cp "$root/README.md" "$root/CHANGELOG.md" "$work/$name/"
tar --create --directory "$work" --owner 0 --group 0 --numeric-owner --sort name \
    --use-compress-program 'xz -T0 -1' --file "$work/$name.tar.xz" "$name"
mv "$work/$name.tar.xz" "$dist/"
done_with "$dist/$name.tar.xz"

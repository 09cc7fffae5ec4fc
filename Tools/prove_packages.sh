#!/usr/bin/env bash
# Installs each package of dist/ in a fresh Debian root and reads with it as a user who is not root. Nothing of
# this system is in that root: neither Swift, nor FFmpeg, nor Python's packages.
#
#   Tools/prove_packages.sh [wheel] [tarball] [deb]     as root; all three by default
#
# It needs debootstrap, ffmpeg and the network (Debian's packages, and torch for the wheel). The roots are removed
# at the end; a base is kept in ${ROOTS:-$TMPDIR/jersey-roots}/base, so that the next run is quick.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/package/common.sh"
trap - EXIT
rmdir "$work"

[ "$(id -u)" = 0 ] || { echo "prove: error: needs root, for chroot" >&2; exit 1; }
# Mounts within the roots are gone when this ends.
[ "${PROVE_INSIDE:-}" = 1 ] || PROVE_INSIDE=1 exec unshare -m "$0" "$@"

roots=${ROOTS:-${TMPDIR:-/tmp}/jersey-roots}
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mkdir -p "$roots"
if [ ! -e "$roots/base/.complete" ]; then
    echo "prove: making a $suite root"
    rm -rf "$roots/base"
    debootstrap --variant=minbase "$suite" "$roots/base" > "$roots/debootstrap.log" 2>&1 || { tail -n 3 "$roots/debootstrap.log" >&2; exit 1; }
    touch "$roots/base/.complete"
fi
media=$roots/media
rm -rf "$media"
mkdir "$media"
jersey=${JERSEY:-$root/.build/release/jersey}
"$jersey" synthesize --out "$media/crops" --difficulty easy --framing number --numbers 7,23 --tracks 1 --sequences 1 --frames 4 --seed 1
"$jersey" synthesize --out "$media/match.mp4" --numbers 7,23,48 --frames 100 --seed 3 > /dev/null
"$jersey" predict "$media/match.mp4" --boxes "$media/match.txt" --format csv > "$media/expected.csv"
chmod -R a+rX "$media"

inside() { # root, command
    local there=$1
    shift
    chroot "$there" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
        ${http_proxy:+http_proxy=$http_proxy} ${https_proxy:+https_proxy=$https_proxy} ${PIP_INDEX_URL:+PIP_INDEX_URL=$PIP_INDEX_URL} \
        /bin/sh -ec "$*"
}

# What is read as a user; the answers must be those of the program that was packed.
read_as_user() { # root, program
    # The table's path differs, nothing else: reading is the same on one machine.
    inside "$1" "su tester -s /bin/sh -c 'cd /media && $2 --version && $2 predict crops && $2 predict match.mp4 --boxes match.txt \
        --format csv --output /tmp/read.csv && $2 predict match.mp4 --boxes match.txt --video /tmp/read.mp4 > /dev/null'"
    cut -d, -f1-4 "$1/tmp/read.csv" | cmp - <(cut -d, -f1-4 "$media/expected.csv")
    ffprobe -v error "$1/tmp/read.mp4"
}

prove() { # kind
    local there=$roots/$1 start=$SECONDS file
    echo "prove: $1"
    rm -rf --one-file-system "$there"
    cp -a "$roots/base" "$there"
    mount --bind /proc "$there/proc"
    mount --bind /dev "$there/dev"
    mkdir -p "$there/media"
    cp -r "$media"/. "$there/media/"
    cp /etc/resolv.conf "$there/etc/" 2> /dev/null || true
    inside "$there" "useradd -m tester"
    case $1 in
    deb)
        file=$(ls -t "$dist"/jersey_*.deb | head -n 1)
        cp "$file" "$there/media/jersey.deb"
        inside "$there" "apt-get update -qq; apt-get install -y -qq --no-install-recommends /media/jersey.deb > /media/apt.log 2>&1" ||
            { tail -n 5 "$there/media/apt.log" >&2; exit 1; }
        read_as_user "$there" jersey
        inside "$there" "apt-get remove -y -qq jersey > /dev/null 2>&1; ! test -e /usr/bin/jersey; ! test -e /usr/lib/jersey"
        ;;
    tarball)
        file=$(ls -t "$dist"/jersey-*.tar.xz | head -n 1)
        mkdir "$there/somewhere else"
        tar -xf "$file" -C "$there/somewhere else" --strip-components 1
        ln -s "/somewhere else/jersey" "$there/usr/bin/jersey"
        read_as_user "$there" jersey
        ;;
    wheel)
        file=$(ls -t "$dist"/jersey_reader-*.whl | head -n 1)
        cp "$file" ${TORCH_WHEEL:+"$TORCH_WHEEL"} "$there/media/"
        inside "$there" "apt-get update -qq; apt-get install -y -qq --no-install-recommends python3 python3-venv ca-certificates > /dev/null 2>&1"
        cp -L /etc/ssl/certs/ca-certificates.crt "$there/etc/ssl/certs/"
        # Without the rest of torch's packages torch cannot be imported, and need not be.
        inside "$there" "su tester -s /bin/sh -c 'cd && python3 -m venv v && v/bin/pip install -q --no-deps --find-links /media \
            torch==$torch_version.* /media/$(basename "$file")'"
        read_as_user "$there" /home/tester/v/bin/jersey
        inside "$there" "su tester -s /bin/sh -c 'cd /media && ~/v/bin/python -c \"
import pathlib, sys, jersey
pictures = [path.read_bytes() for path in sorted(pathlib.Path(\\\"crops/23\\\").rglob(\\\"*.jpg\\\"))]
print(jersey.read(pictures).number, jersey.find_program())
assert \\\"torch\\\" not in sys.modules\"'"
        ;;
    esac
    umount --lazy "$there/proc" "$there/dev"
    rm -rf --one-file-system "$there"
    echo "prove: $1 works ($((SECONDS - start)) s)"
}

if [ $# = 0 ]; then set -- wheel tarball deb; fi
for kind in "$@"; do prove "$kind"; done

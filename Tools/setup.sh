#!/usr/bin/env bash
# Puts in place what jersey is built with: Debian packages and libtorch. Quick when nothing is missing; safe to repeat or interrupt.
#
#   Tools/setup.sh            everything
#   Tools/setup.sh packages   the Debian packages only
#   Tools/setup.sh libtorch   libtorch only
#
# libtorch is, in this order:
#   LIBTORCH=FOLDER           a folder with include/ and lib/
#   LIBTORCH_USE_PYTORCH=1    the torch that `python3` imports
#   .torch/                   in this package; made here from the pip wheel of torch, which is kept outside the clone, so that the
#                             next clone only links to it: ${XDG_CACHE_HOME:-$HOME/.cache}/jersey/torch-VERSION
#
# JERSEY_TORCH_VERSION=X      another version of the wheel, as pip writes it
# JERSEY_TORCH_CUDA=0|1       without or with the libraries a GPU needs (default: 1 where a GPU is seen)
# PYTHON=PROGRAM              the Python whose pip downloads (default: python3)
set -euo pipefail

VERSION=${JERSEY_TORCH_VERSION:-2.13.0}
OLDEST=2.11
PACKAGES=(
    g++                     # the C++ headers and library that libtorch is compiled against
    make
    python3 python3-pip     # to download libtorch
    libjpeg62-turbo-dev libpng-dev libexif-dev                  # reading and writing images
    libavformat-dev libavcodec-dev libavutil-dev libswscale-dev # reading and writing videos
    libarchive-dev          # reading zip and tar files
    libcairo2-dev fonts-dejavu-core fonts-liberation            # rendering players
    fonts-aenigma fonts-bebas-neue fonts-league-spartan fonts-national-park fonts-open-sans fonts-opendin fonts-play
    fonts-roadgeek fonts-roboto-unhinted fonts-yanone-kaffeesatz            # digits such as shirts have
    libsqlite3-dev          # the table of runs of an experiment
    gnuplot-nox             # charts
)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/jersey
cd "$root"

say() { echo "setup: $*"; }
stop() { echo "setup: error: $*" >&2; exit 1; }

# ---- Debian packages ---------------------------------------------------------------------------------------------------------

install_packages() {
    if ! command -v dpkg-query > /dev/null; then
        say "not a Debian system: install the likes of these yourself: ${PACKAGES[*]}"
        return
    fi
    local installed missing=() package
    installed=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package} ' "${PACKAGES[@]}" 2> /dev/null | sed 's/ii  */ /g' || true) "
    for package in "${PACKAGES[@]}"; do
        [[ $installed == *" $package "* ]] || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "Debian packages: all ${#PACKAGES[@]} are there"
        return
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
            as_root=(sudo)
        else
            stop "these Debian packages are missing, and neither root nor sudo is at hand to install them. Have someone run:
    apt-get install ${missing[*]}"
        fi
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    say "Debian packages: installing ${missing[*]}"
    "${apt[@]}" update || say "the package lists could not be refreshed; going on with the ones there are"
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" < /dev/null > /dev/null ||
        stop "apt-get could not install: ${missing[*]}"
    say "Debian packages: done"
}

# ---- libtorch ----------------------------------------------------------------------------------------------------------------

python=${PYTHON:-python3}

has_gpu() {
    if [ -n "${JERSEY_TORCH_CUDA:-}" ]; then [ "$JERSEY_TORCH_CUDA" = 1 ]; return; fi
    [ -e /dev/nvidia0 ] || nvidia-smi -L > /dev/null 2>&1
}

# The version that the headers in a libtorch folder give.
version_of() {
    cat "$1"/include/torch/headeronly/version.h "$1"/include/torch/csrc/api/include/torch/version.h 2> /dev/null | awk '
        /^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+/ && !($2 in seen) { seen[$2]; version = version dot $3; dot = "." }
        END { print version }'
}

# Refuses a folder that jersey cannot be compiled with.
check_headers() { # folder, where it comes from
    [ -e "$1/include/ATen/ATen.h" ] || stop "$2 is '$1', but include/ATen/ATen.h is not in there"
    [ -e "$1/lib/libtorch_cpu.so" ] || stop "$2 is '$1', but lib/libtorch_cpu.so is not in there"
    local version
    version=$(version_of "$1")
    [ "$(printf '%s\n' "$OLDEST" "$version" | sort -V | head -n 1)" = "$OLDEST" ] ||
        stop "$2 is libtorch ${version:-of an unknown version} ('$1'); jersey needs $OLDEST or newer"
}

# Loads the library with every symbol bound, as a jersey process will.
check_loads() { # folder
    "$python" - "$1/lib/libtorch_cpu.so" << 'PYTHON'
import ctypes, sys
try:
    ctypes.CDLL(sys.argv[1])
except OSError as error:
    sys.exit(f"setup: error: libtorch does not load: {error}")
PYTHON
}

# What a wheel says it needs beside it, as arguments for pip: `all` that comes from NVIDIA, or what is needed to `load` only.
requirements_of() { # wheel, all|load
    "$python" - "$1" "$2" << 'PYTHON'
import re, sys, zipfile
wheel, extent = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
for line in wheel.read(metadata).decode().split("\n\n")[0].splitlines():
    match = re.match(r"Requires-Dist: ([\w.-]+)(?:\[([\w,-]+)\])?\s*([^;]*)", line)
    if not match or re.search(r"\bextra\b", line):
        continue
    name, parts, version = match.group(1), (match.group(2) or "").split(","), match.group(3).strip(" ()")
    if name == "cuda-toolkit":  # an empty package: its parts name the packages with the libraries
        parts = [part for part in parts if extent == "all" or part in ("cudart", "cupti")]
        parts.append("crt")  # small headers, which those of cudart include
        print(f"{name}[{','.join(parts)}]{version}")
    elif name.startswith("nvidia-" if extent == "all" else ("nvidia-cuda-runtime", "nvidia-cuda-cupti")):
        print(f"{name}{version}")
PYTHON
}

# Takes from wheels what is needed to compile and to run: no Python, no static libraries, no test libraries.
unpack() { # folder, wheels...
    "$python" - "$@" << 'PYTHON'
import os, re, sys, zipfile
target, wheels = sys.argv[1], sys.argv[2:]
wanted = re.compile(
    r"torch/include/.+|torch/lib/[^/]+\.so[^/]*|torch\.libs/.+|nvidia/.+/(lib|include)/.+"
    r"|[^/]+\.dist-info/(METADATA|.*(LICENSE|NOTICE|License)[^/]*)")
unwanted = re.compile(
    r".*\.(py|pyc|pyi|a|cmake)|.*/libtorch_python\.so|.*/libshm\.so|.*/lib[^/]*_test\.so|.*/libbackend_with_compiler\.so"
    r"|.*/libaoti_custom_ops\.so")
for path in wheels:
    with zipfile.ZipFile(path) as wheel:
        for member in wheel.infolist():
            name = member.filename
            if not member.is_dir() and wanted.fullmatch(name) and not unwanted.fullmatch(name):
                wheel.extract(member, target)
PYTHON
}

download() { # folder, what pip shall download...
    local folder=$1 quiet=(--quiet)
    shift
    [ -t 1 ] && quiet=()
    # pip's temporary files belong on the disk that was found to be big enough, and a second copy in pip's own cache on none.
    rm -rf "$folder/tmp"
    mkdir -p "$folder/tmp"
    TMPDIR="$folder/tmp" "$python" -m pip download --disable-pip-version-check --no-cache-dir --retries 4 "${quiet[@]}" \
        --dest "$folder" "$@" < /dev/null
}

need_space() { # folder, megabytes
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$2" ] || stop "libtorch needs $2 MB while it is unpacked, and '$1' has $free MB free. Free some, or set XDG_CACHE_HOME"
}

damaged() { # folder with downloads
    rm -rf "$1"
    stop "what was downloaded could not be read or unpacked, and was thrown away: run this again"
}

# Fills the cache with one version: download, unpack beside it, check, rename.
fetch() { # folder in the cache, all|load
    local folder=$1 extent=$2 downloads="$1.download" fresh="$1.new" wheel needs required=()
    "$python" -m pip --version > /dev/null 2>&1 || python=/usr/bin/python3
    "$python" -m pip --version > /dev/null 2>&1 || stop "no Python with pip found: install python3-pip, or set PYTHON"
    rm -rf "$fresh"
    mkdir -p "$downloads"
    if [ "$extent" = all ]; then need_space "$cache" 12000; else need_space "$cache" 3000; fi

    # pip checks what an interrupted set-up left in the folder, and does not fetch it again.
    # For a GPU `===` keeps to the plain version, which is the CUDA build; `==` also takes a smaller one such as X+cpu.
    # The Python of a wheel does not matter to libtorch: take another one when there is none for this Python.
    local exactly="==$VERSION"
    if [ "$extent" = all ]; then exactly="===$VERSION"; fi
    say "libtorch $VERSION: downloading the wheel (200 to 600 MB)"
    download "$downloads" --no-deps "torch$exactly" ||
        download "$downloads" --no-deps --only-binary=:all: --python-version 3.12 "torch$exactly" ||
        stop "pip could not download torch$exactly. Behind a proxy or a mirror, configure pip first; or set LIBTORCH to a libtorch
    that you have, JERSEY_TORCH_VERSION to another version ($OLDEST or newer), or JERSEY_TORCH_CUDA=0 to do without a GPU"
    wheel=$(compgen -G "$downloads/torch-*.whl" | head -n 1)

    needs=$(requirements_of "$wheel" "$extent") || damaged "$downloads"
    read -r -d '' -a required <<< "$needs" || true
    if [ ${#required[@]} -gt 0 ]; then
        if [ "$extent" = all ]; then
            say "libtorch $VERSION is a CUDA build: downloading the libraries that it runs on a GPU with (2 to 4 GB)"
        else
            say "libtorch $VERSION is a CUDA build: downloading the CUDA runtime and CUPTI, without which it does not load"
        fi
        download "$downloads" --only-binary=:all: "${required[@]}" || stop "pip could not download: ${required[*]}"
    fi

    say "libtorch $VERSION: unpacking into $folder"
    unpack "$fresh" "$downloads"/*.whl || damaged "$downloads"
    check_headers "$fresh/torch" "the wheel of torch $VERSION"
    check_loads "$fresh/torch"
    local build=${wheel##*/torch-}
    build=${build%%-*}
    if [ ${#required[@]} -gt 0 ]; then build="$build, CUDA"; fi
    echo "$VERSION $extent $build" > "$fresh/.complete"
    if [ -e "$folder" ]; then mv "$folder" "$folder.old"; fi
    mv "$fresh" "$folder"
    rm -rf "$folder.old" "$downloads"
}

# Whether the cached folder holds at least what was asked for. A CPU build never serves a GPU.
is_complete() { # folder, all|load
    local version extent
    read -r version extent _ 2> /dev/null < "$1/.complete" || return 1
    [ "$version" = "$VERSION" ] && { [ "$extent" = all ] || [ "$extent" = "$2" ]; }
}

describe() { # folder of the wheel
    cut -d' ' -f3- "$1/.complete"
}

# A libtorch of the user's own: checked, and linked to as .torch where there is none. Set-ups without environment variables take that.
use_own() { # folder, where it comes from
    check_headers "$1" "$2"
    check_loads "$1"
    say "libtorch: $(version_of "$1"), from $2 ('$1')"
    if [ ! -e .torch ]; then
        ln -sfn "$(cd "$1" && pwd)" .torch
        say "libtorch: .torch now points there, so $2 need not be set again"
    elif [ ! .torch -ef "$1" ]; then
        libtorch=$(cd "$1" && pwd)
        say "libtorch: .torch is another one; the next set-up for which $2 is not set goes back to it"
    fi
}

# Puts libtorch in place, and leaves in `libtorch` where.
install_libtorch() {
    libtorch=$root/.torch
    if [ -n "${LIBTORCH:-}" ]; then
        use_own "$LIBTORCH" LIBTORCH
        return
    elif [ "${LIBTORCH_USE_PYTORCH:-}" = 1 ]; then
        local found
        found=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))') ||
            stop "LIBTORCH_USE_PYTORCH is 1, but $python cannot import torch. Install it there, or unset the variable"
        use_own "$found" LIBTORCH_USE_PYTORCH
        return
    fi

    [[ $VERSION =~ ^[0-9]+(\.[0-9]+)+[0-9a-z.+]*$ ]] || stop "JERSEY_TORCH_VERSION is '$VERSION'; a version looks like 2.13.0"
    local folder=$cache/torch-$VERSION extent=load
    if has_gpu; then folder+=-cuda extent=all; fi

    if [ -d .torch ] && [ ! -L .torch ]; then
        rmdir .torch 2> /dev/null || { check_headers "$root/.torch" .torch; say "libtorch: $(version_of .torch), in .torch"; return; }
    elif [ -e .torch ] && [[ $(readlink .torch) != "$cache"/torch-* ]]; then
        check_headers "$(readlink -f .torch)" .torch
        say "libtorch: $(version_of .torch), in .torch -> $(readlink -f .torch)"
        return
    fi

    if ! is_complete "$folder" "$extent"; then
        mkdir -p "$cache"
        exec 9> "$folder.lock"
        flock -n 9 || { say "libtorch: another set-up is fetching it; waiting for that"; flock 9; }
        is_complete "$folder" "$extent" || fetch "$folder" "$extent"
        exec 9>&-
        rm -f "$folder.lock"
    fi
    if [ ! .torch -ef "$folder/torch" ]; then
        ln -s "$folder/torch" ".torch.$$"
        mv -T ".torch.$$" .torch
    fi
    say "libtorch: $(describe "$folder"), in .torch -> $folder/torch"
}

# ---- what SwiftPM is told of it ----------------------------------------------------------------------------------------------

# The folder with CUDA's headers, where libtorch is complete for a GPU: beside it, as wheels have them, or the system's.
cuda_headers() { # folder of libtorch
    local folder
    [ -e "$1/lib/libtorch_cuda.so" ] || return 0
    if grep -qs ' load ' "$1/../.complete"; then return 0; fi
    for folder in "$1/../nvidia/cu13/include" /usr/local/cuda/include; do
        if [ -e "$folder/nvrtc.h" ]; then echo "$folder"; return; fi
    done
}

# Writes standard input to a file. A file that holds it already is left alone, so that nothing is compiled anew.
write_file() { # file
    cat > "$1.$$"
    if cmp -s "$1.$$" "$1"; then rm "$1.$$"; else mv "$1.$$" "$1"; fi
}

# Writes a pkg-config file, and a header for the rest: SwiftPM takes -I, -L and -l from such a file, and no other flag.
describe_to_swiftpm() { # folder to write to, folder of libtorch
    local cuda
    cuda=$(cuda_headers "$2")
    mkdir -p "$1/include"
    write_file "$1/jersey-libtorch.pc" << EOF
Name: jersey-libtorch
Description: The libtorch that jersey is built with; \`make setup\` writes this file
Version: $(version_of "$2")
Cflags: -I\${pcfiledir}/include -I${2// /\\ }/include${cuda:+ -I${cuda// /\\ }}
Libs: -L${2// /\\ }/lib -ltorch_cpu -lc10${cuda:+ -ltorch_cuda -lc10_cuda}
EOF
    write_file "$1/include/jersey_libtorch.h" << EOF
// \`make setup\` writes this file.
#define JERSEY_LIBTORCH_LIBRARIES "$2/lib"${cuda:+
#define CT_CUDA}
EOF
}

# Writes the description that this clone is built with, and the user's, with which packages that depend on jersey are built.
configure_swiftpm() {
    local users=$cache/pkgconfig/jersey-libtorch.pc before
    before=$(cat "$users" 2> /dev/null || true)
    describe_to_swiftpm "$root/.pkgconfig" "$libtorch"
    describe_to_swiftpm "$cache/pkgconfig" "$(readlink -f "$libtorch")"
    [ "$before" = "$(cat "$users")" ] || say "libtorch: packages that depend on jersey are built with it, too ($users)"
    if [[ $root == *" "* && $cache == *" "* ]]; then
        stop "'$root' and '$cache' both have a space in their names, and SwiftPM finds no pkg-config file in such a folder.
    Move the clone, or set XDG_CACHE_HOME, here and for \`swift build\`"
    fi
}

# ------------------------------------------------------------------------------------------------------------------------------

case ${1:-all} in
all)
    command -v swift > /dev/null || stop "no 'swift' found: install Swift 6.3 (see swift.org/install) and have it on PATH"
    install_packages
    install_libtorch
    configure_swiftpm
    ;;
packages) install_packages ;;
libtorch)
    install_libtorch
    configure_swiftpm
    ;;
*) stop "'$1' is not one of: packages, libtorch" ;;
esac

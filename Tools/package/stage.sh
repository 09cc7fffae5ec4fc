#!/usr/bin/env bash
# Puts the program and the libraries that it needs into a folder, from which it runs wherever that lies:
#
#   Tools/package/stage.sh FOLDER LIBRARIES...
#
#   FOLDER/jersey       the release program, without symbols
#   FOLDER/lib/         the libraries of these kinds: `torch` (libtorch), `swift` (Swift's runtime),
#                       `system` (FFmpeg, libjpeg and whatever else ldd names)
#   FOLDER/licences/    what the libraries' licences are
#
# Never taken are glibc and the C++ runtime: every system with Python or a shell has them, and two copies
# in one process do not work. JERSEY=PROGRAM takes another program.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$1
shift
program=${JERSEY:-$root/.build/release/jersey}

stop() { echo "package: error: $*" >&2; exit 1; }

[ -x "$program" ] || stop "'$program' does not exist; run \`make build\`"
for tool in patchelf strip ldd; do
    command -v $tool > /dev/null || stop "no '$tool' found; run as root: apt-get install patchelf binutils"
done

kind_of() { # path of a library
    case $1 in
    */libc.so.* | */libm.so.* | */libdl.so.* | */libpthread.so.* | */librt.so.* | */libresolv.so.* | */libutil.so.*) echo glibc ;;
    */libstdc++.so.* | */libgcc_s.so.*) echo compiler ;;
    "$torch"/*) echo torch ;;
    */swift/linux/*) echo swift ;;
    *) echo system ;;
    esac
}

# Debian's package with a file. Some packages know their files by the name without /usr.
owner_of() { # path
    { dpkg-query -S "$1" || dpkg-query -S "${1#/usr}"; } 2> /dev/null | cut -d: -f1 | head -n 1 | grep .
}

torch=$(ldd "$program" | awk '$1 == "libtorch_cpu.so" { print $3 }')
[ -n "$torch" ] && [ "$torch" != not ] || stop "'$program' does not find its libtorch; run \`make setup\`"
torch=$(dirname "$torch")

mkdir -p "$folder/lib" "$folder/licences"
ldd "$program" | awk '$2 == "=>" { if ($3 == "not") exit 1; print $1, $3 }' > "$folder/libraries" ||
    stop "a library of '$program' is missing; see: ldd $program"
while read -r name path; do
    kind=$(kind_of "$path")
    [[ " $* " == *" $kind "* ]] || continue
    cp -L "$path" "$folder/lib/$name"
    if [ "$kind" = system ] && owner=$(owner_of "$(readlink -f "$path")"); then
        cp -L "/usr/share/doc/$owner/copyright" "$folder/licences/$owner" 2> /dev/null || true
    fi
done < "$folder/libraries"
rm "$folder/libraries"
cp "$root/LICENSE" "$root/NOTICE" "$folder/licences/"
take_licence() { # kind, name, file
    if [[ " ${kinds[*]} " == *" $1 "* ]] && [ -e "$3" ]; then cp -rL "$3" "$folder/licences/$2"; fi
}
kinds=("$@")
for licence in "$(readlink -f "$torch")"/../../torch-*.dist-info/licenses/*; do
    take_licence torch "torch-$(basename "$licence")" "$licence"
done
take_licence swift swift-LICENSE.txt "$(dirname "$(readlink -f "$(command -v swift)")")/../share/swift/LICENSE.txt"
# The texts that Debian's copyright files name.
for licence in GPL-2 GPL-3 LGPL-2 LGPL-2.1 LGPL-3 Apache-2.0 MPL-1.1 MPL-2.0 Artistic; do
    take_licence system "$licence" "/usr/share/common-licenses/$licence"
done
find "$folder/lib" -type f ! -name 'libtorch*' ! -name 'libc10*' -exec strip --strip-unneeded {} + 2> /dev/null || true
chmod 644 "$folder"/lib/*
install -m 755 "$program" "$folder/jersey"
strip "$folder/jersey"
# The older DT_RPATH, unlike DT_RUNPATH, also holds for what the libraries themselves need.
patchelf --force-rpath --set-rpath "${RPATH:-\$ORIGIN/lib}" "$folder/jersey"

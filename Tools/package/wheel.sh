#!/usr/bin/env bash
# Builds one wheel of the Python package and the program: dist/jersey_reader-VERSION-py3-none-manylinux_….whl.
# libtorch is not in it: the wheel depends on the torch that the program was built with.
#
#   Tools/package/wheel.sh          after `make build`
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python=${PYTHON:-python3}
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'hatchling>=1.26' 'wheel>=0.45' < /dev/null
"$work/venv/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work/pure" \
    "$root/python" < /dev/null
"$work/venv/bin/wheel" unpack --dest "$work/tree" "$work"/pure/*.whl > /dev/null
tree=$(echo "$work"/tree/*)
information=$(echo "$tree"/*.dist-info)

# In one folder of packages torch is beside; elsewhere jersey/_program.py says where it is.
RPATH='$ORIGIN/lib:$ORIGIN/../../torch/lib' "$root/Tools/package/stage.sh" "$tree/jersey/_program" swift system
mkdir -p "$information/licenses"
mv "$tree"/jersey/_program/licences/* "$information/licenses/"
rmdir "$tree/jersey/_program/licences"
echo "$torch_version" > "$tree/jersey/_program/torch-version"
sed -i "s/^Requires-Python:.*/&\nRequires-Dist: torch==$torch_version.*/" "$information/METADATA"
sed -i 's/^Root-Is-Purelib: true/Root-Is-Purelib: false/' "$information/WHEEL"
printf '[console_scripts]\njersey = jersey._launcher:main\n\n' | cat - "$information/entry_points.txt" > "$work/entry_points"
mv "$work/entry_points" "$information/entry_points.txt"

glibc=$(newest GLIBC "$tree"/jersey/_program/jersey "$tree"/jersey/_program/lib/*)
"$work/venv/bin/wheel" pack --dest-dir "$work" "$tree" > /dev/null
"$work/venv/bin/wheel" tags --remove --platform-tag "manylinux_${glibc//./_}_$(uname -m)" "$work"/*.whl > /dev/null
wheel=$(echo "$work"/*.whl)
mv "$wheel" "$dist/"
done_with "$dist/$(basename "$wheel")"

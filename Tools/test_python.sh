#!/usr/bin/env bash
# Runs the tests of python/ in a virtual environment outside the clone, which it makes on first use:
# ${XDG_CACHE_HOME:-$HOME/.cache}/jersey/python-tests. Arguments go to pytest.
set -euo pipefail

PACKAGES=(pytest==9.2.0 numpy pillow pycocotools supervision==0.31.0)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/jersey/python-tests
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$(cat "$cache/packages" 2> /dev/null)" != "${PACKAGES[*]}" ]; then
    echo "test: installing ${PACKAGES[*]} in $cache"
    rm -rf "$cache"
    "${PYTHON:-python3}" -m venv "$cache"
    "$cache/bin/pip" install --quiet --disable-pip-version-check "${PACKAGES[@]}" < /dev/null
    echo "${PACKAGES[*]}" > "$cache/packages"
fi
PYTHONDONTWRITEBYTECODE=1 exec "$cache/bin/python" -m pytest -q -p no:cacheprovider python "$@"

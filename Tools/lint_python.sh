#!/usr/bin/env bash
# Checks the Python of Benchmarks/ and Tools/ with ruff (ruff.toml), or lays it out.
#
#   Tools/lint_python.sh           checks; fails where something is to be mended
#   Tools/lint_python.sh format    lays it out in place
#
# The first time it fetches ruff with pip, outside the clone: ${XDG_CACHE_HOME:-$HOME/.cache}/jersey/ruff-VERSION. No
# other Python is touched. Without a network say PYTHON_LINT=skip; only then is nothing checked.
set -euo pipefail

VERSION=0.17.6
folder=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/jersey/ruff-$VERSION
ruff=$folder/bin/ruff
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "${PYTHON_LINT:-}" = skip ]; then
    echo 'lint: the Python is not checked, as PYTHON_LINT=skip asks' >&2
    exit
fi

if ! "$ruff" --version > /dev/null 2>&1; then
    echo "lint: fetching ruff $VERSION into $folder"
    mkdir -p "${folder%/*}"
    fresh=$(mktemp -d "$folder.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    python=${PYTHON:-python3}
    "$python" -m pip --version > /dev/null 2>&1 || python=/usr/bin/python3
    PIP_ROOT_USER_ACTION=ignore "$python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --target "$fresh" "ruff==$VERSION" < /dev/null || {
        echo "lint: error: ruff could not be fetched; say PYTHON_LINT=skip where there is no network" >&2
        exit 1
    }
    # Whole or not at all, whoever else fetches it meanwhile.
    rm -rf "$folder"
    mv -T "$fresh" "$folder"
fi

case ${1:-check} in
check)
    "$ruff" check --quiet --no-cache .
    "$ruff" format --quiet --no-cache --diff .
    ;;
format)
    "$ruff" check --quiet --no-cache --select I --fix .
    "$ruff" format --quiet --no-cache .
    ;;
*)
    echo "lint: error: '$1' is not one of: check, format" >&2
    exit 2
    ;;
esac

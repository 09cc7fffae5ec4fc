#!/usr/bin/env bash
# Checks the Python of Benchmarks/, Tools/ and python/ with ruff (ruff.toml, python/pyproject.toml), or formats it.
#
#   Tools/lint_python.sh           checks, and fails on any finding
#   Tools/lint_python.sh format    formats in place
#
# On first use it fetches ruff with pip, outside the clone:
# ${XDG_CACHE_HOME:-$HOME/.cache}/jersey/ruff-VERSION. No other Python is changed. Without a network
# set PYTHON_LINT=skip; only then nothing is checked.
set -euo pipefail

VERSION=0.17.6
folder=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/jersey/ruff-$VERSION
ruff=$folder/bin/ruff
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "${PYTHON_LINT:-}" = skip ]; then
    echo 'lint: the Python is not checked, because PYTHON_LINT=skip is set' >&2
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
        echo "lint: error: cannot fetch ruff; without a network, set PYTHON_LINT=skip" >&2
        exit 1
    }
    # Install it atomically, in case another process fetches it at the same time.
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

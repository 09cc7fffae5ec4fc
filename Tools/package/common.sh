# Names and versions for the scripts beside this file; they source it.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dist=${DIST:-$root/dist}
version=$(sed -n 's/.*jerseyVersion = "\(.*\)"/\1/p' "$root/Sources/JerseySupport/JerseyVersion.swift")
torch_version=$(awk '/^#define TORCH_VERSION_(MAJOR|MINOR) [0-9]+/ { v = v d $3; d = "." } END { print v }' \
    "$root"/.torch/include/torch/headeronly/version.h)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$dist"

# The newest version of a symbol's kind that files need, such as GLIBC 2.34.
newest() { # GLIBC or GLIBCXX, files...
    local kind=$1
    shift
    objdump -T "$@" 2> /dev/null | grep -o "${kind}_[0-9][0-9.]*" | sort -Vu | tail -n 1 | cut -d_ -f2
}

done_with() { # file
    echo "package: $1 ($(du -m "$1" | cut -f1) MB, $SECONDS s)"
}

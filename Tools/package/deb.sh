#!/usr/bin/env bash
# Builds dist/jersey_VERSION_ARCHITECTURE.deb for the Debian that this runs on. libtorch and Swift's runtime
# are inside; everything else are its dependencies.
#
#   Tools/package/deb.sh            after `make build`
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for tool in dpkg-deb dpkg-shlibdeps; do
    command -v $tool > /dev/null || { echo "package: error: no '$tool' found; run as root: apt-get install dpkg-dev" >&2; exit 1; }
done
tree=$work/tree
RPATH='$ORIGIN/lib' "$root/Tools/package/stage.sh" "$tree/usr/lib/jersey" torch swift
mkdir -p "$tree/usr/bin" "$tree/usr/share/doc/jersey" "$tree/DEBIAN" "$work/debian"
ln -s ../lib/jersey/jersey "$tree/usr/bin/jersey"
mv "$tree/usr/lib/jersey/licences" "$tree/usr/share/doc/jersey/"
cp "$root/NOTICE" "$tree/usr/share/doc/jersey/copyright"
gzip -9nc "$root/CHANGELOG.md" > "$tree/usr/share/doc/jersey/changelog.gz"

printf 'Source: jersey\n\nPackage: jersey\nArchitecture: any\n' > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O -l"$tree/usr/lib/jersey/lib" -e"$tree/usr/lib/jersey/jersey" \
    $(printf -- '-e%s ' "$tree"/usr/lib/jersey/lib/*) --ignore-missing-info 2> /dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "package: error: dpkg-shlibdeps names no dependencies" >&2; exit 1; }
cat > "$tree/DEBIAN/control" << EOF
Package: jersey
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: jersey's authors <noreply@invalid>
Installed-Size: $(du -sk "$tree/usr" | cut -f1)
Depends: $depends
Recommends: fonts-dejavu-core, fonts-liberation
Suggests: gnuplot-nox
Section: science
Priority: optional
Description: reads shirt numbers of athletes from pictures and videos
 One program that reads the number of a player from a short sequence of frames or
 from the tracks of a video, says how sure it is, and trains, measures and serves
 models for it.
EOF
find "$tree" -type d -exec chmod 755 {} +
dpkg-deb --root-owner-group -Zxz -z1 --build "$tree" "$work/jersey.deb" > /dev/null
mv "$work/jersey.deb" "$dist/jersey_${version}_$(dpkg --print-architecture).deb"
done_with "$dist/jersey_${version}_$(dpkg --print-architecture).deb"

#!/bin/sh
#
# Builds the Debian package with nothing but Go and dpkg-deb:
#
#     cmd/lienthong/dist/deb.sh VERSION ARCH OUT.deb      (ARCH: amd64 or arm64)
set -eu

[ $# = 3 ] || { echo "usage: $0 VERSION ARCH OUT.deb" >&2; exit 2; }
version=$1 arch=$2 out=$(realpath -m "$3")
dist=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
chmod 755 "$root"

cd "$dist/../../.."
mkdir -p "$root/usr/bin" "$root/lib/systemd/system" "$root/DEBIAN"
install -d -m 750 "$root/etc/lienthong" # the postinst gives it to the group of the node
CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -ldflags "-s -w" -o "$root/usr/bin/lienthong" ./cmd/lienthong

"$dist/pages.sh" "$root"

cp "$dist/lienthong.service" "$dist/lienthong@.service" "$root/lib/systemd/system/"

cat >"$root/DEBIAN/control" <<END
Package: lienthong
Version: $version
Architecture: $arch
Maintainer: Liên thông <lienthong@users.noreply.github.com>
Section: net
Priority: optional
Installed-Size: $(du -sk "$root" | cut -f 1)
Depends: adduser
Recommends: ca-certificates
Homepage: https://github.com/lienthong/lienthong
Description: exchange of Vietnam's electronic documents (edXML)
 A store-and-forward node between document systems and a document axis, and a
 command line that validates, signs and verifies packets (QCVN 102:2016/BTTTT,
 Decision 28/2018/QD-TTg).
END
cp "$dist/deb.postinst" "$root/DEBIAN/postinst"
cp "$dist/deb.prerm" "$root/DEBIAN/prerm"
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out" >&2
echo "$out"

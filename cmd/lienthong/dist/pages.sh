#!/bin/sh
#
# Writes what there is to read, where a Debian package has it below ROOT: the
# manual pages in both languages and the completion of three shells, which the
# program says itself, the guides, and the files for Prometheus and Grafana. Both
# ways to make a package take it from here: deb.sh and .goreleaser.yaml.
#
#     cmd/lienthong/dist/pages.sh ROOT
set -eu

[ $# = 1 ] || { echo "usage: $0 ROOT" >&2; exit 2; }
mkdir -p "$1"
root=$(cd "$1" && pwd)
cd "$(dirname "$0")/../../.."
host=$(mktemp -d)
trap 'rm -rf "$host"' EXIT
go build -o "$host/lienthong" ./cmd/lienthong

"$host/lienthong" --lang en man --to "$root/usr/share/man/man1"
"$host/lienthong" --lang vi man --to "$root/usr/share/man/vi/man1"
gzip -9nf "$root"/usr/share/man/man1/*.1 "$root"/usr/share/man/vi/man1/*.1
mkdir -p "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" \
	"$root/usr/share/fish/vendor_completions.d"
"$host/lienthong" --lang en completion bash >"$root/usr/share/bash-completion/completions/lienthong"
"$host/lienthong" --lang en completion zsh >"$root/usr/share/zsh/vendor-completions/_lienthong"
"$host/lienthong" --lang en completion fish >"$root/usr/share/fish/vendor_completions.d/lienthong.fish"

doc=$root/usr/share/doc/lienthong
mkdir -p "$doc/docs"
cp cmd/lienthong/dist/alerts.yml cmd/lienthong/dist/grafana-dashboard.json "$doc/"
cp docs/*.md docs/*.png "$doc/docs/"
cp LICENSE "$doc/copyright"
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"

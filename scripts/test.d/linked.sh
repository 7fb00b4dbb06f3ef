#!/usr/bin/env bash
# No function that is linked asks reflect for methods by name, so that the linker leaves out what nobody calls
# (docs/adr/0014). Finds nothing only if it can find: the tests of i18n link text/template, which does.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CGO_ENABLED=0 GOFLAGS=-trimpath
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
asks() { grep -oE -- '-> \S+ <ReflectMethod>' "$1" | sort -u || true; }
go build -o "$work/portal" -ldflags=-dumpdep ./cmd/portal 2>"$work/portal.dep"
go test -c -o "$work/i18n" -ldflags=-dumpdep ./internal/i18n 2>"$work/i18n.dep"
[ -n "$(asks "$work/i18n.dep")" ] || { echo "the linker no longer says what asks for methods"; exit 1; }
found=$(asks "$work/portal.dep")
[ -z "$found" ] || { echo "asks for methods by name, which keeps every method there is:"; echo "$found"; exit 1; }
echo "nothing linked asks for methods by name"

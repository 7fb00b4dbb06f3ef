#!/usr/bin/env bash
# Formatting, vet, staticcheck, and that committed generated files are what the generators make.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(git ls-files '*.go' | grep -v '_templ\.go$' | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
  printf 'not formatted (gofmt -w):\n%s\n' "$unformatted" >&2
  exit 1
fi

go vet ./...
(cd tools/lint && go build -o ../../bin/staticcheck honnef.co/go/tools/cmd/staticcheck)
bin/staticcheck -checks inherit,-ST1000 ./...

# Drift: generate into a copy, so that a failing check changes nothing here.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z 'web/templates' 'go.mod' 'go.sum' | xargs -0 cp --parents -t "$copy"
go tool templ generate -path "$copy/web/templates" -log-level error >/dev/null 2>&1
drift=0
while IFS= read -r f; do
  cmp -s "$f" "$copy/$f" || { echo "generated file differs: $f (make gen)" >&2; drift=1; }
done < <(git ls-files 'web/templates/*_templ.go')
while IFS= read -r f; do
  [ -e "${f%.templ}_templ.go" ] && git ls-files --error-unmatch "${f%.templ}_templ.go" >/dev/null 2>&1 ||
    { echo "no generated file committed for $f" >&2; drift=1; }
done < <(git ls-files 'web/templates/*.templ')
exit $drift

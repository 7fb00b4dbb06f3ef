#!/usr/bin/env bash
# The long form of what make test runs briefly: generated hostile deliveries through every reader, then
# each fuzz target for a while. HOSTILE is how many deliveries, FUZZ how long per target; a failing input
# is kept in the package's testdata/fuzz and belongs into the commit that cures it.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0

echo "== ${HOSTILE:=100000} hostile deliveries"
PORTAL_HOSTILE=$HOSTILE go test ./internal/ingest -run '^TestHostile$' -v -timeout 12h

grep -rlE '^func Fuzz' --include='*_test.go' internal web | xargs -n 1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z]+' "$dir"/*_test.go | sed 's/^func //' | sort | while read -r target; do
    echo "== $dir $target"
    go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZ:-20s}" -fuzzminimizetime 10x </dev/null
  done
done
echo "all fuzz targets ran"

#!/usr/bin/env bash
# Measures the portal against known things, interleaved, and prints ratios against the goals of
# docs/performance.md. Results go to bin/bench.json, a CPU profile or usage per contender to bin/bench/.
#   make bench              every goal at 1,000,000 lines, within 15 minutes on 2 cores
#   make bench BENCH=full   10,000,000 lines too
#   make bench BENCH=close  one goal, by name or number; several are parted by commas
# ROUNDS (5) and LINES (1000000) change the size. Brings what it needs on Debian and Ubuntu (by apt when
# root) and says plainly what it could not run.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v sqlite3 >/dev/null 2>&1 || missing+=(sqlite3)
[ -n "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ] || missing+=(postgresql)
command -v psql >/dev/null 2>&1 || missing+=(postgresql-client)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    export BENCH_NOT_RUN="not installed (needs root and apt): ${missing[*]}"
  fi
fi

export CGO_ENABLED=0
(cd tools/bench && go build -mod=mod -trimpath -o ../../bin/bench-run .)
exec bin/bench-run --rounds "${ROUNDS:-5}" --lines "${LINES:-1000000}" "${BENCH:-all}"

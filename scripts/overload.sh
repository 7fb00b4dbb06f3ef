#!/usr/bin/env bash
# The long form of the overload test: presses a server with 32 and with 320 callers for SECONDS each (10),
# and prints pages per second of both, how many were sent away, and how it went on afterwards. Results stand
# in docs/reliability.md.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 PORTAL_OVERLOAD_SECONDS=${SECONDS_EACH:-10}
exec go test ./cmd/portal -count=1 -timeout 1h -v -run TestOverload

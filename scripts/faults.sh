#!/usr/bin/env bash
# The long form of the fault tests: commands and servers are killed, or lose PostgreSQL, at ROUNDS random
# points on each engine, disks run full, and everything is compared with undisturbed runs. What it did
# stands in docs/reliability.md.
#   ROUNDS  points per engine (500)      LINES  lines of the imported file (45000: several batches)
#   KILLS   times the portal is killed while it carries files (50)
#   SEED    repeats the choice of points  PORTAL_TEST_PG  a server where databases may be made
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${PORTAL_TEST_PG:-}" ] || { echo "faults: PORTAL_TEST_PG is not set; only SQLite is disturbed" >&2; }
export CGO_ENABLED=0 PORTAL_FAULT_ROUNDS=${ROUNDS:-500} PORTAL_FAULT_LINES=${LINES:-45000} PORTAL_FAULT_KILLS=${KILLS:-50} PORTAL_FAULT_SEED=${SEED:-}
exec go test ./cmd/portal -count=1 -timeout 24h -v -run "${RUN:-TestCutShort|TestServerKilled|TestSpendingKilled|TestVouchersKilled|TestFilesCarried|TestDisk|TestTwoAtOnce|TestClockOver|TestBackupUnder|TestReleased}"

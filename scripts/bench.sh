#!/usr/bin/env bash
# Measures what can be compared with something known, interleaved, and prints ratios:
#   import   portal import of a FOCUS CSV / sqlite3's .import of the same file with three indexes
#   close    portal close of that month  / the sqlite3 shell's GROUP BY over the same rows
# LINES (default 100000) and ROUNDS (default 3) bound it. Results go to bin/bench.json.
# Needs sqlite3 and python3; absolute times are noise, the ratios are what to keep.
set -euo pipefail
cd "$(dirname "$0")/.."
lines=${LINES:-100000}
rounds=${ROUNDS:-3}
command -v sqlite3 >/dev/null || { echo "bench: sqlite3 is not installed (apt-get install sqlite3)" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$lines" "$work/focus.csv" <<'PY'
import csv, sys
lines, out = int(sys.argv[1]), sys.argv[2]
with open("data/samples/focus-1.0/focus_sample.csv", newline="") as f:
    rows = list(csv.reader(f))
head, rows = rows[0], [r for r in rows[1:] if r[rows[0].index("BillingPeriodStart")].startswith("2024-09")]
ident = head.index("Id")
with open(out, "w", newline="") as f:
    w = csv.writer(f)
    w.writerow(head)
    for n in range(lines):
        r = list(rows[n % len(rows)])
        r[ident] = str(n)
        w.writerow(r)
PY

now() { date +%s.%N; }
results=()
for round in $(seq "$rounds"); do
  rm -rf "$work/data" "$work/plain.db"
  export PORTAL_DATA="$work/data"
  bin/portal source add --name focus --vendor ACME --dialect focus >/dev/null
  t0=$(now)
  bin/portal import "$work/focus.csv" --source focus --final >/dev/null
  t1=$(now)
  sqlite3 "$work/plain.db" "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL" ".import --csv $work/focus.csv line" \
    "CREATE INDEX a ON line(SubAccountId); CREATE INDEX b ON line(ChargePeriodStart); CREATE INDEX c ON line(ServiceName)" >/dev/null
  t2=$(now)
  bin/portal map auto --source focus --partner P1 --association resale >/dev/null
  t3=$(now)
  bin/portal close --vendor ACME --cycle 2024-09 --issue >/dev/null
  t4=$(now)
  sqlite3 "$work/plain.db" "CREATE TABLE bill AS SELECT SubAccountId, ServiceName, sum(BilledCost), count(*) FROM line GROUP BY 1, 2" >/dev/null
  t5=$(now)
  results+=("[$t0,$t1,$t2,$t3,$t4,$t5]")
done
mkdir -p bin
python3 - "$lines" "$(IFS=,; echo "[${results[*]}]")" <<'PY'
import json, statistics, sys
lines, rounds = int(sys.argv[1]), json.loads(sys.argv[2])
imports = [(t[1] - t[0]) / (t[2] - t[1]) for t in rounds]
closes = [(t[4] - t[3]) / (t[5] - t[4]) for t in rounds]
doc = {"lines": lines, "rounds": len(rounds),
       "import": {"seconds": [round(t[1] - t[0], 2) for t in rounds], "ratio": round(statistics.median(imports), 2)},
       "close": {"seconds": [round(t[4] - t[3], 2) for t in rounds], "ratio": round(statistics.median(closes), 2)}}
json.dump(doc, open("bin/bench.json", "w"), indent=2)
print(json.dumps(doc, indent=2))
PY

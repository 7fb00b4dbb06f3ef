#!/usr/bin/env bash
# Measures what somebody waits for who types make run on an empty folder: until the door answers, until the
# demo world is ready, and until the second start shows its first page. Seconds, printed and kept in
# bin/start.json. Prints the load of the machine too: on a busy one the figures say nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x bin/portal ] || { echo "start: build first (make build)" >&2; exit 1; }
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
mkdir -p bin

python3 - "$port" "$work" <<'PY'
import http.client, json, os, subprocess, sys, time
port, work = int(sys.argv[1]), sys.argv[2]

def answer(path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        c.request("GET", path)
        r = c.getresponse()
        r.read()
        return r.status
    except OSError:
        return 0
    finally:
        c.close()

def until(path, want, begun):
    while answer(path) != want:
        time.sleep(0.01)
    return round(time.monotonic() - begun, 2)

def start():
    begun = time.monotonic()
    p = subprocess.Popen(["bin/portal", "serve", "--demo", "--addr", f"127.0.0.1:{port}"],
                         env={**os.environ, "PORTAL_DATA": work + "/data"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return p, begun

doc = {"cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 1)}
p, begun = start()
doc["door_seconds"] = until("/healthz", 200, begun)
doc["progress_status"] = answer("/login")
doc["ready_seconds"] = until("/readyz", 200, begun)
doc["cpu_seconds"] = round(sum(float(x) for x in open(f"/proc/{p.pid}/stat").read().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK"), 1)
p.terminate(); p.wait()
p, begun = start()
doc["second_start_first_page_seconds"] = until("/login", 200, begun)
p.terminate(); p.wait()
json.dump(doc, open("bin/start.json", "w"), indent=2)
print(json.dumps(doc, indent=2))
PY

#!/usr/bin/env bash
# Runs every test there is, on both engines and in a browser. Brings what it needs on Debian and
# Ubuntu (by apt when root), starts its own PostgreSQL in a temporary folder and says plainly what it
# could not run. With CI=true nothing may be left out.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
left_out=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
pg_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

[ -n "$(pg_bin)" ] || missing+=(postgresql)
# The headless shell has no windows to draw and opens pages several times as fast as the whole browser;
# not every release has it.
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
whole_browser() { command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }
if ! command -v chromium-headless-shell >/dev/null 2>&1 && { can_install || ! whole_browser; }; then missing+=(chromium-headless-shell); fi
need python3 python3
need gcc gcc
need xmlsec1 xmlsec1
need pdftotext poppler-utils
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
fc-list :lang=zh 2>/dev/null | grep -q . || missing+=(fontconfig fonts-noto-cjk)

if [ ${#missing[@]} -gt 0 ]; then
  if can_install; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    packages=()
    for p in "${missing[@]}"; do
      if [ "$p" = chromium-headless-shell ] && ! apt-cache show "$p" >/dev/null 2>&1; then
        whole_browser || packages+=(chromium)
      else
        packages+=("$p")
      fi
    done
    echo "installing: ${packages[*]}"
    [ ${#packages[@]} -eq 0 ] || apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  else
    left_out+=("not installed (needs root and apt): ${missing[*]}")
  fi
fi

work=$(mktemp -d)
chmod 755 "$work"
stop() {
  if [ -n "${pg_owner:-}" ]; then
    as_pg "$(pg_bin)/pg_ctl -D $work/pg -m immediate stop" >/dev/null 2>&1 || true
  fi
  rm -rf "$work"
}
trap stop EXIT

# initdb refuses root, so PostgreSQL runs as an unprivileged user.
as_pg() { if [ "$(id -u)" = 0 ]; then su "$pg_owner" -s /bin/bash -c "$1"; else bash -c "$1"; fi; }
if [ -z "${PORTAL_TEST_PG:-}" ] && [ -n "$(pg_bin)" ]; then
  pg_owner=$(id -un)
  if [ "$(id -u)" = 0 ]; then pg_owner=postgres; id postgres >/dev/null 2>&1 || pg_owner=nobody; fi
  mkdir "$work/pg" "$work/run"
  chown "$pg_owner" "$work/pg" "$work/run"
  port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
  as_pg "$(pg_bin)/initdb -D $work/pg -A trust -U postgres --locale=C.UTF-8 -E UTF8" >/dev/null
  as_pg "$(pg_bin)/pg_ctl -D $work/pg -l $work/pg/log -w -o '-p $port -k $work/run -c listen_addresses=127.0.0.1 -c max_connections=300 -c fsync=off' start" >/dev/null
  export PORTAL_TEST_PG="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
fi
[ -n "${PORTAL_TEST_PG:-}" ] || left_out+=("PostgreSQL tests: no server")

race=()
if command -v gcc >/dev/null 2>&1; then race=(-race); else left_out+=("race detector: no gcc"); fi

if [ "${CI:-}" = true ] && [ ${#left_out[@]} -gt 0 ]; then
  printf 'CI must run everything, but: %s\n' "${left_out[@]}" >&2
  exit 1
fi

echo "== lint and generated files"
scripts/lint.sh
# The race detector watches the packages; stories and browsers run the program as it ships, because
# under the detector an embedded database is some twenty times slower.
whole='/cmd/|/internal/e2e$|/internal/portal$|/web/'
echo "== packages, both engines"
go list ./... | grep -Ev "$whole" |
  CGO_ENABLED=$([ ${#race[@]} -gt 0 ] && echo 1 || echo 0) xargs go test "${race[@]}" -shuffle=on -timeout 30m
echo "== stories, pages and browser, both engines"
go list ./... | grep -E "$whole" | CGO_ENABLED=0 xargs go test -shuffle=on -timeout 30m
for script in scripts/test.d/*.sh; do
  [ -e "$script" ] || continue
  echo "== $(basename "$script" .sh)"
  bash "$script"
done

if [ ${#left_out[@]} -gt 0 ]; then
  echo
  printf 'NOT RUN: %s\n' "${left_out[@]}"
fi
echo "all tests passed"

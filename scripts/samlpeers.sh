#!/usr/bin/env bash
# Lets independent SAML peers sign customers in to a portal built from this tree: installs them (by apt when
# root, by npm), starts them on free ports, drives them as a browser would, and leaves nothing behind but the
# packages of Debian. Exit codes: 0 everything ran and passed, 1 something failed, 3 something could not run
# (with CI=true that is 1).
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/scripts/saml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
left_out=()
failed=()

# bring installs the packages whose commands are missing: pairs of command and package.
bring() {
  local missing=()
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
    shift 2
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  install "${missing[@]}"
}

install() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then return 1; fi
  echo "installing: $*"
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

php_ready() { php -r 'exit(class_exists("DOMDocument") && function_exists("mb_strlen") && function_exists("curl_init") ? 0 : 1);'; }

# unpack fetches a package of Debian and lays its files below a folder.
unpack() {
  command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || return 1
  mkdir "$work/deb"
  (cd "$work/deb" && { apt-get download -qq "$1" || { apt-get update -qq && apt-get download -qq "$1"; }; }) >/dev/null 2>&1 || return 1
  dpkg-deb -x "$work/deb/"*.deb "$2"
}

# trial runs one peer's program in a folder of its own, with time to spare but not without end.
trial() {
  local dir="$work/$1"
  shift
  if ! timeout -k 15 300 "$@" "$work/portal" "$dir" 2>"$dir/errors"; then
    failed+=("${dir##*/}")
    cat "$dir/errors" >&2
    [ ! -e "$dir/portal.log" ] || tail -n 40 "$dir/portal.log" >&2
    [ ! -e "$dir/peer.log" ] || tail -n 20 "$dir/peer.log" >&2
  fi
}

CGO_ENABLED=0 go build -trimpath -o "$work/portal" ./cmd/portal

node_ready=true
bring node nodejs npm npm openssl openssl || node_ready=false

mkdir "$work/samlp"
cp "$here/package.json" "$here/package-lock.json" "$work/samlp"
if $node_ready && (cd "$work/samlp" && npm ci --silent --ignore-scripts --no-audit --no-fund >"$work/npm.log" 2>&1); then
  trial samlp node --no-deprecation "$here/samlp.cjs"
else
  [ ! -s "$work/npm.log" ] || tail -n 5 "$work/npm.log" >&2
  left_out+=("samlp: node, npm, openssl or the npm registry is missing")
fi

# The package is unpacked rather than installed: installed, it would bring a web server that starts by itself.
peer="$work/simplesaml"
mkdir "$peer"
if $node_ready && bring php php-cli && { php_ready || install php-xml php-mbstring php-curl; } && php_ready &&
  unpack simplesamlphp "$peer/root"; then
  trial simplesaml node --no-deprecation "$here/simplesaml.cjs"
else
  left_out+=("SimpleSAMLphp: PHP with XML and mbstring, or the Debian package, is missing")
fi

[ ${#left_out[@]} -eq 0 ] || printf 'NOT RUN: %s\n' "${left_out[@]}"
[ ${#failed[@]} -eq 0 ] || { printf 'FAILED: %s\n' "${failed[@]}"; exit 1; }
[ ${#left_out[@]} -eq 0 ] || { [ "${CI:-}" = true ] && exit 1 || exit 3; }
echo "every independent SAML peer signed in and out"

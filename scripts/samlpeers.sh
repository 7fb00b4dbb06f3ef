#!/usr/bin/env bash
# Lets independent SAML peers, identity providers and service providers, work with a portal built from this tree:
# brings them (by npm; packages of Debian are unpacked into a temporary folder, or installed by apt when root), starts
# them on free ports, drives them as a browser would, and leaves nothing behind but what apt installed. Exit codes: 0 everything ran and passed, 1 something failed, 3 something could not run
# (with CI=true that is 1).
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/scripts/saml
work=$(mktemp -d)
chmod 711 "$work" # Apache runs without rights of its own and reads below it
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

# unpack fetches packages of Debian and lays their files below a folder: the packages alone, or with whatever they need
# that is not installed. It needs no rights and installs nothing.
unpack() {
  local into=$1 how=$2 deb=$1.deb own p
  shift 2
  command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || return 1
  mkdir -p "$into" "$deb/partial" "$work/apt/lists/partial"
  own=(-qq -o Debug::NoLocking=1 -o APT::Sandbox::User= -o "Dir::Cache=$work/apt" -o "Dir::Cache::archives=$deb")
  if ! fetch "$how" "$@" >>"$work/apt.log" 2>&1; then
    own+=(-o "Dir::State::lists=$work/apt/lists")
    { apt-get "${own[@]}" update && fetch "$how" "$@"; } >>"$work/apt.log" 2>&1 || return 1
  fi
  for p in "$deb"/*.deb; do dpkg-deb -x "$p" "$into" || return 1; done
}

# fetch downloads into the folder of unpack: what is missing by need, then the packages themselves even if they are
# installed here, because their files are wanted in one place.
fetch() {
  local how=$1 p
  shift
  [ "$how" = alone ] || apt-get "${own[@]}" install -y --no-install-recommends --download-only "$@" || return 1
  for p in "$@"; do
    compgen -G "$deb/${p}_*.deb" >/dev/null || (cd "$deb" && apt-get "${own[@]}" download "$p") || return 1
  done
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

consoles=()
node_ready=true
bring node nodejs npm npm openssl openssl || node_ready=false

mkdir "$work/samlp"
cp "$here/package.json" "$here/package-lock.json" "$work/samlp"
if $node_ready && (cd "$work/samlp" && npm ci --silent --ignore-scripts --no-audit --no-fund >"$work/npm.log" 2>&1); then
  consoles=(node)
  trial samlp node --no-deprecation "$here/samlp.cjs"
else
  [ ! -s "$work/npm.log" ] || tail -n 5 "$work/npm.log" >&2
  left_out+=("samlp: node, npm, openssl or the npm registry is missing")
fi

# The packages are unpacked rather than installed: installed, they would bring web servers that start by themselves.
peer="$work/simplesaml"
mkdir "$peer"
if $node_ready && bring php php-cli && { php_ready || install php-xml php-mbstring php-curl; } && php_ready &&
  unpack "$peer/root" alone simplesamlphp; then
  trial simplesaml node --no-deprecation "$here/simplesaml.cjs"
else
  left_out+=("SimpleSAMLphp: PHP with XML and mbstring, or the Debian package, is missing")
fi

peer="$work/consoles"
mkdir "$peer"
chmod 711 "$peer"
if $node_ready && unpack "$peer/root" needs apache2-bin libapache2-mod-auth-mellon libapache2-mod-shib libshibsp-plugins \
  shibboleth-sp-common shibboleth-sp-utils opensaml-schemas xmltooling-schemas; then
  consoles+=(mellon shibboleth)
else
  [ ! -s "$work/apt.log" ] || tail -n 5 "$work/apt.log" >&2
  left_out+=("mod_auth_mellon and the Shibboleth SP: the Debian packages cannot be fetched")
fi
if [ ${#consoles[@]} -gt 0 ]; then
  PEERS="${consoles[*]}" MODULES="$work/samlp" trial consoles node --no-deprecation "$here/consoles.cjs"
fi

[ ${#left_out[@]} -eq 0 ] || printf 'NOT RUN: %s\n' "${left_out[@]}"
[ ${#failed[@]} -eq 0 ] || { printf 'FAILED: %s\n' "${failed[@]}"; exit 1; }
[ ${#left_out[@]} -eq 0 ] || { [ "${CI:-}" = true ] && exit 1 || exit 3; }
echo "every independent SAML peer signed in and out"

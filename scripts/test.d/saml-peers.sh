#!/usr/bin/env bash
# Independent SAML peers; what cannot run on this machine is said, and fails only with CI=true.
set -euo pipefail
cd "$(dirname "$0")/../.."
code=0
scripts/samlpeers.sh || code=$?
[ "$code" = 3 ] && [ "${CI:-}" != true ] && code=0
exit "$code"

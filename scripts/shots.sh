#!/usr/bin/env bash
# Pictures of every page for every kind of actor in both widths, languages and themes, with a table of
# contents, and the pictures of docs/tour.md. Fails where a page is missing, scrolls sideways, shows a bare
# key, where axe finds anything on it or on what opens there, or where the browser complains. Needs Chromium
# and a font for Chinese; some 2,400 pictures take nine minutes on 2 busy cores.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-$PWD/bin/shots}
rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
PORTAL_TEST_SHOTS=$folder PORTAL_TEST_TOUR=$PWD/docs/tour CI=true \
  go test -count=1 -timeout 30m -parallel 3 -run '^TestShots$' ./internal/e2e -v |
  grep -Ev '^ *(=== |--- PASS)' 
echo "open $folder/index.html"

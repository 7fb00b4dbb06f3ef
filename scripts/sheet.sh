#!/usr/bin/env bash
# Contact sheets of the main pages in both languages, themes and widths, from the demo: docs/sheet/pages-1440.webp and
# pages-390.webp, at most 400 KB each. Needs Chromium and a font for Chinese; two to three minutes on 2 cores.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p docs/sheet
PORTAL_TEST_SHEET=$PWD/docs/sheet CI=true go test -count=1 -timeout 20m -run '^TestShots$' ./internal/e2e -v | grep -E 'webp|FAIL|Errorf|ok|_test.go'

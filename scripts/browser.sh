#!/usr/bin/env bash
# Runs the browser tests, web/e2e/*.test.mjs, one file after the other against bin/blabber-hive, or those files that are
# named. Closes with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../web"

files=("$@")
((${#files[@]})) || files=(e2e/*.test.mjs)
for i in "${!files[@]}"; do files[i]=e2e/$(basename "${files[i]}"); done

exec node --test --test-concurrency=1 --test-reporter=./e2e/support/reporter.mjs --test-reporter-destination=stdout \
  "${files[@]}" </dev/null

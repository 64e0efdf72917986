#!/usr/bin/env bash
# Runs every browser test, web/e2e/*.mjs, in a process of its own. Each starts what it needs and exits non-zero if a
# promise is broken.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0

for script in web/e2e/*.mjs; do
  began=$SECONDS
  if node "$script" </dev/null; then
    passed=$((passed + 1)) word=ok
  else
    failed=$((failed + 1)) word=FAILED
  fi
  echo "browser: $script $word $((SECONDS - began)) s"
done

echo "$passed passed, $failed failed"
((failed == 0))

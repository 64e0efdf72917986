#!/usr/bin/env bash
# Gives every fuzz target of the module the same time ($1, such as 30s), one after the other. An input that fails is
# written below testdata/fuzz by the go command: commit it with the cure, it stays as a test.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# go test -list prints the names of a package's targets and then a line "ok <package> <time>".
targets=$(go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[++n] = $1 } /^ok / { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')

while read -r package name; do
  [[ -n $package ]] || continue
  echo "fuzz: $name in ${package##*/blabber-hive/} for $seconds"
  if go test -run '^$' -fuzz "^$name\$" -fuzztime "$seconds" "$package" >"$log" 2>&1 </dev/null; then
    passed=$((passed + 1))
  elif grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log"; then
    # A worker that was still busy when the time was up: the go command calls that a failure, but no input failed.
    passed=$((passed + 1))
  else
    cat "$log"
    failed=$((failed + 1))
  fi
done <<<"$targets"

echo "$passed passed, $failed failed"
((failed == 0))

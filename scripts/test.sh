#!/usr/bin/env bash
# Runs the named make targets one after the other, whatever becomes of each, and closes with a line
#
#     N passed, N failed
#
# that sums up their tests. A target that counts nothing counts as one test. Fails if any target does.
set -uo pipefail
cd "$(dirname "$0")/.."

export NO_COLOR=1 FORCE_COLOR=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

passed=0 failed=0 report=()

# count adds up the closing lines of gotestsum, vitest, pytest and of our own scripts in the log.
count() {
  awk '
    { gsub(/\033\[[0-9;]*m/, "") }
    /^DONE ([0-9]+ runs, )?[0-9]+ tests?/ {
      tests = skips = fails = 0
      for (i = 2; i < NF; i++) {
        if ($(i+1) ~ /^tests?,?$/) tests = $i
        if ($(i+1) ~ /^skipped,?$/) skips = $i
        if ($(i+1) ~ /^failures?,?$/) fails = $i
      }
      p += tests > skips + fails ? tests - skips - fails : 0 # a package that does not build fails without being a test
      f += fails
    }
    $1 == "Tests" && /\([0-9]+\)$/ {
      for (i = 2; i < NF; i++) { if ($(i+1) == "passed") p += $i; if ($(i+1) == "failed") f += $i }
    }
    /^(=+ )?[0-9]+ (passed|failed|errors?).* in [0-9.]+s/ {
      for (i = 1; i < NF; i++) { if ($(i+1) ~ /^passed/) p += $i; if ($(i+1) ~ /^(failed|errors?)/) f += $i }
      next
    }
    /^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3 }
    END { print p + 0, f + 0 }
  ' "$log"
}

for target in "$@"; do
  printf '\n── %s\n' "$target"
  began=$SECONDS
  make --no-print-directory "$target" 2>&1 </dev/null | tee "$log"
  status=${PIPESTATUS[0]}

  read -r p f < <(count)
  if ((status != 0 && f == 0)); then f=1; fi
  if ((status == 0 && p == 0)); then p=1; fi
  passed=$((passed + p)) failed=$((failed + f))

  word=ok
  ((status == 0)) || word=FAILED
  report+=("$(printf '%-10s %-7s %5d passed %4d failed %5d s' "$target" "$word" "$p" "$f" $((SECONDS - began)))")
done

printf '\n'
printf '%s\n' "${report[@]}"
echo "$passed passed, $failed failed"
((failed == 0))

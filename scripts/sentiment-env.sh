#!/usr/bin/env bash
# Prints the path of a virtual environment that holds exactly what sentiment/locks/$1.txt says (run or dev), and makes it in
# the user's cache where it is missing. It is used only once it is complete. PYTHON names the
# interpreter; otherwise the first of the known names that is 3.11 or newer. With `python` prints which one that is.
set -euo pipefail
cd "$(dirname "$0")/../sentiment"

what=${1:?usage: sentiment-env.sh run|dev|python}
lock=locks/$what.txt
kept=4 # environments of older locks, for going back and forth between branches

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
  if usable "$name"; then
    python=$name
    break
  fi
done
if [[ -z $python ]]; then
  echo "sentiment: no Python 3.11 or newer with venv: install python3 and python3-venv, or set PYTHON" >&2
  exit 1
fi

if [[ $what == python ]]; then
  type -P "$python"
  exit
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive
key=$( (cat "$lock" && "$python" -c 'import sys; print(sys.version, sys.executable)') | sha256sum | cut -c1-16)
made=$cache/sentiment-$key

mkdir -p "$cache"
if [[ ! -e $made/complete ]]; then
  # Two checkouts may be at it at once: one makes it, the other waits and finds it made.
  exec 9>"$cache/sentiment.lock"
  flock 9
  if [[ ! -e $made/complete ]]; then
    echo "sentiment: installing $lock" >&2
    rm -rf "$made"
    "$python" -m venv "$made" >&2
    # Hashes say what may be installed; wheels only, so that nothing is built or run while installing.
    "$made/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      -r "$lock" </dev/null >&2 9>&-
    touch "$made/complete" # scripts inside name their own path, hence a mark rather than another name
    find "$cache" -maxdepth 1 -type d -name 'sentiment-[0-9a-f]*' -printf '%T@ %p\n' | sort -rn | tail -n "+$((kept + 1))" |
      cut -d' ' -f2- | xargs -r -d '\n' rm -rf
  fi
  exec 9>&-
fi
echo "$made"

#!/usr/bin/env bash
# Brings web/node_modules in line with web/package-lock.json. A tree that was installed once for the same lock file is
# copied from the user's cache, so that a clean checkout waits for the disk rather than for the network.
set -euo pipefail
cd "$(dirname "$0")/../web"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive
key=$( (cat package-lock.json && node -p 'process.version + process.platform + process.arch') | sha256sum | cut -c1-16)
cached=$cache/node_modules-$key
kept=3 # trees of older lock files, for going back and forth between branches

mkdir -p "$cache"
# Two checkouts may be at it at once: one fills the cache, the other waits and copies.
exec 9>"$cache/node_modules.lock"
flock 9

if [[ -d $cached ]]; then
  echo "web: copying node_modules from $cached"
  rm -rf node_modules
  # Copied rather than linked: a file that is edited in place must not change the cache.
  cp -a --reflink=auto "$cached" node_modules
else
  npm ci --no-audit --no-fund --prefer-offline </dev/null
  rm -rf "$cached.new"
  cp -a --reflink=auto node_modules "$cached.new"
  mv "$cached.new" "$cached"
fi

touch "$cached" node_modules/.package-lock.json # make compares its time with the lock file's
find "$cache" -maxdepth 1 -name 'node_modules-*' -printf '%T@ %p\n' | sort -rn | tail -n "+$((kept + 1))" | cut -d' ' -f2- |
  xargs -r -d '\n' rm -rf

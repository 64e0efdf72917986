#!/usr/bin/env bash
# Checks that this machine has what building and testing needs. What is missing is installed where that is allowed (as
# root on a Debian-like system: compiler, git, make, Python, Chromium, the services that tests run), and otherwise named with the way to get it.
set -euo pipefail

missing=0

# need NAME FOUND WANTED HOW: FOUND is a version or empty.
need() {
  if [[ -z $2 ]]; then
    echo "deps: $1 is missing: $4" >&2
    missing=1
  elif [[ $(printf '%s\n' "$3" "$2" | sort -V | head -1) != "$3" ]]; then
    echo "deps: $1 is $2, want $3 or newer: $4" >&2
    missing=1
  fi
}

# The path of a browser, or nothing. type -P looks at files alone, where command -v would find this very function.
browser() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [[ -n $name ]] && type -P "$name"; then return; fi
  done
}

# The newest PostgreSQL server, or nothing. Debian keeps it out of the PATH, and nginx in root's alone.
postgres() { ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -1 | grep . || type -P postgres || true; }
nginx_path() { type -P nginx || ls /usr/sbin/nginx 2>/dev/null || true; }

packages=()
command -v make >/dev/null || packages+=(make)
command -v git >/dev/null || packages+=(git)
command -v cc >/dev/null || packages+=(gcc libc6-dev) # the race detector's
[[ -n $(browser) ]] || packages+=(chromium)
[[ $(uname) != Linux ]] || command -v strace >/dev/null || packages+=(strace) # makes a disk fail
# The services of a cluster, where no variable says that they run elsewhere.
[[ -n ${DATABASE_URL:-} || -n $(postgres) ]] || packages+=(postgresql)
[[ -n ${REDIS_URL:-} ]] || command -v redis-server >/dev/null || packages+=(redis-server)
if [[ -z ${KAFKA_BROKER_URL:-} ]]; then # run with Java, fetched by Maven
  command -v java >/dev/null || packages+=(default-jre-headless)
  command -v mvn >/dev/null || packages+=(maven)
fi
[[ -n $(nginx_path) ]] || packages+=(nginx)
# What watches over them, with promtool.
for program in prometheus prometheus-node-exporter prometheus-postgres-exporter prometheus-redis-exporter; do
  command -v "$program" >/dev/null || packages+=("$program")
done
"$(dirname "$0")/sentiment-env.sh" python >/dev/null 2>&1 || packages+=(python3 python3-venv)
# What images are built with where there is no Docker, and what their bases are made of.
if [[ $(uname) == Linux ]]; then
  command -v buildah >/dev/null || packages+=(buildah)
  command -v debootstrap >/dev/null || packages+=(debootstrap)
fi

# Tests start services of their own on ports of their own. Debian would start one of each for the whole system, now and at
# every boot: it asks policy-rc.d about the first, systemctl (where there is one) about the second.
policy=/usr/sbin/policy-rc.d
quiet_services() {
  [[ ! -e $policy ]] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$log" "$policy"' EXIT
}
no_services_at_boot() {
  local service
  [[ -d /run/systemd/system ]] || return 0
  for service in postgresql redis-server nginx prometheus prometheus-node-exporter prometheus-postgres-exporter prometheus-redis-exporter; do
    [[ " ${packages[*]} " != *" $service "* ]] || systemctl disable --now "$service" >/dev/null 2>&1 || true
  done
}

if ((${#packages[@]})) && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "deps: installing ${packages[*]}"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  quiet_services
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } \
    </dev/null >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "deps: ${packages[*]} could not be installed" >&2
  fi
  no_services_at_boot
fi

go_version=$(go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//') || true
node_version=$(node --version 2>/dev/null | sed 's/^v//') || true
need Go "$go_version" 1.26 "see go.dev/dl"
need Node "$node_version" 20.19 "see nodejs.org/en/download"
need npm "$(npm --version 2>/dev/null || true)" 10 "it comes with Node"
need make "$(command -v make >/dev/null && echo 1)" 1 "install the package make"
need git "$(command -v git >/dev/null && echo 1)" 1 "install the package git"

"$(dirname "$0")/sentiment-env.sh" python >/dev/null || missing=1

# These two are for tests only: without them the rest can still be built and run.
command -v cc >/dev/null || echo "deps: no C compiler: Go tests run without the race detector; install the package gcc" >&2
[[ -n $(browser) ]] || echo "deps: no Chromium: browser tests cannot run; install the package chromium, or set CHROMIUM to one" >&2

[[ $(uname) != Linux ]] || command -v strace >/dev/null ||
  echo "deps: no strace: the tests of a failing disk cannot run; install the package strace" >&2

absent=()
[[ -n ${DATABASE_URL:-} || -n $(postgres) ]] || absent+=("postgresql (or DATABASE_URL)")
[[ -n ${REDIS_URL:-} ]] || command -v redis-server >/dev/null || absent+=("redis-server (or REDIS_URL)")
[[ -n ${KAFKA_BROKER_URL:-} ]] || { command -v java && command -v mvn; } >/dev/null ||
  absent+=("default-jre-headless and maven (or KAFKA_BROKER_URL)")
[[ -n $(nginx_path) ]] || absent+=(nginx)
for program in prometheus prometheus-node-exporter prometheus-postgres-exporter prometheus-redis-exporter; do
  command -v "$program" >/dev/null || absent+=("$program")
done
unbuilt=()
command -v buildah >/dev/null || unbuilt+=(buildah)
command -v debootstrap >/dev/null || unbuilt+=(debootstrap)
command -v terraform >/dev/null ||
  echo "deps: no terraform: deploy/terraform can be neither applied nor checked; see developer.hashicorp.com/terraform/install" >&2
((${#unbuilt[@]} == 0)) || echo "deps: the tests of the images will fail; install the packages ${unbuilt[*]}" >&2
((${#absent[@]} == 0)) || (IFS=, && echo "deps: the tests of a cluster will fail; install the packages${absent[*]/#/ }" >&2)

((missing == 0)) || exit 1
echo "deps: go $go_version, node $node_version, browser $(browser || true)"

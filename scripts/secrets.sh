#!/usr/bin/env bash
# Makes the passwords of deploy/k8s/overlays/local, in its folder `secrets` or in the one that is given: random ones, one file for
# each Secret. What is there already stays as it is, and what belongs to it is made to fit, so this may be run again at any time.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-deploy/k8s/overlays/local/secrets}
umask 077
mkdir -p "$folder"

# No sign that means something in an address.
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# value FILE NAME: what is there, or a new one.
value() {
  local found
  found=$(sed -n "s/^$2=//p" "$folder/$1" 2>/dev/null || true)
  printf '%s' "${found:-$(random)}"
}

# keep FILE LINE…: makes the file, whole or not at all, unless it is there.
keep() {
  local file=$folder/$1
  [[ -e $file ]] && return
  shift
  printf '%s\n' "$@" >"$file.new"
  mv "$file.new" "$file"
}

postgres=$(value postgres.env POSTGRES_PASSWORD)
redis=$(value redis.env REDIS_PASSWORD)

keep postgres.env "POSTGRES_PASSWORD=$postgres"
keep redis.env "REDIS_PASSWORD=$redis"
keep blabber-hive.env "DATABASE_URL=postgres://hive:$postgres@postgres:5432/hive?sslmode=disable" "REDIS_URL=redis://:$redis@redis:6379"
keep exporters.env 'DATA_SOURCE_URI=postgres:5432/hive?sslmode=disable' DATA_SOURCE_USER=hive "DATA_SOURCE_PASS=$postgres" \
  REDIS_ADDR=redis://redis:6379 "REDIS_PASSWORD=$redis"
keep grafana.env "GF_SECURITY_ADMIN_PASSWORD=$(random)"
# Whoever loses this one has no backups, whatever lies in the bucket.
keep backup.env "RESTIC_PASSWORD=$(random)"

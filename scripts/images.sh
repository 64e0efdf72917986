#!/usr/bin/env bash
# Builds our images: blabber-hive:v1, and sentiment-analysis:v1 where its Dockerfile is there.
#
#   scripts/images.sh [--platform linux/arm64] [--tag v1] [NAME…]
#
# With Docker, podman or buildah, whichever works (ENGINE names one). STAND_INS=1 builds with buildah on stand-ins for the
# base images that are made here (scripts/bases.sh), for machines that reach no registry; caches of Go and npm, and how this
# machine reaches their registries, are lent to such a build and get into no image.
set -euo pipefail
cd "$(dirname "$0")/.."

platform='' tag=v1 names=()
while (($#)); do
  case $1 in
    --platform) platform=$2 && shift 2 ;;
    --tag) tag=$2 && shift 2 ;;
    -*) echo "images: unknown option $1" >&2; exit 2 ;;
    *) names+=("$1") && shift ;;
  esac
done
((${#names[@]})) || names=(blabber-hive sentiment-analysis)

engine=${ENGINE:-}
[[ -z ${STAND_INS:-} ]] || engine=buildah
if [[ -z $engine ]]; then
  if docker info >/dev/null 2>&1; then
    engine=docker
  elif command -v podman >/dev/null; then
    engine=podman
  elif command -v buildah >/dev/null; then
    engine=buildah
  else
    echo "images: neither Docker, podman nor buildah works here: install one of them" >&2
    exit 1
  fi
fi

version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
seconds=$(git log -1 --format=%ct 2>/dev/null || echo 0) # the commit's time, whenever it is built
created=$(date -u -d "@$seconds" +%FT%TZ)
args=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "CREATED=$created")
[[ -z $platform ]] || args+=(--platform "$platform")

case $engine in
  docker)
    export SOURCE_DATE_EPOCH=$seconds
    build=(docker buildx build --load "${args[@]}")
    ;;
  podman) build=(podman build --format docker --timestamp "$seconds" "${args[@]}") ;; # OCI has no health check
  buildah)
    build=(buildah)
    if [[ -n ${STAND_INS:-} ]]; then
      cache=${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive
      build=(buildah --root "$cache/images" --runroot "$cache/images-run" --storage-driver vfs)
      BUILDAH="${build[*]}" scripts/bases.sh
      lent=$(mktemp -d)
      trap 'rm -rf "$lent"' EXIT
      # npm opens thousands of files, and a build would get 1,024.
      args+=(--pull-never --isolation chroot --ulimit "nofile=$(ulimit -Hn):$(ulimit -Hn)")
    fi
    case $(uname -m) in x86_64) own=amd64 ;; aarch64) own=arm64 ;; *) own=$(uname -m) ;; esac
    args+=(--build-arg "BUILDPLATFORM=linux/$own") # which older ones leave empty
    build+=(bud --format docker --timestamp "$seconds" "${args[@]}")
    ;;
  *) echo "images: $engine is none of docker, podman, buildah" >&2; exit 2 ;;
esac

# lend gives a build the caches and the settings of this machine.
lend() {
  local certificates=/etc/ssl/certs/ca-certificates.crt
  mkdir -p "$(go env GOMODCACHE)" "$(go env GOCACHE)" "$HOME/.npm" "$HOME/.cache/pip"
  go env -json GOPROXY GOSUMDB GONOSUMDB GOFLAGS | node -e '
    const set = JSON.parse(require("fs").readFileSync(0));
    for (const [name, value] of Object.entries(set)) if (value) console.log(name + "=" + value);' >"$lent/go.env"
  printf 'registry=%s\ncafile=%s\nprefer-offline=true\n' "$(npm config get registry)" "$certificates" >"$lent/npmrc"
  {
    echo '[global]'
    echo "cert = $certificates"
    pip config list 2>/dev/null | sed -n "s/.*\\(index-url\\)='\\(.*\\)'/\\1 = \\2/p"
  } >"$lent/pip.conf"
  build+=(
    -v "$certificates:$certificates:ro"
    -v "$(go env GOMODCACHE):/go/pkg/mod" -v "$(go env GOCACHE):/root/.cache/go-build" -v "$lent/go.env:/root/.config/go/env:ro"
    -v "$HOME/.npm:/root/.npm" -v "$lent/npmrc:/root/.npmrc:ro"
    -v "$HOME/.cache/pip:/root/.cache/pip" -v "$lent/pip.conf:/etc/pip.conf:ro"
  )
}
[[ -z ${STAND_INS:-} ]] || lend

for name in "${names[@]}"; do
  case $name in
    blabber-hive) file=Dockerfile context=. ;;
    sentiment-analysis) file=sentiment/Dockerfile context=sentiment ;;
    *) echo "images: $name is none of blabber-hive, sentiment-analysis" >&2; exit 2 ;;
  esac
  [[ -e $file ]] || continue
  echo "images: building $name:$tag with $engine"
  "${build[@]}" -f "$file" -t "$name:$tag" "$context"
done

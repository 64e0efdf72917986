#!/usr/bin/env bash
# Makes stand-ins for the base images that our Dockerfiles name, for machines that reach no registry of images: the Debian or
# Ubuntu that runs here, by debootstrap, with this machine's own Go or Node or that system's Python on top. They have the names and tags of the real ones, so that
# the Dockerfiles are built as they are, and live in a store of their own in the user's cache folder, never among images
# that are used for anything. Root only. scripts/images.sh calls this.
#
# Prints nothing when all is there. BUILDAH is the command with the place of the store.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive
read -ra buildah <<<"${BUILDAH:-buildah --root $cache/images --runroot $cache/images-run --storage-driver vfs}"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
components=$(. /etc/os-release && [[ $ID == ubuntu ]] && echo main,universe || echo main)

# packages sources of the system, and with it a mirror that this machine reaches.
mirror() {
  local found
  found=$(awk '$1 == "URIs:" { print $2; exit }' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
  [[ -n $found ]] || found=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true)
  [[ -n $found ]] || { echo "bases: no source of Debian packages is set up" >&2; return 1; }
  echo "$found"
}

# rootfs makes the folder that all stand-ins begin with.
rootfs() {
  [[ ! -d $debian ]] || return 0
  local new=$debian.new
  rm -rf "$new"
  echo "bases: making $suite with debootstrap"
  # What Node is linked with beside the C library.
  if ! debootstrap --variant=minbase --components="$components" --include=ca-certificates,tzdata,libatomic1,libstdc++6 "$suite" "$new" "$(mirror)" >"$log" 2>&1; then
    tail -20 "$log" >&2
    rm -rf "$new"
    return 1
  fi
  rm -rf "$new"/var/cache/apt/* "$new"/var/lib/apt/lists/* "$new"/usr/share/{doc,man,info,locale}/* "$new"/dev/*
  mv "$new" "$debian"
}

# commit CONTAINER NAME [ARCH] makes the image NAME of a container and puts the container away.
commit() {
  "${buildah[@]}" config --arch "${3:-$arch}" --os linux --label "$label=$key" "$1" >/dev/null
  "${buildah[@]}" commit --quiet --rm "$1" "$2" >/dev/null
}

go_base() {
  local c
  c=$("${buildah[@]}" from scratch)
  "${buildah[@]}" add --quiet "$c" "$debian" / >/dev/null
  "${buildah[@]}" add --quiet "$c" "$(go env GOROOT)" /usr/local/go >/dev/null
  "${buildah[@]}" config --env GOPATH=/go --env GOTOOLCHAIN=local --env PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$c"
  commit "$c" "$1"
}

node_base() {
  local c root
  c=$("${buildah[@]}" from scratch)
  root=$(npm root --global)
  "${buildah[@]}" add --quiet "$c" "$debian" / >/dev/null
  "${buildah[@]}" copy --quiet "$c" "$(node -p process.execPath)" /usr/local/bin/node >/dev/null
  "${buildah[@]}" add --quiet "$c" "$root/npm" /usr/local/lib/node_modules/npm >/dev/null
  "${buildah[@]}" run --isolation chroot "$c" -- sh -c 'cd /usr/local/bin && ln -s ../lib/node_modules/npm/bin/npm-cli.js npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js npx'
  commit "$c" "$1"
}

# As the real one: certificates, time zones, and names for the numbers of users.
static_base() {
  local c root
  root=$(mktemp -d)
  mkdir -p "$root"/{etc/ssl/certs,usr/share,home/nonroot,tmp}
  cp "$debian"/etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cp -a "$debian/usr/share/zoneinfo" "$root/usr/share/"
  printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$root/etc/passwd"
  printf '%s\n' root:x:0: nonroot:x:65532: >"$root/etc/group"
  chmod 1777 "$root/tmp"
  chown 65532:65532 "$root/home/nonroot"
  # The name stands for several architectures, of which the files are the same.
  "${buildah[@]}" manifest create "$1" >/dev/null
  local each
  for each in amd64 arm64; do
    c=$("${buildah[@]}" from scratch)
    "${buildah[@]}" add --quiet "$c" "$root" / >/dev/null
    "${buildah[@]}" config --user 65532:65532 "$c"
    commit "$c" "localhost/static:$each" "$each"
    "${buildah[@]}" manifest add "$1" "localhost/static:$each" >/dev/null
  done
  rm -rf "$root"
}

# The system's own Python: this machine's may be spread over folders that hold other things.
python_base() {
  local c
  c=$("${buildah[@]}" from scratch)
  "${buildah[@]}" add --quiet "$c" "$debian" / >/dev/null
  "${buildah[@]}" run --isolation chroot "$c" -- sh -c '
    apt-get update && apt-get install -y --no-install-recommends python3 python3-venv python3-pip &&
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/share/doc/*' >"$log" 2>&1 || { tail -20 "$log" >&2; return 1; }
  commit "$c" "$1"
}

# What a stand-in is made of: it is made again when any of that changes.
label=org.blabber-hive.stand-in
key=$( (cat "$0" && go version && node --version && python3 --version) | sha256sum | cut -c1-16)
arch=$(go env GOHOSTARCH)
debian=$cache/debian-$suite-1 # another number for another list of packages

log=$(mktemp)
trap 'rm -f "$log"' EXIT
mkdir -p "$cache"
exec 9>"$cache/bases.lock" # two checkouts may be at it at once
flock 9

shopt -s nullglob
for name in $(awk 'toupper($1) == "FROM" { print ($2 ~ /^--/) ? $3 : $2 }' Dockerfile sentiment/Dockerfile* | sort -u); do
  [[ $name == *[:/]* ]] || continue # a stage
  stamp=$cache/images/stand-in-$(sha256sum <<<"$name $key" | cut -c1-16)
  [[ ! -e $stamp ]] || continue
  rootfs
  echo "bases: making a stand-in for $name"
  "${buildah[@]}" manifest rm "$name" >/dev/null 2>&1 || "${buildah[@]}" rmi --force "$name" >/dev/null 2>&1 || true
  case $name in
    */golang:*) go_base "$name" ;;
    */node:*) node_base "$name" ;;
    */python:*) python_base "$name" ;;
    gcr.io/distroless/static*) static_base "$name" ;;
    *) echo "bases: no recipe for $name: add one to scripts/bases.sh" >&2; exit 1 ;;
  esac
  touch "$stamp"
done

#!/usr/bin/env bash
# Builds the images from their Dockerfiles on stand-ins for the bases (scripts/bases.sh), starts the server's as compose
# does (its user, nothing writable but the volume, no capability) and holds it to what it promises. Closes with
# `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive
buildah=(buildah --root "$cache/images" --runroot "$cache/images-run" --storage-driver vfs)
megabytes_max=40 # as it is pulled

for tool in buildah debootstrap unshare; do
  command -v "$tool" >/dev/null || { echo "test-images: $tool is missing (Debian packages buildah, debootstrap, util-linux)" >&2; exit 1; }
done
# Root makes file systems of other users. Who may become root without being asked does.
if [[ $(id -u) != 0 ]]; then
  sudo -n true 2>/dev/null || { echo "test-images: needs root: run it with sudo" >&2; exit 1; }
  exec sudo -n env "PATH=$PATH" "HOME=$HOME" "XDG_CACHE_HOME=${XDG_CACHE_HOME:-}" "$0"
fi

# One at a time: they share the store of images.
mkdir -p "$cache"
exec 8>"$cache/test-images.lock"
flock 8

work=$(mktemp -d /tmp/blabber-hive-images-XXXXXX)
passed=0 failed=0 server=
containers=()
finish() {
  [[ -z $server ]] || kill -9 "$server" 2>/dev/null || true
  ((${#containers[@]} == 0)) || "${buildah[@]}" rm "${containers[@]}" >/dev/null 2>&1 || true
  "${buildah[@]}" rmi --prune >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

# check WHAT COMMAND… counts one promise.
check() {
  local what=$1
  shift
  if "$@" >"$work/said" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $what"
  else
    failed=$((failed + 1))
    echo "FAIL  $what"
    sed 's/^/      /' "$work/said" | tail -20
  fi
}

# about IMAGE EXPRESSION prints a part of an image's description: d is the whole, c what a container starts with.
about() {
  "${buildah[@]}" inspect --type image "$1" |
    node -p 'const d = JSON.parse(require("fs").readFileSync(0)).Docker, c = d.config; '"$2"
}

# unpack IMAGE [OPTION…] puts the path of an image's files into the variable root.
unpack() {
  local c
  c=$("${buildah[@]}" from --pull-never "${@:2}" "$1")
  containers+=("$c")
  root=$("${buildah[@]}" mount "$c")
}

# The sums of what an image consists of, as it is and as it is pulled.
sizes() {
  tar -C "$1" -cf "$work/layer.tar" .
  plain=$(du -sb "$1" | cut -f1)
  pulled=$(gzip -6 <"$work/layer.tar" | wc -c)
  rm "$work/layer.tar"
}
megabytes() { awk -v n="$1" 'BEGIN { printf "%.1f MB", n / 1e6 }'; }

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }

export STAND_INS=1 VERSION=v0.0.0-test
image=localhost/blabber-hive:test

check "the Dockerfile builds for linux/amd64" scripts/images.sh --platform linux/amd64 --tag test blabber-hive
"${buildah[@]}" inspect --type image "$image" >/dev/null # nothing below makes sense without it
unpack "$image"
amd64=$root
binary=$amd64/usr/local/bin/blabber-hive
sum=$(sha256sum <"$binary")
sizes "$amd64"
echo "      blabber-hive: $(megabytes "$plain") unpacked, $(megabytes "$pulled") pulled, the binary $(megabytes "$(stat -c %s "$binary")")"
check "it is pulled in under $megabytes_max MB" test "$pulled" -lt $((megabytes_max * 1000 * 1000))
check "the binary is static" bash -c '! readelf -l "$1" | grep -q INTERP' _ "$binary"
check "the binary knows its version" bash -c '"$1" version | grep -qx "blabber-hive v0.0.0-test"' _ "$binary"
check "there is no shell and no other program" bash -c 'test "$(find "$1" -type f -perm /111 | wc -l)" = 1' _ "$amd64"
check "nothing of this machine's settings is in it" bash -c '! find "$1" -name .npmrc -o -name "go.env" -o -name pip.conf | grep .' _ "$amd64"
check "it runs as nobody in particular" test "$(about "$image" c.User)" = 65532:65532
check "the volume is that user's" test "$(about "$image" 'Object.keys(c.Volumes).join()') $(stat -c %u:%g "$amd64/data")" = "/data 65532:65532"
for label in title description source licenses version revision created documentation; do
  check "label org.opencontainers.image.$label" test -n "$(about "$image" "c.Labels['org.opencontainers.image.$label'] || ''")"
done

# The same commit, built in another place by other means, is the same binary.
mkdir "$work/other"
git ls-files -co --exclude-standard -z | tar --null -T - -c --ignore-failed-read 2>/dev/null | tar -x -C "$work/other"
cp -a web/node_modules "$work/other/web/node_modules"
check "another folder and make give the same binary" bash -c 'cd "$1" && touch web/node_modules/.package-lock.json && make build VERSION=v0.0.0-test >&2 && test "$(sha256sum <bin/blabber-hive)" = "$2"' _ "$work/other" "$sum"
rm -rf "$work/other"

# Started as compose starts it: its user, no way to more rights, nothing writable but the volume, and the variables of the
# image with ports that are free here. Each step becomes the next, so that the mounts end with the program.
mkdir "$work/data"
chown 65532:65532 "$work/data"
chmod 755 "$work"
mapfile -t variables < <(about "$image" 'c.Env.join("\n")')
port=$(free_port) admin=$(free_port)
inside() {
  # shellcheck disable=SC2016 # the inner shell's variables
  exec unshare --mount bash -c '
    set -e
    root=$1 data=$2
    shift 2
    mount --bind "$root" "$root"
    mount -o remount,bind,ro "$root"
    mount --bind "$data" "$root/data"
    exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups=65532 "$root" "$@"' _ "$amd64" "$work/data" \
    /usr/local/bin/blabber-hive "$@"
}
# container COMMAND… becomes the program: call it in a process of its own.
container() {
  local names
  mapfile -t names < <(compgen -e | grep -vx PATH)
  unset "${names[@]}"
  export "${variables[@]}" "ADDR=127.0.0.1:$port" "ADMIN_ADDR=127.0.0.1:$admin"
  inside "$@"
}
healthcheck() { (container healthcheck); }

healthcheck >/dev/null 2>&1 && code=0 || code=$?
check "the health check fails while nothing runs" test "$code" = 1
container serve >"$work/log" 2>&1 8>&- & # without the lock, should it outlive us
server=$!
soon() { # waits for a condition for a minute
  local until=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || return 1
    read -rt 0.1 <> <(:) || true # a tenth of a second
  done
}
check "the health check passes once it serves" soon healthcheck
check "it runs as 65532, with no rights and no way to any" grep -qzP 'Uid:\t65532\t65532\t65532\t65532[\s\S]*CapEff:\t0{16}[\s\S]*NoNewPrivs:\t1' "/proc/$server/status"
check "its root cannot be written to" bash -c '! touch "/proc/$1/root/new" && ! touch "/proc/$1/root/tmp/new"' _ "$server"
check "it serves the web client" bash -c 'curl -sSf "http://127.0.0.1:$1/" | grep -q "<div id=\"root\""' _ "$port"
check "it has an account made by the command" bash -c 'test "$1" = 0' _ "$( (container user create mina --generate) >/dev/null 2>&1; echo $?)"
check "its log is JSON" bash -c 'head -1 "$1" | node -e "JSON.parse(require(\"fs\").readFileSync(0))"' _ "$work/log"
kill -TERM "$server"
wait "$server" && code=0 || code=$?
server=
check "it ends with 0 when it is told to" test "$code" = 0

# Nothing is emulated: the compilers run here, and the last stage runs nothing.
check "the Dockerfile builds for linux/arm64" scripts/images.sh --platform linux/arm64 --tag test-arm64 blabber-hive
unpack "$image-arm64" --arch arm64
check "that image is for arm64" test "$(about "$image-arm64" d.architecture)" = arm64
check "and so is its binary" bash -c 'readelf -h "$1/usr/local/bin/blabber-hive" | grep -q AArch64' _ "$root"
sizes "$root"
echo "      blabber-hive for arm64: $(megabytes "$plain") unpacked, $(megabytes "$pulled") pulled"
check "it is pulled in under $megabytes_max MB, too" test "$pulled" -lt $((megabytes_max * 1000 * 1000))

# The sentiment service, on the same stand-in of Debian.
sentiment=localhost/sentiment-analysis:test
if check "the sentiment service's Dockerfile builds" scripts/images.sh --tag test sentiment-analysis && "${buildah[@]}" inspect --type image "$sentiment" >/dev/null; then
  unpack "$sentiment"
  sizes "$root/opt"
  echo "      sentiment-analysis: $(megabytes "$plain") unpacked, $(megabytes "$pulled") pulled, beside its Python"
  check "it runs as nobody in particular" test "$(about "$sentiment" c.User)" = 65532:65532
  mapfile -t variables < <(about "$sentiment" 'c.Env.join("\n")')
  port=$(free_port)
  model() {
    local names
    mapfile -t names < <(compgen -e | grep -vx PATH)
    unset "${names[@]}"
    export "${variables[@]}"
    # shellcheck disable=SC2016 # the inner shell's variables
    PATH=$PATH:/usr/sbin:/sbin exec unshare --mount bash -c '
      set -e
      root=$1
      shift
      mount --bind "$root" "$root"
      mount --rbind /dev "$root/dev"
      mount -o remount,bind,ro "$root"
      exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups=65532 "$root" "$@"' _ "$root" "$@"
  }
  mapfile -t command < <(about "$sentiment" 'c.Entrypoint.join("\n")')
  mapfile -t asks < <(about "$sentiment" 'c.Healthcheck.Test.slice(1).join("\n").replaceAll(":8000", ":'"$port"'")')
  model "${command[@]}" --host 127.0.0.1 --port "$port" >"$work/log" 2>&1 8>&- &
  server=$!
  asked() { (model "${asks[@]}"); }
  check "its health check passes once it serves" soon asked
  check "it knows a mood by its own model" bash -c 'curl -sSf "http://127.0.0.1:$1/v1/analyze" -H "Content-Type: application/json" -d "{\"texts\": [\"I love this, thank you!\"]}" | grep -q "\"label\":\"positive\""' _ "$port"
  kill -TERM "$server"
  wait "$server" && code=0 || code=$?
  server=
  # Once all is answered, uvicorn lets the signal that asked have its way, as a shell expects.
  check "it ends in order when it is told to" test "$code" = 0 -o "$code" = 143
  asked >/dev/null 2>&1 && code=0 || code=$?
  check "its health check fails then" test "$code" = 1
fi

echo "$passed passed, $failed failed"
((failed == 0))

#!/usr/bin/env bash
# Brings a cluster to what a kustomization says, in an order that nobody notices who chats there:
#
#   scripts/rollout.sh deploy/k8s/overlays/local
#
# Everything but the servers first, until what keeps data is there; then the migration, to its end, under the servers that
# run; then the servers are replaced, some at a time, as their Deployments say. Run again it goes on where it was; with
# nothing to change it only runs the migration, which then has nothing to do. CONTEXT names one of kubectl's contexts, if not
# the current one. What fails ends it with what kubectl says; the servers that ran go on running then.
set -euo pipefail

overlay=${1:?usage: rollout.sh FOLDER}
patience=${PATIENCE:-10m}
namespace=blabber-hive
kubectl=(kubectl --namespace "$namespace")
[[ -z ${CONTEXT:-} ]] || kubectl+=(--context "$CONTEXT")

manifests=$(mktemp)
waiting=()
cleanup() {
  ((${#waiting[@]} == 0)) || kill "${waiting[@]}" 2>/dev/null || true
  rm -f "$manifests"
}
trap cleanup EXIT
kubectl kustomize "$overlay" >"$manifests"

# One owner of all fields, whoever rolls out; what somebody has changed by hand is taken back.
apply() {
  "${kubectl[@]}" apply --server-side --field-manager=blabber-hive --force-conflicts --validate=strict --filename "$manifests" "$@"
}

say() { echo "rollout: $*"; }

# settle KIND: waits until all of a kind are what they shall be.
settle() {
  local name
  for name in $("${kubectl[@]}" get "$1" --selector app.kubernetes.io/part-of=blabber-hive --output name); do
    if ! "${kubectl[@]}" rollout status "$name" --timeout "$patience"; then
      say "$name is not there after $patience. Its pods:" >&2
      "${kubectl[@]}" get pods --selector "app.kubernetes.io/name=${name##*/}" >&2
      say "why: kubectl --namespace $namespace describe $name; back: kubectl --namespace $namespace rollout undo $name" >&2
      exit 1
    fi
  done
}

say "everything but the servers"
# A job cannot be changed, only made anew.
"${kubectl[@]}" delete job migrate --ignore-not-found >/dev/null
apply --selector 'app.kubernetes.io/component!=server'
settle statefulsets

say "the migration"
"${kubectl[@]}" wait --for=condition=complete --timeout="$patience" job/migrate >/dev/null &
complete=$!
"${kubectl[@]}" wait --for=condition=failed --timeout="$patience" job/migrate >/dev/null 2>&1 &
waiting=("$complete" "$!")
if ! wait -n -p first "${waiting[@]}" || [[ $first != "$complete" ]]; then
  say "the migration did not succeed; the servers are as they were. What it says:" >&2
  "${kubectl[@]}" logs job/migrate --tail 20 >&2 || true
  exit 1
fi

say "the servers"
apply --selector 'app.kubernetes.io/component=server'
settle deployments
say "done"

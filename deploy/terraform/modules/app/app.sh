#!/usr/bin/env bash
# What Terraform does with the chat in a cluster:
#
#   app.sh up        writes KUSTOMIZATION into the folder LAYER, and rolls that out
#   app.sh down      takes the namespace away, with its volumes and its load balancer
#
# CLUSTER and REGION name a cluster of EKS; without them it is kubectl's CONTEXT, or its current one.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
export PATIENCE=${PATIENCE:-15m}

config=
trap '[[ -z $config ]] || rm -f "$config"' EXIT
if [[ -n ${CLUSTER:-} ]]; then
  config=$(mktemp)
  aws eks update-kubeconfig --name "$CLUSTER" --region "${REGION:?a cluster of EKS has a region}" --kubeconfig "$config" >/dev/null
  export KUBECONFIG=$config CONTEXT=
fi

case ${1:-} in
  up)
    mkdir -p "${LAYER:?the folder of the layer is missing}"
    printf '%s' "${KUSTOMIZATION:?what the layer says is missing}" >"$LAYER/kustomization.yaml"
    "$root/scripts/rollout.sh" "$LAYER"
    ;;
  down)
    kubectl=(kubectl)
    [[ -z ${CONTEXT:-} ]] || kubectl+=(--context "$CONTEXT")
    # Waits for the controllers, which take load balancers and disks away before the namespace may go.
    "${kubectl[@]}" delete namespace blabber-hive --ignore-not-found --wait --timeout "$PATIENCE"
    # What is in no namespace.
    "${kubectl[@]}" delete priorityclasses,storageclasses --selector app.kubernetes.io/part-of=blabber-hive --ignore-not-found
    ;;
  *)
    echo "usage: app.sh up|down" >&2
    exit 2
    ;;
esac

#!/usr/bin/env bash
# Looks through what each overlay of deploy/k8s renders to, with kube-score. The folder that is given has it and kustomize (make lint-k8s).
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${1:?the folder that has kube-score and kustomize}

# What it asks for and we do not do, each with its reason; what is asked for in its place is in deploy/k8s/k8stest.
ignored=(
  container-ephemeral-storage-request-and-limit # roots are read-only, and every emptyDir has a size
  container-image-pull-policy                   # images have versions, which are never another image; a registry that is away stops nobody
  container-security-context-user-group-id      # images have users of their own, whose files these are
  pod-probes-identical                          # liveness asks the same and waits longer for an answer
  deployment-has-host-podantiaffinity           # topologySpreadConstraints say the same, and let pods run where there is one machine
  deployment-replicas                           # what chat goes on without is there once; the others have budgets
  cronjob-has-deadline                          # restoring is suspended, and never started by a clock
)
# In one cluster on one machine a NodePort is the door.
declare -A more=([local]=service-type [eks]='')

# In a copy: the local overlay needs passwords, and looking must not leave any behind.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/deploy"
cp -R deploy/k8s deploy/compose "$copy/deploy/"
scripts/secrets.sh "$copy/deploy/k8s/overlays/local/secrets"
for overlay in local eks; do
  "$tools/kustomize" build "$copy/deploy/k8s/overlays/$overlay" |
    "$tools/kube-score" score --kubernetes-version v1.34 --exit-one-on-warning --output-format ci \
      --ignore-test "$(IFS=,; printf '%s' "${ignored[*]}")${more[$overlay]:+,${more[$overlay]}}" - |
    { grep -Ev '^\[(OK|SKIPPED)\]' || true; }
done

#!/usr/bin/env bash
# Prints the path of a folder with a Kubernetes control plane: kube-apiserver, kube-controller-manager, kube-scheduler and
# kubectl of one release (tools/k8s), etcd, kwok, which plays the nodes, and kubeconform (tools/k8s/beside), prometheus-adapter
# (tools/k8s/adapter), the stages that pods go through at kwok, and the custom resources of External Secrets. Built once for
# each version into the user's cache, from Go modules alone: 15 minutes on two cores, and no container runtime.
set -euo pipefail
cd "$(dirname "$0")/../tools/k8s"

# Nothing of it is compiled in, only its definitions of external-secrets.io/v1 are applied.
external_secrets=github.com/external-secrets/external-secrets@v1.3.2

cache=${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive
made=$cache/k8s-$( (go env GOVERSION && cat go.mod beside/go.mod adapter/go.mod && echo "$external_secrets") | sha256sum | cut -c1-16)

mkdir -p "$cache"
if [[ ! -e $made/complete ]]; then
  exec 9>"$cache/k8s.lock" # two checkouts may be at it at once: one makes it, the other waits and finds it made
  flock 9
  if [[ ! -e $made/complete ]]; then
    echo "k8s: building Kubernetes $(go list -m -f '{{.Version}}' k8s.io/kubernetes); the first time takes 15 minutes" >&2
    rm -rf "$made"
    mkdir "$made"
    release=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
    # Without it clients take the server for one of no version.
    stamp="-X k8s.io/component-base/version.gitVersion=$release -X k8s.io/client-go/pkg/version.gitVersion=$release"
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $stamp" -o "$made/" tool >&2
    cd beside
    CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$made/" tool >&2
    mv "$made/server" "$made/etcd" # its command has the folder's name
    (cd ../adapter && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$made/prometheus-adapter" sigs.k8s.io/prometheus-adapter/cmd/adapter >&2)

    stages=$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
    for stage in "$stages"/{node/fast/node,node/heartbeat-with-lease/node,pod/fast/pod,volume/fast/pv}-*.yaml "$stages"/volume/fast/pvc-*.yaml; do
      printf -- '---\n'
      cat "$stage"
    done | sed "s/self.spec.storageClassName == 'kwok-volume'/has(self.spec.storageClassName)/" >"$made/stages.yaml" # of any class
    crds=$(go mod download -json "$external_secrets" | sed -n 's/^\t*"Dir": "\(.*\)",*$/\1/p')/config/crds/bases
    for name in externalsecrets secretstores; do
      printf -- '---\n'
      cat "$crds/external-secrets.io_$name.yaml"
    done >"$made/external-secrets.yaml"

    touch "$made/complete"
    # Those of older versions are 500 MB each.
    find "$cache" -maxdepth 1 -type d -name 'k8s-[0-9a-f]*' ! -path "$made" -exec rm -rf {} +
  fi
  exec 9>&-
fi
echo "$made"

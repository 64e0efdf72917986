#!/usr/bin/env bash
# From nothing to a running chat in a Kubernetes on this machine, and after a change from there to the changed one:
#
#   scripts/up-local.sh          # make up-local
#   scripts/up-local.sh --down   # make down-local: takes it away, with what was said in it
#
# It builds the images, hands them to the cluster, draws passwords once, rolls out, and says what to open. The cluster is the one
# that kubectl is set to, if that is one of this machine; without any, kind makes one. CONTEXT names another of kubectl's contexts,
# to which nobody here can hand images: IMAGES=registry.example.com/chat:v2 says where that one finds them (blabber-hive and
# sentiment-analysis, of that tag).
set -euo pipefail
cd "$(dirname "$0")/.."

overlay=deploy/k8s/overlays/local
say() { echo "up-local: $*"; }
refuse() {
  echo "up-local: $*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null; }

has kubectl || refuse "kubectl is missing: see kubernetes.io/docs/tasks/tools"
context=${CONTEXT:-$(kubectl config current-context 2>/dev/null || true)}
if [[ -z $context ]]; then
  [[ ${1:-} != --down ]] || refuse "kubectl is set to no cluster, so nothing is there"
  has kind || refuse "kubectl is set to no cluster: install kind (kind.sigs.k8s.io), or start minikube, k3d or Docker Desktop's Kubernetes"
  kind create cluster --name blabber-hive --config "$overlay/kind.yaml"
  context=kind-blabber-hive
fi
export CONTEXT=$context
kubectl=(kubectl --context "$context" --namespace blabber-hive)

# hand IMAGE…: puts images of this machine's Docker or podman where the cluster finds them.
case $context in
  kind-*) hand() { kind load docker-image --name "${context#kind-}" "$@"; } ;;
  k3d-*) hand() { k3d image import --cluster "${context#k3d-}" "$@"; } ;;
  minikube) hand() { minikube image load "$@"; } ;;
  docker-desktop | orbstack | rancher-desktop | colima*) hand() { :; } ;; # they see Docker's own
  *)
    # So that nobody rolls a trial out on what others depend on.
    [[ ${1:-} == --down || -n ${IMAGES:-} ]] ||
      refuse "$context is no cluster of this machine that I know: set IMAGES to where it finds images, or CONTEXT to another one"
    ;;
esac

scripts/secrets.sh
if [[ ${1:-} == --down ]]; then
  "${kubectl[@]}" delete --kustomize "$overlay" --ignore-not-found
  say "it is gone, and its volumes with it. Its passwords lie in $overlay/secrets still."
  exit
fi

# What is built is named by what is in it, so that a changed image replaces what runs and the same one does not.
layer=build/k8s-local
mkdir -p "$layer"
{
  echo 'apiVersion: kustomize.config.k8s.io/v1beta1'
  echo 'kind: Kustomization'
  echo "resources: [../../$overlay]"
  echo 'images:'
} >"$layer/kustomization.yaml.new"
if [[ -n ${IMAGES:-} ]]; then
  for name in blabber-hive sentiment-analysis; do
    echo "  - {name: $name, newName: ${IMAGES%:*}/$name, newTag: \"${IMAGES##*:}\"}" >>"$layer/kustomization.yaml.new"
  done
else
  engine=${ENGINE:-docker}
  has "$engine" || engine=podman
  has "$engine" || refuse "neither Docker nor podman is here to build the images"
  ENGINE=$engine scripts/images.sh --tag local
  for name in blabber-hive sentiment-analysis; do
    id=$("$engine" image inspect --format '{{.Id}}' "$name:local")
    id=${id#sha256:}
    "$engine" tag "$name:local" "$name:${id:0:12}"
    say "handing $name:${id:0:12} to $context"
    hand "$name:${id:0:12}"
    echo "  - {name: $name, newTag: \"${id:0:12}\"}" >>"$layer/kustomization.yaml.new"
  done
fi
mv "$layer/kustomization.yaml.new" "$layer/kustomization.yaml"

scripts/rollout.sh "$layer"

# The port is this machine's where kind.yaml has led it here; elsewhere kubectl leads the way.
if curl --silent --fail --output /dev/null --max-time 3 http://localhost:8001/api/v1/config; then
  say "open http://localhost:8001"
else
  say "run this, and open http://localhost:8001"
  say "  ${kubectl[*]} port-forward service/nginx 8001:80"
fi
say "the first account is made in the browser, or by"
say "  ${kubectl[*]} exec deployment/gateway -- blabber-hive user create NAME --admin --generate"
say "Grafana: ${kubectl[*]} port-forward service/grafana 3001:3000, as admin, with what $overlay/secrets/grafana.env says"

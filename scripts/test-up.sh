#!/usr/bin/env bash
# Runs scripts/up.sh and the module app with programs that only write down what they are asked, in a copy of the tree:
#
#   scripts/test-up.sh TREE SCRATCH
#
# What AWS would make of it is not to be had without AWS; what is asked of it, in which order, and what is refused, is.
# For scripts/test-terraform.sh, which makes the copy.
set -euo pipefail

tree=$1 scratch=$2
mkdir -p "$scratch/bin" "$scratch/home"
export CALLS=$scratch/calls STATE=$scratch/state
terraform=$(command -v terraform) kubectl=$(command -v kubectl || true)

complain() {
  echo "$*" >&2
  [[ ! -e $CALLS ]] || sed 's/^/  /' "$CALLS" >&2
  exit 1
}

stand_in() {
  { printf '#!/usr/bin/env bash\necho "%s $*" >>"$CALLS"\n' "$1" && cat; } >"$scratch/bin/$1"
  chmod +x "$scratch/bin/$1"
}

# An account in which nothing is made yet; it remembers its bucket.
stand_in aws <<'STAND_IN'
case "$*" in
  'configure get region') echo eu-central-1 ;;
  'sts get-caller-identity'*) [[ ! -e $STATE.nobody ]] && echo 123456789012 ;;
  's3api head-bucket'*) [[ -e $STATE.bucket ]] ;;
  'ecr describe-images'*) [[ -e $STATE.images ]] ;;
  'ecr get-login-password') echo password ;;
  'eks update-kubeconfig'*) ;;
esac
STAND_IN
stand_in terraform <<'STAND_IN'
case "$*" in
  version) echo 'Terraform v1.11.4' ;;
  *bootstrap\ apply*) touch "$STATE.bucket" ;;
  *output\ -json\ infrastructure) cat "$STATE.infrastructure" ;;
  *output\ -raw*) echo "https://chat.example.com" ;;
esac
STAND_IN
stand_in docker <<'STAND_IN'
[[ $1 != login ]] || cat >/dev/null
STAND_IN
for name in curl make npx; do stand_in "$name" </dev/null; done
stand_in kubectl <<STAND_IN
case "\$*" in
  *kustomize*) exec "$kubectl" "\$@" ;;
  *wait*--for=condition=failed*) exec sleep 60 ;;
esac
STAND_IN

infrastructure() {
  node -e '
    const made = { name: "blabber-hive-staging", domain: "chat.example.com", hosted_zone_id: "Z1", protected: false,
      cluster: { architecture: "arm64" }, ingress: { host: "chat.example.com" }, frontend: null,
      repositories: { "blabber-hive": "registry.example.com/staging/blabber-hive", "sentiment-analysis": "registry.example.com/staging/sentiment-analysis" } };
    console.log(JSON.stringify(Object.assign(made, JSON.parse(process.argv[1]))));' "$1" >"$STATE.infrastructure"
}
infrastructure '{}'

cd "$tree"
mkdir -p sentiment && touch Dockerfile sentiment/Dockerfile # images.sh builds what is there
git -c init.defaultBranch=main init --quiet . && git add . && git -c user.name=t -c user.email=t@example.com commit --quiet -m t
tag=$(git rev-parse --short=12 HEAD)
yes=1
up() {
  rm -f "$CALLS"
  env -u AWS_REGION -u AWS_DEFAULT_REGION PATH="$scratch/bin:$PATH" YES="$yes" scripts/up.sh "$@" >"$scratch/said" 2>&1 </dev/null
}
settings=deploy/terraform/environments/staging/infrastructure
asked() { grep -nxE -m1 -- "$1" "$CALLS" | cut -d: -f1; }

# in_order CALL…: each was asked for, after the one before.
in_order() {
  local last=0 line call
  for call in "$@"; do
    line=$(asked "$call") || complain "nobody asked for: $call"
    ((line > last)) || complain "too early: $call"
    last=$line
  done
}
never() { ! grep -qE -- "$1" "$CALLS" || complain "somebody asked for: $1"; }

# refused WORDS ARGUMENT…: up refuses, with these words, before it has changed anything.
refused() {
  local words=$1
  shift
  ! up "$@" || complain "up $* was not refused"
  grep -q -- "$words" "$scratch/said" || { cat "$scratch/said" >&2 && complain "up $* did not say: $words"; }
  [[ ! -e $CALLS ]] || never 'terraform .* (apply|destroy)|docker push'
  echo "ok refused: $words"
}

refused 'which environment?' elsewhere
refused 'which environment?'
refused 'make up-local' local
refused 'Copy .*example.tfvars to terraform.tfvars' staging
echo 'domain = "chat.example.com"' >"$settings/terraform.tfvars"
yes=
refused 'nobody is there to be asked' staging
yes=1
touch "$STATE.nobody"
refused 'AWS does not know who you are' staging
rm "$STATE.nobody"
echo >>scripts/up.sh
refused 'changes that are in no commit' staging
git checkout --quiet scripts/up.sh

chdir='terraform -chdir=deploy/terraform'
staging=$chdir/environments/staging
backend='-backend-config=bucket=blabber-hive-state-123456789012-eu-central-1 -backend-config=region=eu-central-1'
up staging || { cat "$scratch/said" >&2 && complain "up staging failed"; }
in_order "$chdir/bootstrap apply -auto-approve -var bucket=blabber-hive-state-123456789012-eu-central-1" \
  "$staging/keep init .* $backend" "$staging/keep apply -auto-approve" \
  "$staging/infrastructure init .* $backend" "$staging/infrastructure apply -auto-approve" \
  "docker login --username AWS --password-stdin registry.example.com" \
  "docker buildx build .*--platform linux/arm64 .*-t blabber-hive:$tag ." \
  "docker push registry.example.com/staging/blabber-hive:$tag" \
  "docker push registry.example.com/staging/sentiment-analysis:$tag" \
  "$staging/workloads init .* $backend" "$staging/workloads apply -auto-approve" \
  "curl .*https://chat.example.com/api/v1/config"
grep -q '^The chat: *https://chat.example.com$' "$scratch/said" || complain "up does not say what to open"
echo "ok from nothing, in this order: bucket, what is kept, infrastructure, images, workloads"

touch "$STATE.images"
up staging || complain "the second up staging failed"
never "bootstrap apply|docker (login|push|buildx)"
in_order "$staging/infrastructure apply -auto-approve" "$staging/workloads apply -auto-approve"
echo "ok again: neither bucket nor images are made twice"

infrastructure '{ "frontend": { "host": "cloudfront", "api": "https://api.chat.example.com", "connect": "", "bucket": "client", "distribution_id": "D1" }, "ingress": { "host": "api.chat.example.com" } }'
up staging || complain "up with the client elsewhere failed"
in_order "$staging/workloads apply -auto-approve" "make .*web-static API=https://api.chat.example.com CONNECT=" \
  "aws s3 sync web/dist/static/assets s3://client/assets .*immutable.*" "aws s3 sync web/dist/static s3://client .*no-cache.*" \
  "aws cloudfront create-invalidation --distribution-id D1 .*" "curl .*https://api.chat.example.com/api/v1/config"
echo "ok a client elsewhere: after the servers, its page after what it asks for"

infrastructure '{ "protected": true }'
refused 'is protected' --down staging
infrastructure '{}'
up --down staging || { cat "$scratch/said" >&2 && complain "down failed"; }
in_order "$staging/workloads destroy -auto-approve" "$staging/infrastructure destroy -auto-approve"
never '/keep destroy|bootstrap destroy'
grep -q 'What stays' "$scratch/said" || complain "down does not say what stays"
echo "ok down: what runs, then what it ran on; backups stay"

## The module app, applied for real: it needs no provider, and kubectl builds its layer

[[ -n $kubectl ]] || complain "kubectl is missing: the layer on top of deploy/k8s cannot be built"
scripts/secrets.sh
app=$tree/deploy/terraform/tests/app
apply() {
  rm -f "$CALLS"
  PATH="$scratch/bin:$PATH" "$terraform" -chdir="$app" "$@" -auto-approve -no-color >"$scratch/said" 2>&1 ||
    { cat "$scratch/said" >&2 && complain "the module app: terraform $*"; }
}
# stand-ins come first in PATH, but for terraform itself
rm "$scratch/bin/terraform"
"$terraform" -chdir="$app" init >/dev/null

for overlay in local eks; do
  apply apply -var "overlay=$overlay" -var "tag=$tag"
  "$kubectl" kustomize "$app/.layer" >"$scratch/built"
  "$kubectl" kustomize "deploy/k8s/overlays/$overlay" >"$scratch/plain"
  grep -q "image: registry.example.org/blabber-hive:$tag" "$scratch/built" || complain "$overlay: not our image"
  ! grep -E 'image: .*(blabber-hive|sentiment-analysis):v1$' "$scratch/built" || complain "$overlay: an image of the base is left"
  grep -q 'PUBLIC_URL: https://hive.example.org' "$scratch/built" || complain "$overlay: variables are not merged"
  grep -q 'LOG_FORMAT: json' "$scratch/built" || complain "$overlay: variables of the base are gone"
  # As many objects, plus the way out to the sign-in service and the certificates of the database.
  extra=0 && [[ $overlay == local ]] || extra=2
  (($(grep -c '^kind:' "$scratch/built") == $(grep -c '^kind:' "$scratch/plain") + extra)) || complain "$overlay: objects are lost or doubled"
  grep -q "kubectl .*apply .*component=server" "$CALLS" || complain "$overlay: nothing is rolled out"
  echo "ok the layer on $overlay builds, and is rolled out"
done

# Whatever is only an example there must be replaced: names, addresses, accounts.
! grep -nE 'example\.com|123456789012|10\.0\.0\.0/16|blabber-hive/example|blabber-hive-example|eu-central-1' "$scratch/built" || complain "examples of the overlay eks are left"
for wanted in 'host: hive.example.org' 'certificate-arn: arn:certificate' 'key: blabber-hive/test' 'region: eu-west-9' 'cidr: 10.77.0.0/16' \
  'KAFKA_BROKER: k1.example.org:9096' 'KAFKA_TLS: "true"' 'RESTIC_REPOSITORY: s3:https://s3.eu-west-9.amazonaws.com/bucket/database' 'minReplicas: 5'; do
  grep -qF "$wanted" "$scratch/built" || complain "the layer does not say: $wanted"
done
grep -q 'aws eks update-kubeconfig --name hive --region eu-west-9' "$CALLS" || complain "the rollout goes to whatever kubectl speaks with"
echo "ok nothing of the overlay's examples is left"

# gateway, sequencer, migrate, backup, all three that restore, and the exporter: as many as are told an address of PostgreSQL.
readers=$(grep -A1 -E 'key: DATA_SOURCE_URI$|key: DATABASE_URL$|secretRef:$' "$scratch/plain" | grep -cE 'DATA_SOURCE_URI|name: blabber-hive$')
(($(grep -c 'mountPath: /etc/database-ca$' "$scratch/built") == readers && readers == 8)) || complain "somebody speaks with PostgreSQL without knowing who that is"
grep -A3 '^  ca.pem: |' "$scratch/built" | grep -q 'BEGIN CERTIFICATE' || complain "the certificates are not whole"
echo "ok whoever speaks with PostgreSQL knows who that is"

apply apply -var overlay=eks -var "tag=$tag"
[[ ! -e $CALLS ]] || complain "something was rolled out though nothing had changed"
apply apply -var overlay=eks -var "tag=$tag" -var signup=closed
grep -q "component=server" "$CALLS" || complain "a changed variable is not rolled out"
never 'delete namespace'
echo "ok a change is rolled out, once, and takes nothing away"

apply destroy -var overlay=eks
in_order 'aws eks update-kubeconfig .*' 'kubectl delete namespace blabber-hive .*'
echo "ok destroying takes the namespace away"

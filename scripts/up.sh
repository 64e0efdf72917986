#!/usr/bin/env bash
# From nothing to a chat in AWS, and back:
#
#   scripts/up.sh staging             makes what is missing, changes what differs, rolls this commit out (make up ENV=staging)
#   scripts/up.sh --down staging      takes it all away but for its backups (make down ENV=staging)
#
# Credentials and region are those of the aws command. Terraform shows what it is about to do and asks, four times the first
# time; YES=1 answers for you. Cut short, or run again, it goes on where it was. docs/deploy.md walks through it.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "up: $*"; }
fail() {
  echo "up: $*" >&2
  exit 1
}

down=
[[ ${1:-} != --down ]] || { down=yes && shift; }
environment=${1:-}
folder=deploy/terraform/environments/$environment
[[ $environment != local ]] || fail "the cluster on this machine comes by: make up-local"
[[ -n $environment && -d $folder/infrastructure ]] ||
  fail "which environment? One of: $(cd deploy/terraform/environments && printf '%s\n' */infrastructure | sed 's#/.*##' | xargs)"

approve=()
[[ -z ${YES:-} ]] || approve=(-auto-approve)
[[ -n ${YES:-} || -t 0 ]] || fail "nobody is there to be asked; YES=1 says yes to everything"

## What is needed

for tool in aws terraform kubectl git node curl; do
  command -v "$tool" >/dev/null || fail "$tool is missing: docs/deploy.md says what is needed"
done
version=$(terraform version | sed -n '1s/^Terraform v//p')
[[ $(printf '%s\n' 1.11 "$version" | sort -V | head -1) == 1.11 ]] || fail "terraform is $version, want 1.11 or newer"

[[ -e $folder/infrastructure/terraform.tfvars ]] ||
  fail "where shall it be? Copy $folder/infrastructure/example.tfvars to terraform.tfvars beside it, and fill it in"

region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
[[ -n $region ]] || fail "which region? Set AWS_REGION, like eu-central-1"
account=$(aws sts get-caller-identity --query Account --output text) ||
  fail "AWS does not know who you are: sign in (aws configure, or aws sso login), or set AWS_PROFILE"

bucket=blabber-hive-state-$account-$region # with its region, so that another one is another world
export AWS_REGION=$region TF_VAR_region=$region TF_VAR_state_bucket=$bucket TF_IN_AUTOMATION=1

# Which image is run: the commit's, which a rollback can name.
tag=${TAG:-$(git rev-parse --short=12 HEAD)}
export TF_VAR_image_tag=$tag

## Terraform

# open STATE: reads where that state is.
open() {
  terraform -chdir="$folder/$1" init -input=false -reconfigure \
    -backend-config="bucket=$bucket" -backend-config="region=$region" >/dev/null ||
    fail "terraform could not be set up in $folder/$1: what it says stands above"
}

# bring STATE: brings AWS to what that folder says.
bring() {
  say "$1"
  open "$1"
  terraform -chdir="$folder/$1" apply "${approve[@]}"
}

# look: reads what the infrastructure is. made PATH: prints some of it, by names with dots; nothing where there is nothing.
look() { infrastructure=$(terraform -chdir="$folder/infrastructure" output -json infrastructure); }
made() {
  node -e '
    let value = JSON.parse(process.argv[1]);
    for (const name of process.argv[2].split(".")) value = value?.[name];
    if (value != null) console.log(value);' "$infrastructure" "$1"
}

## Down

if [[ -n $down ]]; then
  say "this takes $environment in account $account, $region, away: all rooms, all messages, all accounts."
  open infrastructure
  look
  [[ $(made protected) != true ]] ||
    fail "$environment is protected against this. Say disposable = true in $folder/infrastructure/main.tf, run make up ENV=$environment, and come back"
  if [[ -z ${YES:-} ]]; then
    read -rp "up: type $environment to go on: " answer
    [[ $answer == "$environment" ]] || fail "nothing was done"
  fi
  for state in workloads infrastructure; do
    say "$state"
    open "$state"
    terraform -chdir="$folder/$state" destroy "${approve[@]}"
  done
  open keep
  say "gone. What stays, and costs a little: the backups and their password (terraform -chdir=$folder/keep output), the last snapshot"
  say "of the database (aws rds describe-db-snapshots), and the states (s3://$bucket). docs/deploy.md says how to be rid of them, too."
  exit
fi

## Up

engine=${ENGINE:-}
if [[ -z $engine ]]; then
  for engine in docker podman buildah ''; do
    [[ -n $engine ]] || fail "neither Docker, podman nor buildah works here: images cannot be built"
    if [[ $engine == docker ]]; then docker info >/dev/null 2>&1 && break; else command -v "$engine" >/dev/null && break; fi
  done
fi
[[ -n ${TAG:-} || -z $(git status --porcelain --untracked-files=no) ]] ||
  fail "there are changes that are in no commit: an image is called by its commit. Commit them, or name the image yourself: TAG=…"

say "$environment in account $account, $region; $tag. Running it costs money: $folder/README.md says how much."

if ! aws s3api head-bucket --bucket "$bucket" >/dev/null 2>&1; then
  say "the bucket for what Terraform knows"
  terraform -chdir=deploy/terraform/bootstrap init -input=false >/dev/null
  terraform -chdir=deploy/terraform/bootstrap apply "${approve[@]}" -var "bucket=$bucket"
fi

bring keep
bring infrastructure
look

# An image that is there is not built again: its tag can only be given once.
signed_in=
architecture=$(made cluster.architecture)
for image in blabber-hive sentiment-analysis; do
  repository=$(made "repositories.$image")
  if aws ecr describe-images --repository-name "${repository#*/}" --image-ids "imageTag=$tag" >/dev/null 2>&1; then
    say "$image:$tag is there"
    continue
  fi
  if [[ -z $signed_in ]]; then
    aws ecr get-login-password | "$engine" login --username AWS --password-stdin "${repository%%/*}"
    signed_in=yes
  fi
  ENGINE=$engine scripts/images.sh --platform "linux/$architecture" --tag "$tag" "$image"
  say "pushing $image:$tag"
  "$engine" tag "$image:$tag" "$repository:$tag"
  "$engine" push "$repository:$tag"
done

bring workloads

# The client, where it does not come with the servers. Files that never change may be kept for ever, and go first: no page asks
# for what is not there yet.
host=$(made frontend.host)
if [[ -n $host ]]; then
  say "the client"
  make --no-print-directory web-static API="$(made frontend.api)" CONNECT="$(made frontend.connect)"
  if [[ $host == cloudfront ]]; then
    target=s3://$(made frontend.bucket)
    aws s3 sync web/dist/static/assets "$target/assets" --cache-control 'public, max-age=31536000, immutable' --only-show-errors
    aws s3 sync web/dist/static "$target" --exclude 'assets/*' --exclude _headers --exclude _redirects --cache-control no-cache --only-show-errors
    aws cloudfront create-invalidation --distribution-id "$(made frontend.distribution_id)" --paths '/*' >/dev/null
  else
    npx wrangler pages deploy web/dist/static --project-name "$(made frontend.project)" --branch main
  fi
fi

address=$(terraform -chdir="$folder/workloads" output -raw open)
kubeconfig=$(terraform -chdir="$folder/infrastructure" output -raw kubeconfig)
api=https://$(made ingress.host)
if [[ -z $(made hosted_zone_id) ]]; then
  say "no zone of yours is known, so these names are for you to write into DNS, as CNAME:"
  say "  $(made ingress.host) to what this prints, once kubectl speaks with the cluster:"
  say "    kubectl --namespace blabber-hive get ingress nginx --output jsonpath='{.status.loadBalancer.ingress[0].hostname}'"
  [[ -z $host ]] || say "  $(made domain) to $(made frontend.target)"
else
  say "waiting for $api to answer: a new name needs some minutes"
  curl --silent --show-error --fail --output /dev/null --retry 60 --retry-delay 10 --retry-all-errors --connect-timeout 5 "$api/api/v1/config" 2>/dev/null ||
    fail "$api does not answer yet. Ask again later; $kubeconfig; kubectl --namespace blabber-hive get pods,ingress"
fi

cat <<TEXT

The chat:     $address
The cluster:  $kubeconfig
The first administrator:
  kubectl --namespace blabber-hive exec -it deployment/gateway -- /usr/local/bin/blabber-hive user create NAME --admin
Grafana, http://localhost:3001 (user admin):
  kubectl --namespace blabber-hive port-forward service/grafana 3001:3000
  kubectl --namespace blabber-hive get secret grafana --output jsonpath='{.data.GF_SECURITY_ADMIN_PASSWORD}' | base64 --decode
TEXT

#!/usr/bin/env bash
# Holds deploy/terraform to what it promises: formats; every folder that is applied is valid; modules and environments plan what
# their tests say (deploy/terraform/tests); a mistake is noticed; the layer on top of deploy/k8s builds; and `make up` does things in
# their order. Nothing is made anywhere, and no credentials are needed. Closes with `N passed, N failed`.
#
# Providers come from a registry, or from the command that TERRAFORM_CHECK names: `TERRAFORM_CHECK [--test] [--root ROOT] FOLDER`
# initialises and validates a folder, and tests it with --test.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v terraform >/dev/null || { echo "test-terraform: terraform is missing: developer.hashicorp.com/terraform/install" >&2; exit 1; }

work=$(mktemp -d /tmp/blabber-hive-terraform-XXXXXX)
trap 'rm -rf "$work"' EXIT
# Settings of whoever runs this are for their work, not for tests; but where they get providers from stays.
unset "${!TF_VAR_@}" "${!TF_CLI_ARGS@}" "${!AWS_@}" TF_WORKSPACE TF_DATA_DIR TF_LOG
export TF_INPUT=0 TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1

passed=0 failed=0
# check WHAT COMMAND… counts one promise, and shows what the command said only if it is broken.
check() {
  local what=$1 began=$SECONDS
  shift
  if "$@" >"$work/log" 2>&1; then
    echo "ok     $what ($((SECONDS - began)) s)"
    passed=$((passed + 1))
  else
    echo "FAILED $what"
    sed 's/^/       /' "$work/log"
    failed=$((failed + 1))
  fi
}

# A copy of what git would keep: nothing is written into the tree, and mistakes can be planted.
copy() {
  mkdir -p "$1"
  git ls-files -z --cached --others --exclude-standard deploy scripts |
    while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
    tar --create --null --files-from=- --file=- | tar --extract --directory="$1" --file=-
}
tree=$work/tree
copy "$tree"
roots=(deploy/terraform/bootstrap deploy/terraform/environments/local)
for root in deploy/terraform/environments/*/*/main.tf; do roots+=("${root%/main.tf}"); done

# validate TREE FOLDER and prove TREE FOLDER: with whatever has the providers.
if [[ -n ${TERRAFORM_CHECK:-} ]]; then
  type -P "$TERRAFORM_CHECK" >/dev/null || { echo "test-terraform: TERRAFORM_CHECK names $TERRAFORM_CHECK, which is no program" >&2; exit 1; }
  validate() { "$TERRAFORM_CHECK" --root "$1" "$1/$2"; }
  prove() { "$TERRAFORM_CHECK" --root "$1" --test "$1/$2"; }
else
  export TF_PLUGIN_CACHE_DIR=${TF_PLUGIN_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/blabber-hive/terraform}
  mkdir -p "$TF_PLUGIN_CACHE_DIR"
  terraform -chdir="$tree/deploy/terraform/bootstrap" init -backend=false -no-color >"$work/log" 2>&1 || {
    tail -20 "$work/log" >&2
    echo "test-terraform: no registry of providers is reached from here; set TERRAFORM_CHECK to a command that has them" >&2
    exit 1
  }
  validate() { terraform -chdir="$1/$2" init -backend=false -no-color >/dev/null && terraform -chdir="$1/$2" validate -no-color; }
  prove() { validate "$1" "$2" && terraform -chdir="$1/$2" test -no-color; }
fi

check "formats" terraform fmt -check -recursive -diff deploy/terraform

for root in "${roots[@]}"; do
  check "$root is valid" validate "$tree" "$root"
done

# One run for all modules and environments, each of whose steps counts.
status=0
prove "$tree" deploy/terraform >"$work/tests" 2>&1 || status=$?
if counts=$(sed -n 's/^\(Success\|Failure\)! \([0-9]*\) passed, \([0-9]*\) failed.*/\2 \3/p' "$work/tests") && [[ -n $counts ]]; then
  grep -E '^ *(run "|tests/.*(pass|fail)$)' "$work/tests" | grep -v 'in progress' || true
  passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
fi
if ((status != 0)); then
  sed 's/^/       /' "$work/tests"
  [[ -n $counts ]] || failed=$((failed + 1))
fi

## A mistake is noticed

# refuses WHAT COMMAND…: it must fail, and say so of this.
refuses() {
  local words=$1
  shift
  ! "$@" >"$work/refusal" 2>&1 && grep -q "$words" "$work/refusal" || { cat "$work/refusal"; return 1; }
}
broken=$work/broken
copy "$broken"
sed -i 's/enable_dns_support /enable_dns_suport /' "$broken/deploy/terraform/modules/network/main.tf"
check "an argument that is misspelled is refused" \
  refuses 'enable_dns_suport' validate "$broken" deploy/terraform/environments/staging/infrastructure
sed -i 's/enable_dns_suport /enable_dns_support /' "$broken/deploy/terraform/modules/network/main.tf"
sed -i 's/min.insync.replicas=2/min.insync.replicas=1/' "$broken/deploy/terraform/modules/data/kafka.tf"
rm "$broken"/deploy/terraform/tests/{[!d]*,data}.tftest.hcl 2>/dev/null || true
cp deploy/terraform/tests/data.tftest.hcl "$broken/deploy/terraform/tests/"
check "a log that can lose what it acknowledged is noticed" refuses 'can be lost' prove "$broken" deploy/terraform

## Beside Terraform

status=0
scripts/test-up.sh "$tree" "$work/up" >"$work/log" 2>&1 || status=$?
sed -n 's/^ok /ok     /p' "$work/log"
passed=$((passed + $(grep -c '^ok ' "$work/log" || true)))
if ((status != 0)); then
  echo "FAILED what up and the module app do, with stand-ins for aws, terraform, docker and kubectl"
  grep -v '^ok ' "$work/log" | sed 's/^/       /' || true
  failed=$((failed + 1))
fi

echo
echo "$passed passed, $failed failed"
((failed == 0))

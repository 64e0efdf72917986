#!/usr/bin/env bash
# Writes sentiment/locks/{run,dev}.txt: the newest versions that sentiment/pyproject.toml allows, for every system and every
# Python from 3.11, with their hashes. Nothing else says what is installed.
set -euo pipefail
cd "$(dirname "$0")/../sentiment"

uv=0.13.9
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$(../scripts/sentiment-env.sh python)" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv"

lock() {
  "$folder/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
    --no-emit-index-url pyproject.toml "$@"
}
lock -o locks/run.txt
# What both hold they hold in one version: tests run what is served.
lock --extra onnx --group dev -c locks/run.txt -o locks/dev.txt

#!/usr/bin/env bash
# Runs the sentiment service in place of itself; what it needs is installed before, if it is not yet. Arguments: --host
# (127.0.0.1) and --port (8000; 0 takes a free one). Prints `listening on http://HOST:PORT` once it accepts requests.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=$(scripts/sentiment-env.sh "${SENTIMENT_LOCK:-run}")
# A process of one thread does not gain by more of them in its arithmetic; they would only take the chat's cores.
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1} PYTHONPATH=$PWD/sentiment/src PYTHONDONTWRITEBYTECODE=1
exec "$environment/bin/python" -m blabber_sentiment "$@"

#!/usr/bin/env bash
# Runs the server and, before it, the web client's development server, which reloads what is edited. Stops both when
# either ends or on Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
go run ./cmd/blabber-hive &
(cd web && exec npm run dev) &
wait -n

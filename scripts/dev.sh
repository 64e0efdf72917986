#!/usr/bin/env bash
# Runs the server and, before it, the web client's development server, which reloads what is edited. Stops both when
# either ends or on Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

# Both are started as themselves: `go run` and `npm run` would be stopped without what they have started.
go build -buildvcs=false -o bin/blabber-hive-dev ./cmd/blabber-hive
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
bin/blabber-hive-dev &
(cd web && exec node node_modules/vite/bin/vite.js) &
wait -n

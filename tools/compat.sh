#!/usr/bin/env bash
# Runs clients that others wrote, unmodified, against a server: the Python packages openai, anthropic,
# ollama and langchain-openai, a gRPC client by reflection, schemathesis on /openapi.json. Prints one
# table; exit status 1 if any line of it says FAILED.
#
# Usage: tools/compat.sh [PROGRAM]     (build/ergo)
#   ERGO_MODEL or tools/fetch_model.sh smollm2 gives the model.
#   ERGO_COMPAT_VENV  the virtual environment, made if need be (outside the tree)
#   ERGO_COMPAT_CASES examples of schemathesis for each operation (30)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=${1:-build/ergo}
venv=${ERGO_COMPAT_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/ergo/compat-venv}
work=$(mktemp -d)
server=
end() {
  [[ $server ]] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf "$work"
}
trap end EXIT

[[ -x $program ]] || { echo "compat: $program is not there: build it, or name it" >&2; exit 2; }
model=${ERGO_MODEL:-$(tools/fetch_model.sh smollm2)} || exit 2

stamp=$venv/.requirements
if ! cmp -s tools/compat_requirements.txt "$stamp"; then
  echo "compat: making $venv" >&2
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install -q -r tools/compat_requirements.txt >"$work/pip.log" 2>&1 ||
    { tail -n 5 "$work/pip.log" >&2; echo "compat: could not install the clients" >&2; exit 2; }
  cp tools/compat_requirements.txt "$stamp"
fi

grpc=(--grpc-port 0)
XDG_RUNTIME_DIR=$work ERGO_HOME=$work "$program" serve -m "$model" --alias compat --port 0 \
  "${grpc[@]}" >"$work/server.log" 2>&1 &
server=$!
for ((i = 0; i < 300; ++i)); do
  url=$(grep -o 'listening on http://[^, ]*' "$work/server.log" | head -n 1 | cut -d ' ' -f 3)
  [[ $url ]] && "$venv/bin/python" -c "
import sys, urllib.request as u
u.urlopen(sys.argv[1] + '/health', timeout=2)" "$url" 2>/dev/null && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 2; }
  sleep 0.2
done
rpc=$(grep -o 'listening for gRPC on [^, ]*' "$work/server.log" | head -n 1 | cut -d ' ' -f 5)

failed=0
printf '%-16s %-44s %s\n' CLIENT CHECK RESULT
for client in openai anthropic ollama langchain grpc; do
  target=$url
  [[ $client == grpc ]] && target=$rpc
  "$venv/bin/python" "tools/compat_$client.py" "$target" || failed=1
done

cases=${ERGO_COMPAT_CASES:-30}
if "$venv/bin/schemathesis" run "$url/openapi.json" --url "$url" --max-examples "$cases" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --exclude-deprecated --request-timeout 60 --no-color >"$work/schemathesis.log" 2>&1; then
  result=ok
else
  result="FAILED (${TMPDIR:-/tmp}/ergo-schemathesis.log)"
  cp "$work/schemathesis.log" "${TMPDIR:-/tmp}/ergo-schemathesis.log"
  failed=1
fi
printf '%-16s %-44s %s\n' schemathesis "$cases examples for each operation" "$result"

if ! kill -0 "$server" 2>/dev/null; then
  echo "compat: the server has ended:" >&2
  tail -n 5 "$work/server.log" >&2
  failed=1
fi
exit "$failed"

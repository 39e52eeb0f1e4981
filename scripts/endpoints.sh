#!/usr/bin/env bash
# Tries the OpenAI-compatible client against servers that are not ours: llama-cpp-python's, and LiteLLM's gateway in
# front of it. The first run builds llama.cpp once more, for Python, which takes a quarter of an hour on two cores.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

packages=('llama-cpp-python[server]==0.3.36' 'litellm[proxy]==1.106.2')
model=${QANDA_MODELS_DIR:-$cache/models}/SmolLM2-135M-Instruct.Q4_1.gguf
venv=$cache/endpoints
log=$cache/log
work=$(mktemp -d)
servers=()
trap '[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

[ -e "$model" ] || fail "$model is not there: run \`make models\`."
mkdir -p "$log"
if [ "$(cat "$venv/packages" 2>/dev/null)" != "${packages[*]}" ]; then
    need_space "$cache" 2000 "Installing the servers"
    say "installing ${packages[*]} into $venv"
    python_packages endpoints "the servers" "${packages[@]}"
    printf '%s' "${packages[*]}" >"$venv/packages"
fi

free_ports() { # free_ports COUNT
    python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*[socket.getsockname()[1] for socket in sockets])' "$1"
}

wait_for() { # wait_for NAME URL PID LOG
    for _ in $(seq 600); do
        curl -sf -o /dev/null -H "Authorization: Bearer $QANDA_TEST_ENDPOINTS_KEY" "$2" && return
        kill -0 "$3" 2>/dev/null || break
        sleep 0.2
    done
    tail -20 "$4" >&2
    fail "$1 did not start; the reason is above and in $4."
}

read -r chat embeddings gateway <<<"$(free_ports 3)"
export QANDA_TEST_ENDPOINTS_KEY=sk-endpoints-$RANDOM$RANDOM

# Its command line has no switch for pooling, and without pooling an embedding is a vector for each token.
pooled='import runpy, sys, llama_cpp
defaults = llama_cpp.Llama.__init__.__kwdefaults__
defaults["pooling_type"] = llama_cpp.LLAMA_POOLING_TYPE_MEAN if "--embedding" in sys.argv else defaults["pooling_type"]
runpy.run_module("llama_cpp.server", run_name="__main__")'

start_llama() { # start_llama PORT LOG ARGUMENTS…
    local port=$1 to=$2
    shift 2
    "$venv/bin/python" -c "$pooled" --model "$model" --model_alias small --host 127.0.0.1 --port "$port" \
        --api_key "$QANDA_TEST_ENDPOINTS_KEY" --n_ctx 2048 --n_threads 2 "$@" >"$to" 2>&1 &
    servers+=($!)
}

say "starting llama-cpp-python on the ports $chat (chat) and $embeddings (embeddings)"
# By default it drops one answer for the next.
start_llama "$chat" "$log/endpoint-chat.log" --interrupt_requests false
start_llama "$embeddings" "$log/endpoint-embeddings.log" --embedding true
wait_for "llama-cpp-python" "http://127.0.0.1:$chat/v1/models" "${servers[0]}" "$log/endpoint-chat.log"
wait_for "llama-cpp-python" "http://127.0.0.1:$embeddings/v1/models" "${servers[1]}" "$log/endpoint-embeddings.log"

say "starting LiteLLM on port $gateway"
cat >"$work/litellm.yaml" <<EOF
model_list:
  - model_name: gateway-chat
    litellm_params: {model: openai/small, api_base: "http://127.0.0.1:$chat/v1", api_key: $QANDA_TEST_ENDPOINTS_KEY}
  - model_name: gateway-embeddings
    litellm_params: {model: openai/small, api_base: "http://127.0.0.1:$embeddings/v1", api_key: $QANDA_TEST_ENDPOINTS_KEY}
litellm_settings: {telemetry: false, num_retries: 0}
general_settings: {master_key: $QANDA_TEST_ENDPOINTS_KEY}
EOF
LITELLM_LOCAL_MODEL_COST_MAP=True PATH=$venv/bin:$PATH "$venv/bin/litellm" --config "$work/litellm.yaml" \
    --host 127.0.0.1 --port "$gateway" >"$log/endpoint-gateway.log" 2>&1 &
servers+=($!)
wait_for "LiteLLM" "http://127.0.0.1:$gateway/v1/models" "${servers[2]}" "$log/endpoint-gateway.log"

say "trying them"
endpoints="llama-cpp-python=http://127.0.0.1:$chat/v1;chat=small;shape;window=2048"
endpoints+=",llama-cpp-python embeddings=http://127.0.0.1:$embeddings/v1;embed=small"
endpoints+=",LiteLLM=http://127.0.0.1:$gateway/v1;chat=gateway-chat;embed=gateway-embeddings;shape;window=2048"
QANDA_TEST_ENDPOINTS=$endpoints RUST_TEST_THREADS=1 \
    cargo test --release --workspace --test openai_servers -- --ignored --nocapture || fail "The client and a server do not agree; see above."
say "the client and all servers agree"

#!/usr/bin/env bash
# Unpacks an image and runs it with nothing but its own files: image-try.sh LAYOUT TAG
. "$(dirname "$0")/lib.sh"
image=$1 tag=$2
if ! command -v umoci >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    say "NOT TRIED: unpacking and running the image needs umoci (Debian: apt install umoci) and root, for chroot"
    exit 0
fi
work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
umoci unpack --image "$image:$tag" "$work/bundle" >/dev/null || fail "The image cannot be unpacked."
process=$work/bundle/config.json
# As an engine would: its user, its environment, its entry point, and no file from outside.
field() { # field NAME: the items of a list of the process, one per line
    python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))["process"][sys.argv[2]], sep="\n")' "$process" "$1"
}
mapfile -t environment < <(field env)
mapfile -t entry < <(field args)
user=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["process"]["user"]["uid"])' "$process")
chroot=$(command -v chroot)
# With mounts of its own: the root read-only, /data and /tmp in memory, as the Deployment has it.
# shellcheck disable=SC2016 # the inner shell expands it
mounts='cd "$1"; shift
    mount --bind . . && cd . && mount -o remount,bind,ro "$PWD" && mount -t proc proc "$PWD/proc" &&
    mount -t tmpfs -o mode=1777 tmpfs "$PWD/data" && mount -t tmpfs -o mode=1777 tmpfs "$PWD/tmp" && exec "$@"'
inside() {
    exec unshare --mount sh -c "$mounts" sh "$work/bundle/rootfs" \
        env -i "${environment[@]}" "$chroot" --userspec="$user:$user" "$work/bundle/rootfs" "${entry[@]}" "$@"
}

say "inside, as user $user: ${entry[*]} --version"
(inside --version) || fail "The image does not run."
start() { # start ARGUMENT...: runs a server of the image; its address becomes $url
    : >"$work/said"
    (inside "$@" --listen 127.0.0.1:0) >"$work/said" 2>"$work/log" & servers+=($!)
    for _ in $(seq 400); do grep -q listening "$work/said" && break; sleep 0.05; done
    url=$(sed -n 's/.*listening on //p' "$work/said")
    curl -sf "$url/healthz" || fail "$1 does not answer: $(cat "$work/said" "$work/log")"
}
say "inside: mock-llm"
start mock-llm --latency 0
echo
# Whoever carries no language model asks one elsewhere.
llm=local
if ! compgen -G "$work/bundle/rootfs/models/*.gguf" >/dev/null; then
    llm=openai
    environment+=("OPENAI_BASE_URL=$url/v1" OPENAI_API_KEY=none OPENAI_MODEL=mock)
fi
say "inside: serve --llm $llm"
start serve --llm "$llm"
for _ in $(seq 400); do ready=$(curl -sf "$url/readyz") && break; sleep 0.05; done
[ -n "$ready" ] || fail "The service does not get ready: $(tail -3 "$work/log")"
echo " $ready"

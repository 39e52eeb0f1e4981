#!/usr/bin/env bash
# Checks the dependencies with cargo-deny, installed into the cache.
. "$(dirname "$0")/lib.sh"
version=0.20.2
deny=$cache/cargo-tools/bin/cargo-deny
mkdir -p "$cache/log"
if [ "$("$deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
    say "building cargo-deny $version (once)"
    log=$cache/log/cargo-deny.log
    # From another folder: this project's compiler settings are not for tools. Unoptimised builds much faster and
    # is quick enough.
    (cd / && CARGO_TARGET_DIR=$cache/cargo-tools/target cargo install --quiet --locked --debug \
        --root "$cache/cargo-tools" "cargo-deny@$version") >"$log" 2>&1 || { tail -5 "$log" >&2; explain "Building cargo-deny" "$log"; }
    rm -rf "$cache/cargo-tools/target"
fi
# Advisories need a database from the network; `cargo deny check advisories` asks for them.
"$deny" --log-level error check --hide-inclusion-graph licenses sources bans || fail "A dependency breaks the rules of deny.toml; see above."

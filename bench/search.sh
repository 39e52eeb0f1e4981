#!/usr/bin/env bash
# Search in 100,000 passages: speed, recall, build time, size.
. "$(dirname "$0")/../scripts/lib.sh"
. scripts/tools.sh
cargo build --release --locked --workspace --example search_100k --quiet
exec "$(dirname "$binary")/examples/search_100k" "$@"

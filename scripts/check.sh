#!/usr/bin/env bash
# Format, lints, documentation, dependencies. Everything uses the release profile, so that llama.cpp is compiled
# once for building, linting and testing.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
say "format"
cargo fmt --all --check || fail "Some files are not formatted; run cargo fmt --all."
say "lints"
cargo clippy --release --locked --workspace --all-targets --quiet -- -D warnings || fail "Lints failed; they are above."
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --workspace --no-deps --document-private-items --quiet ||
    fail "The documentation has faults; they are above."
say "dependencies: licences, sources, bans"
scripts/deny.sh

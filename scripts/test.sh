#!/usr/bin/env bash
# Everything that CI runs.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
scripts/build.sh
scripts/check.sh
scripts/models.sh
say "tests"
cargo test --release --locked --workspace --quiet --no-run || fail "The tests do not compile; see above."
QANDA_BIN=$binary cargo test --release --locked --workspace --no-fail-fast || fail "Some tests failed; see above."
say "all checks and tests passed"

#!/usr/bin/env bash
# Keeps a store in step with a large folder through all that can happen to it: docs/reliability.md.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
QANDA_BIN=$binary QANDA_TEST_DOCUMENTS=${DOCUMENTS:-10000} \
    cargo test --release --locked --workspace --test in_step -- --nocapture

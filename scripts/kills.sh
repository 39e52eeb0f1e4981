#!/usr/bin/env bash
# Kills an ingest again and again, at random moments, and looks at the store each time: docs/reliability.md.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
QANDA_BIN=$binary QANDA_TEST_KILLS=${KILLS:-500} nice -n 19 \
    cargo test --release --locked --workspace --test kills -- --nocapture

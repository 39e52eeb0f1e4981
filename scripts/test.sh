#!/usr/bin/env bash
# Everything that CI runs.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
scripts/build.sh
scripts/check.sh
say "manifests"
scripts/deploy-check.sh
say "contrast pairs"
python3 -m unittest discover --start-directory training --pattern test_contrast.py
scripts/models.sh
scripts/chroma.sh
scripts/browser.sh
scripts/clients.sh
say "tests"
cargo test --release --locked --workspace --quiet --no-run || fail "The tests do not compile; see above."
# One test at a time: the end-to-end tests run real models, which use all cores.
mkdir -p "$cache/log"
log=$cache/log/tests.log
QANDA_BIN=$binary RUST_TEST_THREADS=1 cargo test --release --locked --workspace --no-fail-fast 2>&1 | tee "$log" ||
    fail "Some tests failed; see above."
skipped=$(grep -c "SKIPPED: " "$log" || true)
[ "$skipped" -eq 0 ] || say "$skipped skipped: $(grep -o "SKIPPED: .*" "$log" | sort | uniq -c | tr '\n' ';')"
say "all checks and tests passed, $skipped skipped"

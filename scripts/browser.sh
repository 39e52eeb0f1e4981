#!/usr/bin/env bash
# What the tests of the page need beside the binary: Chromium with its driver from Debian's packages, and axe-core from
# npm. Where one cannot be installed, its tests say that they are skipped.
. "$(dirname "$0")/lib.sh"
axe_version=4.14.1
axe=$cache/axe

if ! command -v chromedriver >/dev/null 2>&1 && [ -z "${QANDA_CHROMEDRIVER:-}" ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        need_space / 700 "Chromium"
        say "installing Chromium and its driver"
        mkdir -p "$cache/log"
        log=$cache/log/browser.log
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium chromium-driver; } >"$log" 2>&1 ||
            say "Chromium could not be installed (details: $log); the tests of the page will be skipped"
    else
        say "there is no chromedriver (Debian: apt install chromium chromium-driver); the tests of the page will be skipped"
    fi
fi

if ! grep -q "\"version\": \"$axe_version\"" "$axe/node_modules/axe-core/package.json" 2>/dev/null; then
    if command -v npm >/dev/null 2>&1; then
        say "installing axe-core $axe_version into $axe"
        mkdir -p "$axe" "$cache/log"
        npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix "$axe" "axe-core@$axe_version" >"$cache/log/axe.log" 2>&1 ||
            say "axe-core could not be installed (details: $cache/log/axe.log); its test will be skipped"
    else
        say "there is no npm; the test with axe-core will be skipped"
    fi
fi

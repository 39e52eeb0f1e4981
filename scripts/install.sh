#!/usr/bin/env bash
# Installs the release binary with its manual pages, completions and the unit for systemd below PREFIX (/usr/local);
# DESTDIR is put before every path, for packages.
. "$(dirname "$0")/lib.sh"
prefix=${PREFIX:-/usr/local}
to=${DESTDIR:-}$prefix
share=$to/share

[ -x "$binary" ] || fail "There is no $binary; run make build first."
install -D -m 755 "$binary" "$to/bin/qanda" || fail "Nothing could be installed into $to; run it as a user who may, or name another PREFIX."
"$binary" man "$share/man/man1" 2>/dev/null
completions() { # completions SHELL FILE
    mkdir -p "$(dirname "$2")"
    "$binary" completions "$1" >"$2"
}
completions bash "$share/bash-completion/completions/qanda"
completions zsh "$share/zsh/site-functions/_qanda"
completions fish "$share/fish/vendor_completions.d/qanda.fish"
mkdir -p "$to/lib/systemd/system"
sed "s|/usr/local/bin/qanda|$prefix/bin/qanda|" deploy/qanda.service >"$to/lib/systemd/system/qanda.service"
say "installed below $to: bin/qanda, manual pages, completions, lib/systemd/system/qanda.service"

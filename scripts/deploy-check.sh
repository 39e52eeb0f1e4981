#!/usr/bin/env bash
# Renders deploy/ and checks every object: strictly against the Kubernetes schemas, and against each other.
. "$(dirname "$0")/lib.sh"

# The API that the manifests are written for; preStop.sleep needs 1.30.
kubernetes=1.32
tools=$cache/deploy-check
packages=(
    kubernetes-validate==1.37.0 jsonschema==4.25.1 jsonschema-specifications==2025.9.1 referencing==0.36.2
    rpds-py==0.27.1 attrs==25.3.0 PyYAML==6.0.2 typing-extensions==4.15.0 importlib-resources==6.5.2 packaging==25.0
)

need python3 "Python 3 is missing: install it and run this again."
if command -v kubectl >/dev/null 2>&1; then render() { kubectl kustomize "$1"; }
elif command -v kustomize >/dev/null 2>&1; then render() { kustomize build "$1"; }
elif [ "$(uname -sm)" = "Linux x86_64" ]; then
    scripts/kubectl.sh
    render() { "$cache/kubectl/kubectl" kustomize "$1"; }
else
    [ -z "${CI:-}" ] || fail "The manifests in deploy/ cannot be checked: install kubectl or kustomize."
    say "SKIPPED: the manifests in deploy/ were not checked, because neither kubectl nor kustomize is here"
    exit 0
fi

if [ "$(cat "$tools/installed" 2>/dev/null)" != "${packages[*]}" ]; then
    say "getting the Kubernetes schemas into $tools"
    need_space "$tools" 200 "The Kubernetes schemas' folder"
    mkdir -p "$cache/log"
    log=$cache/log/deploy-check.log
    rm -rf "$tools"
    python3 -m pip install --quiet --no-deps --target "$tools" "${packages[@]}" >"$log" 2>&1 ||
        { cat "$log" >&2; explain "Getting the Kubernetes schemas" "$log"; }
    echo "${packages[*]}" >"$tools/installed"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A copy, so that the example's key never lies where yours belongs.
cp -r deploy "$work/deploy"
cat >"$work/credentials" <<'TEXT'
# Made to be sourced.
export CHROMADB_HOST=localhost
export OPENAI_API_KEY="sk-$(printf quoted)"
TEXT
OPENAI_API_KEY=sk-of-this-shell "$work/deploy/secrets.sh" "$work/credentials" 2>/dev/null
[ "$(cat "$work/deploy/with-credentials/credentials.env")" = OPENAI_API_KEY=sk-quoted ] ||
    fail "deploy/secrets.sh does not write what the credentials file says."
render "$work/deploy" >"$work/plain.yaml" || fail "deploy/ does not render; see above."
render "$work/deploy/with-credentials" >"$work/secret.yaml" || fail "deploy/with-credentials does not render; see above."

# Its own first: a check that finds nothing in spoilt manifests proves nothing about good ones.
check() { PYTHONPATH=$tools python3 scripts/deploy_check.py --kubernetes "$kubernetes" "$@"; }
check --self-test "$work/secret.yaml" || fail "The check of the manifests is broken; see above."
check --external Secret/qanda-credentials "$work/plain.yaml" || fail "The manifests in deploy/ have faults; see above."
check "$work/secret.yaml" || fail "The manifests in deploy/with-credentials have faults; see above."

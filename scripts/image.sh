#!/usr/bin/env bash
# Makes a container image, as an OCI layout in target/image, without an engine; then unpacks it and runs it.
#   CPU=x86-64-v3        the least processor that shall run it; `native` takes what `make build` built, for this one
#   WITH_MODELS=embedder which models it carries: `embedder`, `all`, `none`
#   TAG=0.1.0            its tag
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
tag=${TAG:-$version}
models=${WITH_MODELS:-embedder}
target=${CARGO_TARGET_DIR:-$root/target}
image=$target/image
case "$(uname -m)" in
    x86_64) cpu=${CPU:-x86-64-v3} ;;
    aarch64) cpu=${CPU:-generic} ;;
    *) fail "There is no image for $(uname -m)." ;;
esac

if [ "$cpu" = native ]; then
    [ -x "$binary" ] || scripts/build.sh
else
    # A folder of its own: the flags differ, so nothing could be shared, and `make build` would start again.
    export CARGO_TARGET_DIR=$target/image-$cpu RUSTFLAGS="-C target-cpu=$cpu"
    binary=$CARGO_TARGET_DIR/release/qanda
    need_space "$target" 4000 "The build for $cpu"
    say "building qanda for $cpu (the first time takes as long as the first build)"
    cargo build --release --locked --workspace || fail "The build for $cpu failed; see above."
fi

folder=${QANDA_MODELS_DIR:-$cache/models}
arguments=(--binary "$binary" --tag "$tag" --cpu "$cpu" --licence LICENSE-MIT --licence LICENSE-APACHE)
case "$models" in
    none) ;;
    embedder | all)
        "$binary" models pull >&2
        arguments+=(--model "$folder/all-MiniLM-L6-v2")
        [ "$models" = embedder ] || arguments+=(--model "$folder/SmolLM2-135M-Instruct.Q4_1.gguf")
        ;;
    *) fail "WITH_MODELS is $models; it must be embedder, all or none." ;;
esac
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
say "writing $image"
python3 scripts/image.py "$image" "${arguments[@]}" --revision "$revision"
scripts/image-try.sh "$image" "$tag"

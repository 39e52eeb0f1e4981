# Finds what the build needs, gets cmake and libclang where they are missing, and sets the environment
# for cargo. Sourced after lib.sh.
# shellcheck shell=bash

# Packages on PyPI, pinned. They need no administrator and touch nothing outside the cache.
cmake_package=cmake==4.4.4
libclang_package=libclang==18.1.1

need cargo "Rust is missing: install it from https://rustup.rs and run this again."
need python3 "Python 3 is missing: install it (it fetches the models and the build tools) and run this again."
need c++ "A C++ compiler is missing: install g++ or clang (Debian: apt install g++) and run this again."
need make "make is missing: install it (Debian: apt install make) and run this again."
python3 -m pip --version >/dev/null 2>&1 || fail "Python's pip is missing: install it (Debian: apt install python3-pip) and run this again."

tools=$cache/build-tools

get_tool() { # get_tool PACKAGE FILE
    [ -e "$tools/$2" ] && return
    say "getting $1 into $tools"
    mkdir -p "$tools" "$cache/log"
    local log=$cache/log/tools.log
    python3 -m pip install --quiet --no-deps --upgrade --target "$tools" "$1" >"$log" 2>&1 ||
        { cat "$log" >&2; explain "Installing $1" "$log"; }
}

if ! command -v cmake >/dev/null 2>&1; then
    get_tool "$cmake_package" cmake/data/bin/cmake
    export PATH=$tools/cmake/data/bin:$PATH
fi

# bindgen finds a system libclang by itself only where clang is installed with its headers.
if [ -z "${LIBCLANG_PATH:-}" ] && ! command -v clang >/dev/null 2>&1; then
    get_tool "$libclang_package" clang/native
    export LIBCLANG_PATH=$tools/clang/native
    # The package has the library only; the compiler's own headers do as well.
    headers=$(c++ -print-file-name=include)
    export BINDGEN_EXTRA_CLANG_ARGS="${BINDGEN_EXTRA_CLANG_ARGS:+$BINDGEN_EXTRA_CLANG_ARGS }-I$headers"
fi

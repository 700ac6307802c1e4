# shellcheck shell=sh disable=SC2034 # the scripts that source this use the variables
# Sourced by test and bench: where things are, and a virtual environment with what they need.

binding=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$binding/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/python
environment=$root/build/python
python=$environment/bin/python
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
export PATH PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The package of the source tree, with the extension beside it.
export PYTHONPATH="$binding/python" MYPYPATH="$binding/python"

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# make_environment: makes the virtual environment anew when what it is made of has changed.
make_environment() {
    interpreter=${SEGL_PYTHON:-python3}
    wanted=$("$interpreter" -VV && cat "$binding/requirements.txt") || die "$interpreter is missing; install python3 and python3-venv"
    if [ "$(cat "$environment/made-of" 2>/dev/null)" != "$wanted" ]; then
        "$interpreter" -m venv --clear "$environment" || die 'no virtual environment could be made; install python3-venv'
        "$python" -m pip install --quiet --requirement "$binding/requirements.txt"
        printf '%s\n' "$wanted" >"$environment/made-of"
    fi
}

# build_extension PROFILE FEATURES: puts the extension beside the package.
build_extension() {
    cargo build --quiet --locked --manifest-path "$binding/Cargo.toml" --target-dir "$target" \
        --profile "$1" --features "$2"
    folder=$1
    [ "$1" != dev ] || folder=debug
    cmp -s "$target/$folder/lib_native.so" "$binding/python/segl/_native.abi3.so" ||
        install "$target/$folder/lib_native.so" "$binding/python/segl/_native.abi3.so"
}

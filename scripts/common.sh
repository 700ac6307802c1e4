# shellcheck shell=sh disable=SC2034 # the scripts that source this use the variables
# Sourced by the other scripts: where things are, and how to say what happens.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root" || exit
build=$root/build
target=${CARGO_TARGET_DIR:-$root/target}
# What the tests are built with: everything but "vendored".
features='cli simulator capi test-hooks header redis awskms'
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
export PATH

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') green=$(printf '\033[32m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
else
    bold='' green='' red='' plain=''
fi

has() {
    command -v "$1" >/dev/null 2>&1
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The library of SoftHSM.
softhsm_module() {
    for folder in /usr/lib/softhsm /usr/lib64/softhsm /usr/lib64/pkcs11 /usr/local/lib/softhsm /opt/homebrew/lib/softhsm; do
        if [ -e "$folder/libsofthsm2.so" ]; then
            printf '%s\n' "$folder/libsofthsm2.so"
            return
        fi
    done
    return 1
}

# The library of NSS with its software token.
softokn_module() {
    in_library_folders libsoftokn3.so || in_library_folders nss/libsoftokn3.so
}

# The module that asks p11-kit's server.
p11_kit_client_module() {
    in_library_folders pkcs11/p11-kit-client.so
}

# in_library_folders NAME: the path of a library of this system.
in_library_folders() {
    for folder in "/usr/lib/$(uname -m)-linux-gnu" /usr/lib64 /usr/lib; do
        if [ -e "$folder/$1" ]; then
            printf '%s\n' "$folder/$1"
            return
        fi
    done
    return 1
}

# soname LIBRARY: the name that programs linked with it look for.
soname() {
    readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p'
}

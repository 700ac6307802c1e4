# shellcheck shell=sh
# Sourced by the scripts here: which JDKs there are.

# jdks LEAST MOST: the homes of JDKs in JAVA_HOME and under /usr/lib/jvm, the oldest first.
jdks() {
    for home in "${JAVA_HOME:-none}" /usr/lib/jvm/*; do
        [ -x "$home/bin/javac" ] || continue
        [ -r "$home/release" ] || continue
        major=$(version "$home")
        major=${major%%.*}
        if [ "${major:-0}" -ge "$1" ] && [ "$major" -le "$2" ]; then
            echo "$major $home"
        fi
    done | sort -n | cut -d ' ' -f 2-
}

# version HOME: the version of a JDK, for example 25.0.3.
version() {
    sed -n 's/^JAVA_VERSION="\(.*\)"$/\1/p' "$1/release" 2>/dev/null
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

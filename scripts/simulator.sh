# shellcheck shell=sh disable=SC2154 # folder is set by the script that sources this
# Sourced by scripts that run the simulator; they set `folder`, where its files go.

simulator=''
addresses=''

# start_simulator PROGRAM [OPTION...]: waits until it is ready, which its first line of
# output says: JSON with its addresses.
start_simulator() {
    mkfifo "$folder/simulator.out"
    program=$1
    shift
    "$program" simulate --listen 127.0.0.1:0 "$@" >"$folder/simulator.out" 2>"$folder/simulator.log" &
    simulator=$!
    exec 3<"$folder/simulator.out"
    if ! read -r addresses <&3; then
        cat "$folder/simulator.log" >&2
        return 1
    fi
}

stop_simulator() {
    if [ -n "$simulator" ]; then
        kill "$simulator" 2>/dev/null || true
        wait "$simulator" 2>/dev/null || true
    fi
}

# address NAME: one of the simulator's addresses.
address() {
    printf '%s\n' "$addresses" | sed 's/"https":{[^}]*}//' | member "$1"
}

# https_address NAME: the same over https.
https_address() {
    printf '%s\n' "$addresses" | sed 's/.*"https":{\([^}]*\)}.*/\1/' | member "$1"
}

# member NAME: the text that the JSON on standard input has under this name.
member() {
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | grep .
}

random_digits() {
    LC_ALL=C tr -dc 0-9 </dev/urandom | head -c 10
}

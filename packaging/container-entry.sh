#!/bin/sh
# First process of a container: runs soakrig and stays until nothing that it started is left. The kernel kills every process of a
# container together with the first one; were that soakrig itself, its dead-man would die with it, and nobody would switch off.

soakrig "$@" &
run=$!
trap 'kill -TERM "$run" 2>/dev/null' TERM
# A soak says how it stands.
trap 'kill -HUP "$run" 2>/dev/null' HUP
trap 'kill -INT "$run" 2>/dev/null' INT
trap 'kill -QUIT "$run" 2>/dev/null' QUIT

# A signal ends `wait` before soakrig has ended.
wait "$run"
code=$?
while kill -0 "$run" 2>/dev/null; do
    wait "$run"
    code=$?
done

# Whoever else of soakrig lives (the dead-man, with outputs that are not verified off yet) is waited for.
others() {
    for process in /proc/[0-9]*; do
        [ "$(cat "$process/comm" 2>/dev/null)" = soakrig ] || continue
        grep -q '^State:[[:space:]]*Z' "$process/status" 2>/dev/null || return 0
    done
    return 1
}
while others; do
    sleep 1
done
exit "$code"

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it is about what is printed, not the kernel.
# A terminal that is stopped (Ctrl-S), a tracer that is (Ctrl-Z): what is traced goes on, what is missed is told.

load helper

SCREEN() {
    echo "$BATS_TEST_TMPDIR/screen"
}

# On a terminal of its own, in the namespace; returns when it traces. The tracer's pid is $TRACER.
on_terminal() { # OPTIONS...
    local ready line=
    exec {ready}<>"$BATS_TEST_TMPDIR/ready"
    export READY=$BATS_TEST_TMPDIR/ready
    hold keys
    : >"$(SCREEN)" >"$BATS_TEST_TMPDIR/state"
    background "$BATS_TEST_TMPDIR/terminal.out" python3 "$LIVE/terminal.py" "$BATS_TEST_TMPDIR/keys" \
        "$(SCREEN)" "$BATS_TEST_TMPDIR/state" \
        sh -c 'exec "$0" --ready-fd 9 "$@" 9>"$READY"' "$TRACE" "$@"
    TERMINAL=$BG
    read -r -t "$LIMIT" -u "$ready" line || cat "$(SCREEN)" "$BATS_TEST_TMPDIR/terminal.out"
    same "the ready line" ready "$line"
    exec {ready}>&-
    TRACER=$(sed -n '1s/ .*//p' "$BATS_TEST_TMPDIR/state")
}

type_keys() { # KEYS, as printf has them
    # shellcheck disable=SC2059
    printf "$1" >"$BATS_TEST_TMPDIR/keys"
}

# The command has ended like this.
until_ended() { # "exit N" | "signal N"
    until_true grep -Eq ' (exit|signal) ' "$BATS_TEST_TMPDIR/state" || {
        cat "/proc/$TRACER/status" "/proc/$TRACER/syscall"
        return 1
    }
    same "how it ended" "$TRACER $1" "$(tail -1 "$BATS_TEST_TMPDIR/state")"
}

# It waits in write(2).
in_write() {
    local number=1
    [ "$(uname -m)" = x86_64 ] || number=64
    grep -q "^$number " "/proc/$TRACER/syscall"
}

# What is traced goes on while the screen stands; the tracer hangs in its output.
stopped_with_traffic() { # ROUNDS
    type_keys '\x13'
    # Nothing says that the terminal has read the key; more traffic than it takes does no harm.
    until_true traffic_until_stuck
    LIVE_ROUNDS=$1 in_ns timeout "$LIMIT" "$PROGS/pair" burst >"$BATS_TEST_TMPDIR/pair"
    grep -q "done" "$BATS_TEST_TMPDIR/pair"
    in_write
}

traffic_until_stuck() {
    LIVE_ROUNDS=100 in_ns "$PROGS/pair" burst >/dev/null
    in_write
}

@test "terminal: stopped by Ctrl-S, programs go on; after Ctrl-Q all is told, also how much is missing" {
    on_terminal --json --buffer 1
    stopped_with_traffic 3000
    type_keys '\x11'
    until_line "$(SCREEN)" '"kind":"lost"'
    type_keys '\x03'
    until_ended 'exit 0'
    wait "$TERMINAL"
    grep -ao '{"type":"trailer".*}' "$(SCREEN)" >"$OUT"
    [ "$(python3 -c 'import json; print(json.loads(input())["lost"])' <"$OUT")" -gt 0 ]
}

@test "terminal: the same in words" {
    on_terminal --buffer 1
    stopped_with_traffic 3000
    type_keys '\x11\x03'
    until_ended 'exit 0'
    wait "$TERMINAL"
    grep -aEq '[1-9][0-9]* lost' <(tail -3 "$(SCREEN)")
}

@test "terminal: stopped, SIGTERM and SIGINT still end it, and the recording is finished" {
    local signal
    for signal in TERM INT; do
        rm -f "$BATS_TEST_TMPDIR"/{keys,state}
        on_terminal --text -w "$BATS_TEST_TMPDIR/rec"
        stopped_with_traffic 100
        kill "-$signal" "$TRACER"
        until_ended 'exit 125'
        type_keys '\x11'
        wait "$TERMINAL"
        "$TRACE" show "$BATS_TEST_TMPDIR/rec" >"$BATS_TEST_TMPDIR/shown" 2>"$BATS_TEST_TMPDIR/show.err"
        same "complaints about the recording" '' "$(cat "$BATS_TEST_TMPDIR/show.err")"
        grep -q 'connect(' "$BATS_TEST_TMPDIR/shown"
        let_go keys
    done
}

@test "terminal: stopped, COMMAND runs to its end and its status is kept" {
    LIVE_ROUNDS=2000 on_terminal --buffer 1 -- \
        sh -c '"$0" burst </dev/null >"$1"; exit 7' "$PROGS/pair" "$BATS_TEST_TMPDIR/pair"
    type_keys '\x13'
    until_line "$BATS_TEST_TMPDIR/pair" "done"
    type_keys '\x11'
    until_ended 'exit 7'
}

@test "terminal: Ctrl-Z stops the tracer, not what it traces; it goes on where it was" {
    on_terminal --json --buffer 1
    type_keys '\x1a'
    until_line "$BATS_TEST_TMPDIR/state" stopped
    LIVE_ROUNDS=3000 in_ns timeout "$LIMIT" "$PROGS/pair" burst >"$BATS_TEST_TMPDIR/pair"
    grep -q "done" "$BATS_TEST_TMPDIR/pair"
    kill -CONT "$TRACER"
    until_line "$(SCREEN)" '"kind":"lost"'
    type_keys '\x03'
    until_ended 'exit 0'
}

@test "terminal: one that hangs up ends the tracer in order" {
    on_terminal --text -w "$BATS_TEST_TMPDIR/rec"
    in_ns "$PROGS/pair" v4
    kill -KILL "$TERMINAL"
    gone() { [ ! -e "/proc/$TRACER/exe" ]; }
    until_true gone
    "$TRACE" show "$BATS_TEST_TMPDIR/rec" >"$BATS_TEST_TMPDIR/shown" 2>"$BATS_TEST_TMPDIR/show.err"
    same "complaints about the recording" '' "$(cat "$BATS_TEST_TMPDIR/show.err")"
    grep -q 'connect(' "$BATS_TEST_TMPDIR/shown"
}

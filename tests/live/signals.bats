#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it is about the tracer and COMMAND, not the kernel.
# How a run ends: signals, a closed pipe, the status of the command, the user behind sudo.

load helper

# Trace a conversation, then end the tracer by a signal.
ended_by() { # SIGNAL
    trace_start -w "$BATS_TEST_TMPDIR/rec"
    in_ns "$PROGS/pair" v4
    trace_stop "$1"
    same "status after SIG$1" 0 "$status"
    sound
    expect_delivered "$(one sock call=connect phase=exit)" 14
    "$TRACE" show "$BATS_TEST_TMPDIR/rec" --json >"$BATS_TEST_TMPDIR/shown"
    cmp "$OUT" "$BATS_TEST_TMPDIR/shown"
}

@test "signals: Ctrl-C ends with the summary and a finished file" {
    ended_by INT
}

@test "signals: so does SIGTERM" {
    ended_by TERM
}

@test "signals: a closed pipe ends the tracer, the recording is finished" {
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
    HELD[reader]=$reader
    STDOUT=$BATS_TEST_TMPDIR/pipe trace_spawn --json -w "$BATS_TEST_TMPDIR/rec"
    let_go reader
    in_ns "$PROGS/pair" v4
    trace_wait
    case $status in
    0 | 141) ;;
    *) same "status, saying $(cat "$BATS_TEST_TMPDIR/stderr")" "0 or 141" "$status" ;;
    esac
    "$TRACE" show "$BATS_TEST_TMPDIR/rec" >/dev/null 2>"$BATS_TEST_TMPDIR/show.err"
    [ ! -s "$BATS_TEST_TMPDIR/show.err" ]
}

@test "signals: the exit status is the command's" {
    local code
    for code in 0 1 7 63 124 125 126 127 128 255; do
        trace_raw -o /dev/null -- sh -c "exit $code"
        same "status" "$code" "$status"
    done
}

@test "signals: a command killed by a signal ends us with that signal" {
    local signal
    for signal in TERM INT HUP KILL USR1; do
        # Not through timeout, which reports a signal in its own way.
        status=0
        in_ns env --default-signal=INT "$TRACE" -o /dev/null -- sh -c "kill -$signal \$\$" \
            </dev/null 3>&- 2>/dev/null || status=$?
        same "status after SIG$signal" "$((128 + $(kill -l "$signal")))" "$status"
    done
}

@test "signals: 127 for a command that is none, 126 for one that cannot run" {
    trace_raw -o /dev/null -- /no/such/command
    same status 127 "$status"
    grep -q /no/such/command "$BATS_TEST_TMPDIR/stderr"
    echo text >"$BATS_TEST_TMPDIR/text"
    trace_raw -o /dev/null -- "$BATS_TEST_TMPDIR/text"
    same status 126 "$status"
}

@test "signals: the command runs as the user behind sudo, with groups, HOME and output" {
    SUDO_UID=$(id -u games) SUDO_GID=$(id -g games) SUDO_USER=games \
        trace_raw -o /dev/null -- sh -c 'id -u; id -g; id -G; echo "$HOME"; echo "$USER"'
    same status 0 "$status"
    diff -u "$BATS_TEST_TMPDIR/stdout" - <<END
$(id -u games)
$(id -g games)
$(id -G games)
$(getent passwd games | cut -d: -f6)
games
END
}

@test "signals: the command inherits no descriptor of the tracer" {
    trace_raw -o "$BATS_TEST_TMPDIR/text" -w "$BATS_TEST_TMPDIR/rec" -- \
        sh -c 'ls -l /proc/self/fd' 3>&-
    cat "$BATS_TEST_TMPDIR/stdout"
    same "strange descriptors" "" "$(grep -E 'bpf|text|rec$|anon_inode' "$BATS_TEST_TMPDIR/stdout")"
}

@test "signals: an end by --duration is an end in order" {
    trace_raw --json -o "$OUT" --duration 0.2
    same status 0 "$status"
    sound
}

@test "signals: a killed tracer leaves nothing in the kernel" {
    trace_start
    # What it holds: a link or a program names the program.
    ours=$(cat "/proc/$TRACE_PID"/fdinfo/* 2>/dev/null | awk '$1 == "prog_id:" { print $2 }' | sort -un)
    [ "$(wc -l <<<"$ours")" -gt 10 ]
    trace_stop KILL
    same status 137 "$status"
    left() {
        bpftool prog show | sed -n 's/^\([0-9]*\): .*/\1/p' | grep -Fxf <(echo "$ours")
    }
    gone() {
        ! left >/dev/null
    }
    until_true gone || {
        bpftool prog show
        false
    }
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# No recording stands for it: it starts several tracers.
# Several tracers at once do not disturb each other, and none traces itself.

load helper

# One more tracer, with a name. Its pid is ${PIDS[NAME]}.
tracer() { # NAME OPTIONS...
    local name=$1
    shift
    trace_spawn -w "$name" "$@"
    declare -gA PIDS
    PIDS[$name]=$TRACE_PID
    HELPERS+=("$TRACE_PID")
    TRACE_PID=
}

tracer_end() { # NAME SIGNAL STATUS
    local status=0
    kill "-$2" "${PIDS[$1]}"
    wait "${PIDS[$1]}" || status=$?
    same "status of $1" "$3" "$status"
}

# What a recording tells, without what is each tracer's own: times, ids and numbers it gives.
story() { # RECORDING
    "$TRACE" query --csv "$1" "
        SELECT tid, name, fd, ret, errno, len, eof FROM call WHERE sock IS NOT NULL ORDER BY tid, t_enter_ns"
    "$TRACE" query --csv "$1" "SELECT server, how, closed_first, lost FROM conn ORDER BY id"
    "$TRACE" query --csv "$1" "SELECT conn, sender, written, read, residual, send_calls, recv_calls, segments
        FROM ledger ORDER BY conn, sender"
    "$TRACE" query --csv "$1" "SELECT sock, old_state, new_state FROM state ORDER BY sock, t_ns"
    "$TRACE" query --csv "$1" "SELECT conn, sender, arrival, flags, len, seq, ack FROM segment
        ORDER BY conn, sender, arrival, t_ns"
    "$TRACE" query --csv "$1" "SELECT kind, lost FROM loss"
}

@test "two: tracers that begin and end at different moments, one of them killed, tell the same story" {
    cd "$BATS_TEST_TMPDIR"
    hold go
    INPUT=go LIVE_N=200 background out sh -c 'read -r x; exec "$0" connections' "$PROGS/load"
    load=$BG
    tracer one -p "$load"
    tracer killed -p "$load"
    tracer two -p "$load"
    tracer_end killed KILL 137
    tracer three -p "$load"
    let_go go
    wait "$load"
    for name in one two three; do
        tracer_end "$name" INT 0
        story "$name" >"$name.story"
    done
    [ "$(grep -c ,fin, one.story)" -eq 200 ]
    diff one.story two.story
    diff one.story three.story
}

@test "two: a tracer's programs are seen by a bare one, the tracer is not" {
    cd "$BATS_TEST_TMPDIR"
    tracer outer
    trace_raw -w inner -- "$PROGS/pair" v4
    same status 0 "$status"
    tracer_end outer INT 0
    for name in outer inner; do
        story "$name" >"$name.story"
        "$TRACE" query --csv "$name" "SELECT count(DISTINCT comm) || max(comm) FROM call" | tail -1 >"$name.who"
    done
    diff outer.story inner.story
    grep -q '^1pair' outer.who
}

# Its output goes into a socket, to which it writes all the time. The lines are in $OUT.
into_socket() { # OPTIONS...
    printf '#!/bin/sh\necho $$ >pid\nexec "%s" %s 2>stderr\n' "$TRACE" "$*" >run
    chmod +x run
    in_ns timeout "$LIMIT" socat -u EXEC:./run CREATE:"$OUT" 3>&-
    [ "$(wc -l <"$OUT")" -gt 2 ]
    same "its own lines" 0 "$(grep -c "\"[pt]id\":$(cat pid)[,}]" "$OUT" || true)"
}

@test "two: with --all a tracer does not see what it writes into a socket itself" {
    cd "$BATS_TEST_TMPDIR"
    background loop sh -c 'until test -e stop; do "$0" v4; done' "$PROGS/pair"
    into_socket --all --json --events 6000
    touch stop
    wait "$BG"
    grep -q '"comm":"pair"' "$OUT"
    # Whoever reads at the other end is another program, and is seen.
    grep -q '"comm":"socat"' "$OUT"
}

@test "two: a tracer that follows its own name, or the shell it is a child of, does not follow itself" {
    cd "$BATS_TEST_TMPDIR"
    # The command line is in the header; a copy of the program by that name is what is there to see.
    cp "$PROGS/pair" trace
    into_socket --json -n trace -- ./trace v4
    grep -q '"call":"connect"' "$OUT"
    into_socket --json -p '"$(cut -d" " -f4 /proc/$$/stat)"' -- "$PROGS/pair" v4
    grep -q '"call":"connect"' "$OUT"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A call that blocks shows at once; its return tells how long.

load helper

# Start a program that blocks until its standard input ends.
start_blocked() { # SCENARIO
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/blocked" "$1"
}

release() {
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
}

# The call was entered, has not returned, and the program is held: it is on the screen while it blocks.
expect_blocked() { # CONDITION...
    until_event phase=enter "$@"
    expect_count 0 phase=exit "$@"
}

@test "blocked: recv shows while it waits" {
    start_blocked recv
    until_event call=accept phase=exit
    expect_blocked call=recvfrom role=client
    release
    enter=$(one t_ns call=recvfrom phase=enter role=client)
    expect_rows ret,took_ns call=recvfrom phase=exit role=client <<END
7 $(($(one t_ns call=recvfrom phase=exit role=client) - enter))
END
    # It was the server's send that woke it.
    expect_before "call=recvfrom phase=enter role=client" "call=sendto phase=enter role=server"
}

@test "blocked: accept shows while it waits" {
    start_blocked accept
    expect_blocked call=accept
    release
    expect_before "call=accept phase=enter" "call=connect phase=enter"
    expect_before "call=connect phase=enter" "call=accept phase=exit"
}

@test "blocked: send waits for room, with both queues full" {
    start_blocked send
    until_event call=accept phase=exit
    expect_blocked call=sendto role=client
    # The receiver has read nothing, so what was taken lies in the two queues.
    until_event "ledger.rcvq>0" "ledger.written<1000000" role=client
    same "read while blocked" 0 "$(last ledger.read role=client)"
    release
    expect_rows ret call=sendto phase=exit role=client <<'END'
1000000
END
    expect_delivered "$(one sock call=connect phase=exit)" 1000000
    expect_before "call=sendto phase=enter role=client" "call=recvfrom phase=enter role=server"
    expect_before "call=recvfrom phase=enter role=server" "call=sendto phase=exit role=client"
}

@test "blocked: a call that waits already when tracing begins shows, and its return" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold background "$BATS_TEST_TMPDIR/prog.out" "$PROGS/blocked" recv
    # The client sleeps in recv(): the connection stands and its process waits for data.
    asleep() { grep -q "^.*inet_csk\|wait_woken\|sk_wait_data" "/proc/$BG/wchan" || grep -q "^State:.S" "/proc/$BG/status"; }
    connected() { in_ns ss -tnH state established | grep -q 127; }
    until_true connected
    until_true asleep
    trace_start -p "$BG"
    until_event call=recvfrom phase=enter seen_midway=true
    expect_count 0 call=recvfrom phase=exit
    let_go hold
    wait "$BG"
    trace_stop
    same status 0 "$status"
    expect_rows call,ret call=recvfrom phase=exit seen_midway=true <<'END'
recvfrom 7
END
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Two small writes and a read: Nagle's algorithm waits for a delayed ACK.

load helper

@test "why nagle: the second of two small writes waits for the ACK of the first" {
    trace_run -- "$PROGS/why_nagle" plain
    expect_verdicts 1 nagle-wait
    expect_verdict nagle-wait weight=news certainty=inferred role=client \
        "cause~^4 bytes of send\([0-9]+\) waited .* the kernel of the server .* delayed that ACK"
    # The step it is told under is the segment that waited.
    expect_count 1 id="$(q -v -o event rule=nagle-wait)" kind=segment len=4 role=client
    expect_verdict nagle-total weight=aside "cause~ times the client "
    expect_no_alarm
}

@test "why nagle: not with TCP_NODELAY" {
    trace_run -- "$PROGS/why_nagle" nodelay
    expect_verdicts 0 nagle-wait
    expect_no_alarm
}

@test "why nagle: not when the program asked to wait" {
    trace_run -- "$PROGS/why_nagle" cork
    expect_verdicts 0 nagle-wait
    trace_run -- "$PROGS/why_nagle" more
    expect_verdicts 0 nagle-wait
}

@test "why nagle: not when the window is what is missing" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/blocked" send
    until_verdict block-send-reader
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_verdicts 0 nagle-wait
}

@test "why nagle: not where every answer is awaited before the next request" {
    LIVE_ROUNDS=50 trace_run -- "$PROGS/pair" burst
    expect_verdicts 0 nagle-wait
}

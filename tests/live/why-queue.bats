#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The accept queue: who waits in it, how long it is, and what happens when it is full.

load helper

@test "why queue: a client waits to be accepted" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/why_queue" waits
    until_event call=sendto phase=exit
    sleep 0.05 # the wait itself, longer than the threshold
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_verdict queue-waited weight=aside role=server "cause~what it sent lay there unread"
    expect_verdict queue-summary weight=aside "cause~held 1 at most, limit 4; 1 accepted"
}

@test "why queue: listen() gets less than it asks for" {
    in_ns sysctl -qw net.core.somaxconn=64
    trace_run -- "$PROGS/why_queue" clamped
    expect_verdict queue-clamped weight=news certainty=proved role=server \
        "cause~listen\([0-9]+, 100000\) got a queue limit of 64,"
    expect_no_alarm
}

@test "why queue: as long as it may be is an idiom" {
    in_ns sysctl -qw net.core.somaxconn=64
    trace_run -- "$PROGS/why_queue" longest
    expect_verdict queue-clamped weight=aside "cause~, -1\) got a queue limit of 64:"
}

@test "why queue: the queue is full" {
    trace_run -- "$PROGS/backlog"
    expect_verdicts 1 queue-full
    expect_verdict queue-full weight=alarm certainty=proved role=server \
        "event=$(one id kind=rcvq_full)" "cause~2 connections wait .*limit 1, and one more fits"
    expect_verdict queue-summary "cause~held 2 at most, limit 1 \(one more fits\); 3 accepted.*1 SYN was dropped"
}

@test "why queue: who was never accepted when the trace ends" {
    hold hold
    trace_start
    INPUT=$BATS_TEST_TMPDIR/hold background "$BATS_TEST_TMPDIR/prog.out" "$PROGS/why_queue" left
    until_line "$BATS_TEST_TMPDIR/prog.out" ready
    until_event call=sendto phase=exit
    trace_stop
    let_go hold
    expect_verdict queue-left weight=news "cause~1 client was never accepted.*5 bytes sent and unread"
    expect_verdict queue-summary "cause~held 2 at most, limit 4; 1 accepted"
}

@test "why queue: a pair that accepts at once has nothing but its account" {
    trace_run -- "$PROGS/pair" v4
    expect_verdicts 0 queue-full
    expect_verdicts 0 queue-left
    expect_verdicts 0 queue-clamped
    expect_verdicts 0 queue-waited weight=news
}

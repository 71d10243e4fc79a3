#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Why a call failed with EPIPE or ECONNRESET, and why a process died of SIGPIPE.

load helper

run_pipe() { # SCENARIO
    trace_run -- "$PROGS/why_pipe" "$1"
    same status 0 "$status"
}

@test "why-pipe: this end had shut down sending" {
    run_pipe own
    expect_verdicts 1 pipe-own-shutdown
    expect_verdict pipe-own-shutdown role=client certainty=proved weight=alarm \
        cause~"called shutdown\(., SHUT_WR\)"
}

@test "why-pipe: the peer had left: one send works, the next fails, and it is said once" {
    run_pipe left
    expect_verdicts 1 pipe-peer-left
    expect_verdict pipe-peer-left role=server certainty=proved weight=alarm \
        cause~"the client .* called close\(.\); the send of 5 bytes after that still worked"
    evidence=$(q -v -o evidence rule=pipe-peer-left)
    first=$(one id call=sendto phase=exit ret=5)
    same "the send that worked is evidence" 1 "$(tr , '\n' <<<"$evidence" | grep -cx "$first")"
    rst=$(one id kind=segment flags~RST arrival=true)
    same "so is the RST" 1 "$(tr , '\n' <<<"$evidence" | grep -cx "$rst")"
    expect_verdicts 0 reset-send
}

@test "why-pipe: killed by SIGPIPE" {
    run_pipe killed
    expect_verdicts 1 pipe-killed
    expect_verdict pipe-killed certainty=proved weight=alarm cause~"SIGPIPE killed why_pipe" \
        remedy~MSG_NOSIGNAL
    killed=$(one pid kind=proc what=exit signal=13)
    same "who died" "$killed" "$(q -v -o pid rule=pipe-killed)"
    same "told at its end" "$(one id kind=proc what=exit pid="$killed")" \
        "$(q -v -o event rule=pipe-killed)"
    expect_verdicts 1 pipe-peer-left
}

@test "why-pipe: never connected, not connected, a listener" {
    run_pipe fresh
    expect_verdict pipe-unconnected certainty=proved weight=alarm cause~"no connect\(\) has succeeded"
    run_pipe refused
    expect_verdict pipe-unconnected certainty=proved cause~"had failed with ECONNREFUSED"
    run_pipe listener
    expect_verdict pipe-unconnected certainty=proved cause~"listening socket" remedy~accept
}

@test "why-pipe: a reset meets recv(); what had come before was read first" {
    run_pipe queued
    expect_verdicts 1 reset-recv
    expect_verdict reset-recv role=server certainty=proved weight=news \
        cause~"the client .* called close\(.\) with 4 bytes unread" \
        cause~"the 2,000 bytes that came before were read"
    expect_before "call=recvfrom phase=exit ret=2000" "call=recvfrom phase=exit errno=ECONNRESET"
}

@test "why-pipe: a reset meets send(); the next error is only its echo" {
    run_pipe sending
    expect_verdicts 1 reset-send
    expect_verdict reset-send role=server certainty=proved weight=news cause~"4 bytes unread"
    expect_verdict pipe-after-end role=server certainty=proved weight=news cause~ECONNRESET
    expect_verdicts 0 pipe-peer-left
}

@test "why-pipe: the listener went while the connection waited" {
    run_pipe not-accepted
    expect_verdict reset-recv role=client certainty=proved cause~"the server \(why_pipe" \
        cause~"without accepting"
}

@test "why-pipe: SO_LINGER 0" {
    trace_run -- "$PROGS/closing" linger
    same status 0 "$status"
    expect_verdict reset-recv role=server certainty=proved cause~"SO_LINGER 0" \
        cause~"the 5 bytes that came before were read"
}

@test "why-pipe: data after SHUT_RDWR" {
    run_pipe shut
    expect_verdict pipe-peer-left role=server certainty=proved cause~"shutdown\(., SHUT_RDWR\)"
}

@test "why-pipe: what led to it is older than the trace" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold background "$BATS_TEST_TMPDIR/prog" "$PROGS/why_pipe" before
    until_line "$BATS_TEST_TMPDIR/prog" over
    trace_start -p "$BG"
    let_go hold
    wait "$BG"
    trace_stop
    sound
    expect_verdicts 1 pipe-unknown weight=alarm certainty=inferred \
        event="$(one id call=sendto phase=exit errno=EPIPE)"
    expect_verdicts 0 pipe-unconnected
}

@test "why-pipe: AF_UNIX, where the first send after the end fails" {
    run_pipe unix-left
    expect_verdict pipe-unix certainty=proved weight=alarm cause~"called close\(.\)"
    run_pipe unix-deaf
    expect_verdict pipe-unix certainty=proved cause~"shut down receiving"
    run_pipe unix-unread
    expect_verdict reset-unix certainty=proved weight=alarm cause~"before it had read everything"
    expect_verdicts 0 reset-recv
}

@test "why-pipe: an orderly end has none of it" {
    trace_run -- "$PROGS/closing" half
    same status 0 "$status"
    expect_no_alarm
    same "verdicts of these families" 0 "$(q -v -c rule~"^(pipe|reset)-")"
}

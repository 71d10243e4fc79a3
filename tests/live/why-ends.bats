#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is left of a connection, and connections that were dead on accept().

load helper

run_ends() { # SCENARIO
    trace_run -- "$PROGS/why_ends" "$1"
    same status 0 "$status"
}

# Trace a program that waits for the end of its input until the verdict has come.
until_ends() { # SCENARIO RULE
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/why_ends" "$1"
    until_verdict "$2"
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_verdicts 1 "$2"
}

@test "why-ends: TIME_WAIT is with the end that sent the first FIN" {
    run_ends client-first
    port=$(one src call=close role=client phase=exit)
    expect_verdicts 1 time-wait
    expect_verdict time-wait role=client weight=aside certainty=proved \
        cause~"the client .* sent the first FIN, so its port ${port#*:} stays taken for 60 s"
    expect_no_alarm
}

@test "why-ends: at a server it is news, for its port is wanted again" {
    run_ends server-first
    expect_verdicts 1 time-wait
    expect_verdict time-wait role=server weight=news certainty=proved remedy~SO_REUSEADDR
    run_ends server-reuse
    expect_verdict time-wait role=server weight=aside !remedy
}

@test "why-ends: TIME_WAIT of a socket that nobody had any more when the peer's FIN came" {
    run_ends orphan
    expect_verdicts 1 time-wait
    expect_verdict time-wait role=client weight=aside certainty=proved
    fin=$(one id kind=segment flags~FIN from=server arrival=true)
    same "told at the peer's FIN" "$fin" "$(q -v -o event rule=time-wait)"
    expect_verdicts 0 fin-wait2
}

@test "why-ends: two FINs that cross" {
    # The first FIN that arrives at the server is lost.
    in_ns nft -f - <<'END'
table ip loss {
    chain in {
        type filter hook input priority 0
        tcp dport 7200 tcp flags & fin == fin quota 60 bytes drop
    }
}
END
    LIVE_PORT=7200 run_ends cross
    expect_some kind=state new_state=CLOSING
    expect_verdict time-wait role=client certainty=proved cause~"both ends sent their FIN"
    expect_verdict time-wait role=server certainty=proved cause~"both ends sent their FIN"
}

@test "why-ends: CLOSE_WAIT is a close() that was forgotten" {
    until_ends close-wait close-wait
    expect_verdict close-wait role=server weight=alarm certainty=inferred \
        cause~"was read as EOF, but the server .* has not called close\(.\)"
    # The other end of it: closed, and nobody waits for it there.
    expect_verdict fin-wait2 role=client weight=aside certainty=proved
}

@test "why-ends: CLOSE_WAIT, and nobody has looked" {
    until_ends not-looked close-wait-unread
    expect_verdict close-wait-unread role=server weight=aside certainty=inferred
    expect_no_alarm
}

@test "why-ends: a peer that only shut down sending waits for an answer: nothing is wrong" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/why_ends" half-open
    # The second connection is left in CLOSE_WAIT: when that is told, enough time has passed.
    until_verdict close-wait
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_verdicts 1 close-wait
    closed=$(q -v -o conn rule=close-wait)
    half=$(one conn call=shutdown phase=exit)
    same "the other one" different "$([ "$closed" = "$half" ] && echo same || echo different)"
}

@test "why-ends: accept() of a connection whose peer has sent and closed" {
    run_ends accept-left
    expect_verdicts 1 accept-left
    expect_verdict accept-left role=server weight=news certainty=proved \
        cause~"the client .* called close\(.\): 5 bytes to read, then comes EOF"
    same "told at accept()" "$(one id call=accept phase=exit)" "$(q -v -o event rule=accept-left)"
    expect_no_alarm
}

@test "why-ends: accept() of a connection whose peer only shut down sending" {
    run_ends accept-half
    expect_verdict accept-left weight=aside certainty=proved cause~"SHUT_WR" remedy~"still reads"
    expect_no_alarm
}

@test "why-ends: accept() of a connection that was reset" {
    run_ends accept-reset
    expect_verdicts 1 accept-reset
    expect_verdict accept-reset role=server certainty=proved weight=news \
        cause~"the client .* had sent an RST before accept\(\)"
    expect_verdicts 0 accept-left
    expect_verdict reset-recv role=server
}

@test "why-ends: an orderly end is none of it" {
    trace_run -- "$PROGS/closing" half
    same status 0 "$status"
    same "news or alarms" 0 "$(q -v -c rule~"^(time-wait|close-wait|fin-wait2)" weight!=aside)"
}

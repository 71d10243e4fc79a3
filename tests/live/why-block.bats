#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Why a call waits: told while it still does.

load helper

# Start a program that waits until its standard input ends.
start_waiting() { # PROGRAM SCENARIO [OPTIONS]
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start "${@:3}" -- "$PROGS/$1" "$2"
}

# Let it go on; the program and the run must end well.
release() {
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
}

# Drop what fits this nft rule on its way in.
drop() { # RULE...
    in_ns nft add table inet t
    in_ns nft add chain inet t c '{ type filter hook input priority 0; }'
    in_ns nft add rule inet t c "$@" drop
}

@test "why block: send waits because the reader does not read, and is told before it returns" {
    start_waiting blocked send
    until_verdict block-send-reader
    expect_count 0 call=sendto phase=exit
    expect_verdict block-send-reader weight=news role=client \
        "question=Why does send($(one fd call=connect phase=exit)) not return?" \
        "cause~the server \(blocked [0-9]+\) has read nothing for .*bytes lie unread in its queue"
    same "its step" "$(one id call=sendto phase=enter role=client)" \
        "$(q -v -o event rule=block-send-reader)"
    release
    expect_verdicts 1 block-send-reader
    expect_verdict block-ended weight=aside role=client "cause~as the server .* read, .* reads of"
    expect_no_alarm
}

@test "why block: send waits and nobody has called accept()" {
    start_waiting why_block unaccepted
    until_verdict block-send-unaccepted weight=news certainty=proved "cause~has not called accept"
    expect_verdicts 0 block-send-reader
    release
    # It was killed in it: room did not come.
    expect_verdict block-killed weight=aside "cause~send\([0-9]+\) never returned .*signal 9"
    expect_verdicts 0 block-ended
}

@test "why block: one process has both ends" {
    start_waiting why_block self
    until_verdict block-send-reader "cause~both ends are of this one process"
    release
}

@test "why block: both ends in send is a deadlock, told while it lasts" {
    start_waiting why_block deadlock
    until_verdict block-deadlock
    expect_count 0 call=sendto phase=exit
    expect_verdict block-deadlock weight=alarm certainty=proved \
        "cause~both wait in send\(\) and neither reads: .* bytes wait behind .* the other way .* behind"
    for call in $(q -o id call=sendto phase=enter); do
        q -v -o evidence rule=block-deadlock | tr , '\n' | grep -qx "$call"
    done
    release
    expect_verdicts 1 block-deadlock
    expect_verdicts 0 block-send-reader
}

@test "why block: a deadlock of two programs that poll" {
    start_waiting why_block deadlock-poll
    until_verdict block-deadlock weight=alarm certainty=inferred \
        "cause~both wait to send, in poll\(\), and neither reads: .* bytes wait behind .* the other way"
    release
    expect_verdicts 1 block-deadlock
}

@test "why block: a client hangs because its server keeps the connection and sends nothing" {
    start_waiting why_block no-answer
    until_verdict block-recv-silent weight=news certainty=proved role=client \
        "cause~the server \(why_block [0-9]+\) has sent nothing, nor read the 4 bytes it got, .*; it sits in accept\([0-9]+\)$"
    expect_count 0 call=recvfrom phase=exit role=client
    release
    expect_verdicts 1 block-recv-silent
}

# Before a second is over, after which it is told anyway: a busy machine may take that long, but not eight times.
@test "why block: a trace that ends tells what still waits" {
    for attempt in 1 2 3 4 5 6 7 8; do
        start_waiting why_block no-answer
        until_verdict bytes-waiting # of what the client sent
        told=$(q -v -c rule=block-recv-silent)
        trace_stop
        expect_verdicts 1 block-recv-silent weight=news role=client
        [ "$told" != 0 ] || return 0
        let_go hold
        rm "$BATS_TEST_TMPDIR/hold"
    done
    return 1
}

@test "why block: recv with MSG_WAITALL waits for the rest" {
    start_waiting why_block waitall
    until_verdict block-recv-rest weight=news role=server "cause~has 3 of 10 bytes"
    expect_count 0 call=recvfrom phase=exit role=server
    release
    expect_no_alarm
}

@test "why block: both ends in recv" {
    start_waiting why_block both-recv
    until_verdict block-recv-both weight=news certainty=inferred "cause~the (client .*the server|server .*the client)"
    release
    expect_verdicts 1 block-recv-both
}

@test "why block: waiting for data or for a client is an aside" {
    # An entry alone is told after 10 ms, and silence is told as such after 50 times --blocked: a machine may take a while to
    # let the server go on.
    start_waiting blocked recv --blocked 5
    until_event call=recvfrom phase=enter role=client
    release
    if [ "$(one took_ns call=recvfrom phase=exit role=client)" -lt 200000000 ]; then
        expect_verdict block-recv weight=aside role=client
    else
        expect_verdict block-recv weight=aside role=client || expect_verdict block-recv-silent weight=news role=client
    fi
    expect_verdicts 0 block-recv weight!=aside
    expect_verdicts 0 block-recv-both
    expect_no_alarm
}

@test "why block: an idle accept is not even that before it returns" {
    start_waiting blocked accept --blocked 1
    until_event call=accept phase=enter
    release
    expect_verdict block-accept weight=aside
    expect_verdicts 0 block-accept weight!=aside
    expect_no_alarm
}

@test "why block: recv waits because data was lost and came again" {
    drop 'tcp flags & psh == psh numgen inc mod 1000 == 0'
    trace_run -- "$PROGS/why_block" asks
    expect_verdict block-recv-lost weight=news certainty=proved role=server \
        "cause~what the client .* had sent was lost"
    expect_verdicts 1 block-recv-lost
    expect_no_alarm
}

@test "why block: send waits because what was sent is lost" {
    drop meta length '>' 1000
    start_waiting why_block filtered
    until_verdict block-send-lost weight=news certainty=inferred role=client \
        "cause~bytes are under way, unanswered for .* and sent again"
    until_verdict block-recv-lost weight=news role=server "cause~under way but do not arrive"
    expect_verdicts 0 block-send-reader
    release
}

@test "why block: send waits for a peer out of sight, whose window is 0" {
    start_waiting why_block far
    until_verdict block-send-window weight=news certainty=inferred role=client \
        "cause~the peer's window has been 0 for .*its program does not read"
    release
    expect_no_alarm
}

@test "why block: send waits for a slow way, and nobody is at fault" {
    in_ns ip link set lo mtu 1500
    in_ns tc qdisc add dev lo root tbf rate 8mbit burst 20kb latency 500ms
    trace_run -- "$PROGS/blocked" send
    expect_verdict block-send-link weight=aside certainty=inferred role=client
    expect_verdicts 0 block-send-lost
    expect_no_alarm
}

@test "why block: connect waits because its SYN was lost" {
    drop 'tcp flags & (syn|ack) == syn numgen inc mod 1000 == 0'
    trace_run -- "$PROGS/why_block" asks
    expect_verdict block-connect weight=news certainty=proved role=client "cause~sent it again"
    expect_no_alarm
}

@test "why block: connect waits because the accept queue is full" {
    start_waiting why_block full
    until_verdict block-connect-full weight=news certainty=proved role=client "cause~its SYN was dropped"
    expect_verdict queue-full weight=alarm role=server
    release
    expect_verdict block-ended weight=aside role=client "cause~connect\([0-9]+\) took"
    expect_verdicts 1 block-connect-full
}

@test "why block: a non-blocking connect is held up, too" {
    trace_run -- "$PROGS/backlog"
    expect_verdict block-connect-full role=client "cause~connect\([0-9]+\) took .*was sent again"
    expect_verdict queue-full "cause~limit 1, and one more fits"
}

@test "why block: connect waits because nobody answers" {
    drop tcp dport 7007
    export LIVE_PORT=7007
    start_waiting why_block silent
    until_verdict block-connect-silent weight=alarm certainty=inferred \
        "cause~nobody answers at 127.0.0.1:7007; the SYN was sent 2 times"
    release
}

@test "why block: close waits because SO_LINGER asked for it" {
    start_waiting why_block linger
    until_verdict block-close-linger weight=news role=client "cause~SO_LINGER lets it, for up to 20 s"
    expect_count 0 call=close phase=exit role=client
    release
    expect_verdict block-ended "cause~until the peer's kernel had all"
    expect_no_alarm
}

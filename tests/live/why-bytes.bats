#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where bytes are that send() took, and what becomes of them.

load helper

# The call of that name that was told of has this result.
told_at() { # RULE KEY
    q -o "$2" id="$(q -v -o event rule="$1" | head -1)"
}

@test "why bytes: send returned, and the bytes are in the peer's receive queue" {
    trace_run -- "$PROGS/why_bytes" arrived
    same status 0 "$status"
    expect_verdicts 1 bytes-unread
    expect_verdict bytes-unread weight=news certainty=proved role=client \
        "cause~only copied: nobody has read the 14 bytes yet; they wait in the receive queue of the server"
    same "told under" "sendto 14" "$(told_at bytes-unread call,ret)"
    expect_no_alarm
}

@test "why bytes: the receive queue of a connection that nobody has accepted" {
    trace_run -- "$PROGS/why_bytes" unaccepted
    expect_verdict bytes-unread weight=news certainty=proved \
        "cause~5,000 bytes .* a connection that nobody has accepted"
    expect_verdicts 0 bytes-never-read # it is accepted later
}

@test "why bytes: how much is unsent, and how much is there" {
    trace_run -- "$PROGS/why_bytes" unsent
    expect_verdict bytes-unread certainty=proved \
        "cause~of 300,000 bytes the server .* has read 0; [0-9,]+ bytes not sent yet, [0-9,]+ bytes unread"
    expect_verdicts 0 bytes-unsent
    # The numbers of the sentence are those of the ledger, and they add up.
    cause=$(q -v -o cause rule=bytes-unread | tr -d ,)
    same "written" 300000 "$(sed -E 's/.*read 0; ([0-9]+) bytes not sent yet ([0-9]+) bytes unread.*/\1 \2/' \
        <<<"$cause" | awk '{ print $1 + $2 }')"
    same "unsent" "$(told_at bytes-unread ledger.unsent)" "$(sed -E 's/.*read 0; ([0-9]+) .*/\1/' <<<"$cause")"
}

@test "why bytes: of a later send a part has not left" {
    trace_run -- "$PROGS/why_bytes" later
    expect_verdict bytes-unread "cause~only copied: nobody has read the 100 bytes"
    expect_verdict bytes-unsent weight=aside certainty=proved "cause~of 300,100 bytes the server .* has read 0"
}

@test "why bytes: close() leaves a full send queue to the kernel, and all of it arrives" {
    trace_run -- "$PROGS/why_bytes" left
    expect_verdict bytes-after-close weight=news certainty=proved role=client \
        "cause~close\([0-9]+\) returned with [0-9,]+ of 300,000 bytes not delivered"
    # The reader waits for longer than it takes to notice.
    expect_verdict bytes-delivered weight=news certainty=proved role=client \
        "cause~after close\(\), the last of the [0-9,]+ bytes it left has reached the server"
    expect_verdicts 0 bytes-lost
    expect_delivered "$(one sock call=connect phase=exit)" 300000
}

@test "why bytes: the process has ended, and all of it arrives" {
    trace_run -- "$PROGS/why_bytes" exited
    expect_verdict bytes-after-close weight=news certainty=proved \
        "cause~the client \(why_bytes [0-9]+\) ended with [0-9,]+ of 300,000 bytes not delivered"
    expect_verdicts 1 bytes-delivered
    expect_verdicts 0 bytes-lost
}

@test "why bytes: what close() left is gone when the peer speaks" {
    trace_run -- "$PROGS/why_bytes" lost
    expect_verdict bytes-after-close weight=news
    expect_verdict bytes-lost weight=aside certainty=proved role=client \
        "cause~^Never delivered: all [0-9,]+ bytes that close\(\) left"
    expect_verdicts 0 bytes-delivered
}

@test "why bytes: acknowledged by the kernel of a stopped reader, and never read" {
    hold go
    INPUT=$BATS_TEST_TMPDIR/go trace_start -- "$PROGS/why_bytes" stopped
    until_verdict bytes-waiting
    let_go go
    trace_wait
    sound
    expect_verdict bytes-waiting weight=news certainty=proved role=client \
        "cause~has not read the 5,000 bytes that its kernel took in"
    expect_verdict bytes-never-read weight=news certainty=proved role=client \
        "cause~^Never read: all 5,000 bytes lay in the receive queue when the server .* ended"
    # The peer's kernel did acknowledge them.
    expect_some kind=segment direction=in from=server ack=5001 flags=ACK
}

@test "why bytes: closed with bytes unread, and never accepted" {
    trace_run -- "$PROGS/why_bytes" unread
    expect_verdict bytes-never-read weight=aside certainty=proved \
        "cause~^Never read: 600 of 1,000 bytes .* when the server .* closed the socket"
    trace_run -- "$PROGS/why_bytes" ignored
    expect_verdict bytes-never-read certainty=proved "cause~^Never read: all 700 bytes .* nobody ever accepted"
}

@test "why bytes: an ordinary conversation has one line each way at most" {
    trace_run -- "$PROGS/pair" v4
    for rule in unsent waiting never-read after-close delivered lost; do
        expect_verdicts 0 "bytes-$rule"
    done
    [ "$(q -v -c rule=bytes-unread role=client)" -le 1 ]
    [ "$(q -v -c rule=bytes-unread role=server)" -le 1 ]
    expect_no_alarm
}

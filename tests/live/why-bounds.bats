#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# k writes, n segments, m reads.

load helper

@test "why bounds: two sends come out of one recv" {
    trace_run -- "$PROGS/why_bounds" merged
    same status 0 "$status"
    expect_verdicts 1 bounds-merged
    expect_verdict bounds-merged weight=news certainty=proved role=server \
        "question~^Why did recv\([0-9]+\) return 6 bytes at once" \
        "cause~bytes of 2 sends at once, 6 bytes \(3 \+ 3\)"
    # Both sends are among the evidence.
    for id in $(q -o id call=sendto phase=exit); do
        q -v -o evidence rule=bounds-merged | tr , '\n' | grep -qx "$id"
    done
    expect_verdict bounds-tally weight=aside \
        "cause=client to server: 2 writes, 2 segments, 1 read for 6 bytes"
    expect_no_alarm
}

@test "why bounds: a hundred sends, one recv" {
    trace_run -- "$PROGS/why_bounds" many
    expect_verdict bounds-merged certainty=proved "cause~bytes of 100 sends at once, 100 bytes:"
    # The segments are as many as left, Nagle or not.
    segments=$(q -c kind=segment from=client "len>0" direction=out)
    expect_verdict bounds-tally "cause=client to server: 100 writes, $segments segments, 1 read for 100 bytes"
}

@test "why bounds: a recv ends in the middle of a send" {
    trace_run -- "$PROGS/why_bounds" cut
    expect_verdict bounds-merged "cause~\(3 \+ 1\)"
    expect_verdict bounds-cut weight=aside certainty=proved role=server "cause~it has 1 of 3 bytes"
    expect_verdict bounds-split "cause~3 bytes of one send were read by 2 recvs"
}

@test "why bounds: one send, three recvs; a look is none" {
    trace_run -- "$PROGS/why_bounds" split
    expect_verdicts 1 bounds-split
    expect_verdict bounds-split weight=aside certainty=proved "cause~10 bytes of one send were read by 3 recvs"
    expect_verdicts 0 bounds-merged
    expect_verdicts 0 bounds-cut
    expect_verdict bounds-tally "cause=client to server: 1 write, 1 segment, 3 reads for 10 bytes"
}

@test "why bounds: two sends in one segment" {
    trace_run -- "$PROGS/why_bounds" packed
    expect_verdict bounds-packed weight=aside certainty=proved role=client \
        "cause~One segment of 6 bytes carries bytes of 2 sends"
    expect_verdict bounds-tally "cause~2 writes, 1 segment, .* for 6 bytes"
}

@test "why bounds: one send in several segments" {
    trace_run -- "$PROGS/why_bounds" large
    segments=$(q -c kind=segment from=client "len>0" direction=out)
    reads=$(q -c call=recvfrom phase=exit "ret>0")
    once=$(q -c kind=segment from=client "len>0" direction=out "retransmission!=true") # a machine that stands still makes TCP try again
    [ "$once" -gt 1 ]
    expect_verdict bounds-segmented weight=aside certainty=proved role=client \
        "cause~200,000 bytes of one send left in $once segments"
    expect_verdict bounds-tally \
        "cause~^client to server: 1 write, $segments segments, $reads reads? for 200,000 bytes"
    if [ "$reads" -gt 1 ]; then
        expect_verdict bounds-split "cause~200,000 bytes of one send were read by $reads recvs"
    fi
}

@test "why bounds: AF_UNIX streams merge, datagrams do not" {
    trace_run -- "$PROGS/why_bounds" local
    expect_verdict bounds-merged certainty=proved "cause~bytes of 2 sends at once, 6 bytes \(3 \+ 3\)"
    trace_run -- "$PROGS/why_bounds" datagrams
    same "verdicts about datagrams" 0 "$(q -v -c "rule~^bounds-")"
}

@test "why bounds: request and answer, one recv each: only the tally" {
    trace_run -- "$PROGS/why_bounds" turns
    same rules bounds-tally "$(q -v -u -o rule "rule~^bounds-")"
    expect_verdict bounds-tally \
        "cause=client to server: 10 writes, 10 segments, 10 reads for 80 bytes; server to client: 10 writes, 10 segments, 10 reads for 60 bytes"
    expect_no_alarm
}

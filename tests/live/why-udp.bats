#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What becomes of datagrams.

load helper

@test "why udp: a datagram cut short, told once" {
    trace_run -- "$PROGS/why_udp" cut
    expect_count 2 call=recvfrom phase=exit "truncated>0"
    expect_verdicts 1 udp-truncated
    expect_verdict udp-truncated weight=alarm certainty=proved role=server \
        event="$(q -o id call=recvfrom phase=exit truncated=6)" \
        "cause=The datagram had 10 bytes, and there was room for 4 bytes: 6 bytes are gone without a word"
    expect_verdict udp-connect weight=aside role=client "cause~No packet was sent"
    expect_count 0 kind=segment "flags~SYN"
}

@test "why udp: cut short, but the program asks" {
    trace_run -- "$PROGS/why_udp" cut-asked
    expect_verdict udp-truncated weight=news "cause~had 10 bytes.* 6 bytes are gone" \
        "question~^Why did recv\([0-9]+\) return more bytes"
    expect_no_alarm
    trace_run -- "$PROGS/why_udp" cut-marked
    expect_verdict udp-truncated weight=alarm "cause~only msg_flags says so"
}

@test "why udp: a burst into a small buffer" {
    trace_run -- "$PROGS/why_udp" burst
    read -r got <"$BATS_TEST_TMPDIR/stdout"
    expect_verdicts 1 udp-dropped
    expect_verdict udp-dropped weight=alarm certainty=proved role=server \
        event="$(q -o id kind=udp_drop | head -1)" \
        "cause~^No room in the receive queue: [0-9,]+ of 8,192 bytes of memory are left .*SO_RCVBUF 4096, which the kernel doubles.*takes more" \
        "cause~the server \(why_udp [0-9]+\) has read nothing yet"
    expect_verdicts 1 udp-drops
    expect_verdict udp-drops weight=alarm certainty=proved role=server \
        "cause~^$((50 - got)) of the 50 datagrams .* and are gone with [0-9,]+ bytes; $got were read"
    same "bytes gone" "$((500 * (50 - got)))" "$(one client_datagrams.dropped.bytes kind=summary)"
}

@test "why udp: the error of an earlier send" {
    trace_run -- "$PROGS/why_udp" refused
    expect_verdict udp-nobody weight=news role=client certainty=proved "cause~a later call .*ECONNREFUSED"
    expect_verdicts 1 udp-refused
    expect_verdict udp-refused weight=alarm role=client certainty=proved \
        event="$(one id call=sendto phase=exit errno=ECONNREFUSED)" \
        "cause~took the datagram sent .* before: that is told only now, and this call has sent nothing"
    # The evidence: the datagram, what the kernel did with it, and its answer.
    for id in "$(q -o id kind=segment type=dgram arrival!=true | head -1)" \
        "$(q -o id kind=skb_drop reason=NO_SOCKET | head -1)" "$(q -o id kind=sock_error | head -1)"; do
        expect_verdict udp-refused "evidence~(^|,)$id(,|$)"
    done
    same "the call in between sent nothing" "2 2" \
        "$(q -o client_datagrams.sent.n,client_datagrams.nobody.n kind=summary)"
    trace_run -- "$PROGS/why_udp" refused-recv
    expect_verdict udp-refused "question~^Why did recv\([0-9]+\) fail" "cause~told only now$"
}

@test "why udp: an unconnected socket learns nothing" {
    trace_run -- "$PROGS/why_udp" nobody
    expect_verdicts 1 udp-nobody
    expect_verdict udp-nobody weight=alarm role=client certainty=proved \
        "cause~no call will say so, for this socket is not connected"
    expect_verdicts 0 udp-refused
    expect_count 0 kind=sock_error
}

@test "why udp: connect() keeps strangers out" {
    trace_run -- "$PROGS/why_udp" stranger
    expect_verdict udp-stranger weight=alarm certainty=proved \
        "cause~is connected to 127.0.0.1:[0-9]+: it takes nothing from 127.0.0.1:[0-9]+ or others"
    expect_verdicts 0 udp-nobody
}

@test "why udp: closed with datagrams unread" {
    trace_run -- "$PROGS/why_udp" unread
    expect_verdict udp-unread weight=news role=server certainty=proved \
        "cause~^2 datagrams \(12 bytes\) were unread when the server"
    expect_no_alarm
}

@test "why udp: a packet filter stands in between" {
    in_ns nft add table inet t
    in_ns nft add chain inet t c '{ type filter hook input priority 0; }'
    in_ns nft add rule inet t c meta l4proto udp drop
    trace_run -- "$PROGS/why_udp" stopped
    if [ "$(q -c kind=skb_drop reason=NETFILTER_DROP)" -eq 0 ]; then
        skip "this kernel does not say that a filter dropped it"
    fi
    expect_verdict udp-stopped weight=alarm role=client certainty=proved "cause~packet filter"
    same "lost on the way" 1 "$(one client_datagrams.lost.n kind=summary)"
}

@test "why udp: the receiver's own filter lets nothing pass, told once" {
    trace_run -- "$PROGS/why_udp" filtered
    same status 0 "$status"
    if [ "$(q -c kind=skb_drop)" -eq 0 ]; then
        skip "kernel lacks the receiver in kfree_skb"
    fi
    expect_verdicts 1 udp-filtered
    expect_verdict udp-filtered weight=alarm role=server certainty=proved \
        cause~"its own filter \(SO_ATTACH_FILTER\)" \
        event="$(q -o id kind=skb_drop reason=SOCKET_FILTER | head -1)"
    expect_verdicts 0 udp-dropped
    expect_verdicts 0 udp-stopped
}

@test "why udp: the way drops what is too large for it, and nothing says so" {
    joined_namespace
    in_ns ip link set left mtu 9000
    LIVE_FAR=/run/netns/$NS2 trace_run -- "$PROGS/why_udp" lost
    same status 0 "$status"
    expect_verdicts 1 udp-lost weight=alarm certainty=inferred event="$(one id kind=summary)" \
        cause~"^1 of the 2 that the client sent never came"
    expect_verdicts 0 udp-stopped
    same "bytes lost" 4000 "$(one client_datagrams.lost.bytes kind=summary)"
}

@test "why udp: questions and answers draw no alarm" {
    trace_run -- "$PROGS/why_udp" clean
    expect_no_alarm
    same "verdicts of datagrams" "udp-connect zero-datagram" \
        "$(q -v -u -o rule "rule~udp|datagram" | sort | xargs)"
}

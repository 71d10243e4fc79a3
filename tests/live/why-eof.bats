#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Why a receive call returned 0.

load helper

# The run has this verdict, once, and nothing looks like a fault.
calm() { # RULE PROGRAM SCENARIO
    trace_run -- "$PROGS/$2" "$3"
    same status 0 "$status"
    expect_verdicts 1 "$1"
    expect_no_alarm
}

@test "why-eof: the peer closed, after bytes or after none" {
    calm eof-close why_eof peek
    expect_verdict eof-close role=server certainty=proved weight=news \
        cause~"called close\(.\); all 4 bytes it had sent were read: nothing is lost"
}

@test "why-eof: the look ahead of MSG_PEEK is the one that is explained, once" {
    calm eof-close why_eof peek
    peeked=$(q -o id call=recvfrom phase=exit ret=0 | head -1)
    same "told under" "$peeked" "$(q -v -o event rule=eof-close)"
}

@test "why-eof: the peer only shut down sending; the answer comes with its close" {
    calm eof-shutdown closing half
    expect_verdict eof-shutdown role=server certainty=proved \
        cause~"the client .* called shutdown\(., SHUT_WR\); all 7 bytes" remedy~"still reads"
    expect_verdict eof-close role=client certainty=proved \
        cause~"the server .* called close\(.\); all 9 bytes"
}

@test "why-eof: the peer's process exited" {
    calm eof-exit why_eof exit
    expect_verdict eof-exit role=server certainty=proved \
        cause~"exited \(status 0\); all 3 bytes it had sent were read: nothing is lost"
}

@test "why-eof: the peer's process was killed" {
    calm eof-exit closing kill
    expect_verdict eof-exit role=server certainty=proved \
        cause~"was killed by signal 9; it had sent nothing"
}

@test "why-eof: this end has shut down reading" {
    calm eof-own-shutdown why_eof own
    expect_verdict eof-own-shutdown role=server certainty=proved cause~"called shutdown\(., SHUT_RD\)"
    expect_verdicts 0 eof-close
}

@test "why-eof: after a reset 0 means nothing, and it is said once" {
    trace_run -- "$PROGS/why_eof" reset
    same status 0 "$status"
    expect_verdicts 1 eof-after-reset
    expect_verdict eof-after-reset role=server certainty=proved cause~"was reset"
    expect_verdicts 1 reset-recv
}

@test "why-eof: a datagram without content" {
    calm zero-datagram why_eof datagram
    expect_verdict zero-datagram role=server certainty=proved cause~"not an end"
    # The evidence is the datagram's own arrival: that of the empty one.
    empty=$(q -o id kind=segment arrival=true len=0 | head -1)
    same "evidence" "1" "$(q -v -o evidence rule=zero-datagram | tr , '\n' | grep -cx "$empty")"
}

@test "why-eof: 0 bytes asked for" {
    calm zero-request why_eof request
    expect_verdict zero-request role=server certainty=proved cause~"asked for 0 bytes"
    expect_verdicts 0 eof-close
}

@test "why-eof: AF_UNIX, where there is no FIN" {
    calm eof-close why_eof unix
    expect_verdict eof-close certainty=proved cause~"called close\(.\); all 3 bytes"
    expect_verdicts 0 eof-own-shutdown
    calm eof-own-shutdown why_eof unix-own
}

# A peer that is really out of sight: in another namespace, and only ours is traced.
far_server() { # PYTHON
    second_namespace
    in_ns ip link add name left type veth peer name right netns "$NS2"
    in_ns ip addr add 10.9.0.1/24 dev left
    in_ns ip link set left up
    NS=$NS2 in_ns ip addr add 10.9.0.2/24 dev right
    NS=$NS2 in_ns ip link set right up
    NS=$NS2 background "$BATS_TEST_TMPDIR/server" python3 -uc "
import socket, struct
s = socket.create_server(('10.9.0.2', 7100))
print('ready')
c, _ = s.accept()
$1"
    until_line "$BATS_TEST_TMPDIR/server" ready
}

@test "why-eof: the peer is out of sight" {
    far_server "c.sendall(b'x' * 4000); c.close()"
    trace_start --netns "$NS"
    in_ns python3 -c '
import socket
c = socket.create_connection(("10.9.0.2", 7100))
while c.recv(1000): pass'
    trace_stop
    sound
    expect_verdicts 1 eof-peer
    expect_verdict eof-peer role=client certainty=proved cause~"a FIN of the other end came" \
        cause~"4,000 bytes were read here"
    expect_verdicts 0 eof-close
    expect_no_alarm
}

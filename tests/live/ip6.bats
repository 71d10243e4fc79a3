#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The conversation over IPv6.

load helper

@test "ip6: addresses, roles, bytes and states as over IPv4" {
    trace_run -- "$PROGS/pair" v6
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    server=$(one sock call=recvfrom phase=exit role=server)
    same family inet6 "$(one family sock="$client" "conn>0")"
    [[ $(one dst call=connect phase=exit) =~ ^\[::1\]:[0-9]+$ ]]
    expect_delivered "$client" 14
    expect_delivered "$server" 14
    expect_some kind=segment src~'^\[::1\]' flags~FIN
    expect_rows new_state kind=state sock="$client" <<'END'
SYN_SENT
ESTABLISHED
FIN_WAIT1
FIN_WAIT2
CLOSE
END
}

@test "ip6: the same calls and segments as over IPv4" {
    local family
    for family in v4 v6; do
        trace_run -- "$PROGS/pair" "$family"
        {
            q -o role,call,ret kind=call phase=exit role=client
            q -o from,seq,ack,len,flags kind=segment direction=out pure_ack!=true
        } >"$BATS_TEST_TMPDIR/$family"
    done
    [ -s "$BATS_TEST_TMPDIR/v4" ]
    diff -u "$BATS_TEST_TMPDIR/v4" "$BATS_TEST_TMPDIR/v6"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shutdown(SHUT_WR): one direction ends, the other goes on.

load helper

@test "halfclose: the reply travels after the client's FIN" {
    trace_run -- "$PROGS/closing" half
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    server=$(one sock call=sendto phase=exit role=server)
    expect_before "call=shutdown phase=enter role=client" "call=recvfrom phase=exit ret=0 role=server"
    expect_before "call=recvfrom phase=exit ret=0 role=server" "call=sendto phase=enter role=server"
    expect_delivered "$client" 7
    expect_delivered "$server" 9
    same "client's FIN" 8 "$(one seq kind=segment flags~FIN from=client)"
    same "server's FIN" 10 "$(one seq kind=segment flags~FIN from=server)"
    expect_count 0 kind=segment flags~RST
}

@test "halfclose: the states of a half-open conversation" {
    trace_run -- "$PROGS/closing" half
    expect_rows new_state kind=state sock="$(one sock call=connect phase=exit)" <<'END'
SYN_SENT
ESTABLISHED
FIN_WAIT1
FIN_WAIT2
CLOSE
END
    # FIN_WAIT1 begins at shutdown(), long before close().
    expect_before "kind=state new_state=FIN_WAIT1" "call=close phase=enter role=client"
}

@test "halfclose: an end in order has no drop without a reason and no error 0" {
    local i
    for i in 1 2 3 4 5; do
        trace_run -- "$PROGS/closing" half
        expect_count 0 kind=skb_drop reason=NOT_SPECIFIED
        expect_count 0 kind=skb_drop "!reason"
        expect_count 0 kind=sock_error
    done
}

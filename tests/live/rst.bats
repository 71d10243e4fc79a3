#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Conversations that end with an RST.

load helper

@test "rst: close() with unread bytes resets the conversation" {
    trace_run -- "$PROGS/closing" unread
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    expect_count 1 kind=rst_sent
    same "who reset" "$client" "$(one sock kind=rst_sent)"
    expect_count 0 kind=segment flags~FIN from=client
    expect_rows call,ret,errno kind=call phase=exit role=server ret=-1 <<'END'
recvfrom -1 ECONNRESET
sendto -1 EPIPE
END
    # 1000 bytes arrived, nobody read them, the close threw them away.
    server=$(one sock call=sendto phase=exit ret=1000)
    same "written, ..., read, destroyed, discarded" "1000 0 0 0 0 0 1000" "$(ending "$server")"
}

@test "rst: linger 0 resets although everything was read" {
    trace_run -- "$PROGS/closing" linger
    same status 0 "$status"
    expect_count 1 kind=rst_sent
    same "who reset" "$(one sock call=connect phase=exit)" "$(one sock kind=rst_sent)"
    expect_count 0 kind=segment flags~FIN from=client
    expect_count 1 call=recvfrom phase=exit ret=-1 errno=ECONNRESET
    expect_delivered "$(one sock call=connect phase=exit)" 5
}

# The reason of each RST that was sent, in order; none was sent without.
reasons() {
    same "RSTs sent" "$(q -c kind=segment flags~RST arrival=false)" "$(q -c kind=rst_sent reason)"
    q -o reason kind=rst_sent
}

@test "rst: every RST that is sent tells its reason" {
    local scenario reason
    while read -r scenario reason; do
        # shellcheck disable=SC2086
        trace_run -- "$PROGS/"${scenario/:/ }
        same "$scenario: status" 0 "$status"
        same "$scenario: reason" "$reason" "$(reasons)"
    done <<'END'
connect:refused NO_SOCKET
closing:unread TCP_ABORT_ON_CLOSE
closing:late TCP_ABORT_ON_DATA
closing:linger TCP_STATE
END
}

@test "rst: data for a socket that is closed is answered with an RST" {
    trace_run -- "$PROGS/closing" late
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    same "who reset" "$client" "$(one sock kind=rst_sent)"
    expect_before "call=close phase=exit sock=$client" "kind=rst_sent"
    expect_before "kind=rst_sent" "call=sendto phase=exit ret=-1 errno=EPIPE"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A forking server: descriptors that several processes hold.

load helper

@test "fork: three clients, three children, one server process" {
    trace_run -- "$PROGS/forking"
    same status 0 "$status"
    same conversations 3 "$(q -u -o conn call=connect phase=exit | wc -l)"
    same "answering processes" 3 "$(q -u -o pid call=sendto phase=exit ret=5 | wc -l)"
    same "accepting processes" 1 "$(q -u -o pid call=accept phase=exit | wc -l)"
    for client in $(q -u -o sock call=connect phase=exit); do
        expect_delivered "$client" 4
    done
}

@test "fork: the parent's close is not the last one, the child's exit is" {
    trace_run -- "$PROGS/forking"
    parent=$(one pid call=accept phase=exit)
    for child in $(q -u -o pid call=sendto phase=exit ret=5); do
        conn=$(one sock pid="$child" call=sendto)
        expect_count 1 call=close phase=exit sock="$conn" pid="$parent"
        expect_count 0 call=close phase=exit sock="$conn" pid="$child"
        expect_count 1 call=close phase=point sock="$conn" pid="$child" by=exit
        # The server's FIN leaves when the child ends, not when the parent closes.
        expect_before "call=close phase=point sock=$conn pid=$child" \
            "kind=state sock=$conn new_state=LAST_ACK"
    done
}

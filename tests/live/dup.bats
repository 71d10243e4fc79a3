#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Several descriptors, one socket.

load helper

# The copy is the same socket; the first close sends nothing, the last one the FIN.
copied() { # SCENARIO CALL
    trace_run -- "$PROGS/dup" "$1"
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    same "socket of the copy" "$client" "$(one sock call="$2" phase=exit | head -1)"
    copy=$(q -o ret call="$2" phase=exit | head -1)
    same "sent through" "$copy" "$(one fd call=sendto phase=exit sock="$client")"
    expect_before "call=close phase=exit sock=$client" "call=sendto phase=enter sock=$client"
    expect_before "call=sendto phase=exit sock=$client" "kind=segment flags~FIN"
    expect_count 1 kind=state sock="$client" new_state=FIN_WAIT1
    expect_delivered "$client" 4
}

@test "dup: dup" {
    copied dup dup
    expect_count 2 call=close phase=exit sock="$client"
}

@test "dup: dup2 to a number of choice" {
    copied dup2 dup2
    same number 20 "$copy"
}

@test "dup: dup3" {
    copied dup3 dup3
    same number 20 "$copy"
}

@test "dup: fcntl F_DUPFD and F_DUPFD_CLOEXEC" {
    copied fcntl fcntl
    expect_rows ret call=fcntl phase=exit <<'END'
20
21
END
    expect_count 3 call=close phase=exit sock="$client"
}

@test "dup: dup2 onto another socket closes that one" {
    trace_run -- "$PROGS/dup" over
    same status 0 "$status"
    first=$(q -o sock call=connect phase=exit | head -1)
    second=$(q -o sock call=connect phase=exit | tail -1)
    same "sent through the second's number" "$first" "$(one sock call=sendto phase=exit)"
    expect_count 0 call=close phase=exit sock="$second"
    expect_before "call=dup2 phase=enter" "kind=state sock=$second new_state=FIN_WAIT1"
    expect_before "kind=state sock=$second new_state=FIN_WAIT1" "call=recvfrom phase=exit ret=0"
}

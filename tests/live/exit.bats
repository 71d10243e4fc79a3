#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Processes that end, or become another program, with sockets open.

load helper

@test "exit: the kernel closes what the process left open" {
    trace_run -- "$PROGS/closing" exit
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    child=$(one pid call=sendto phase=exit ret=3)
    expect_count 0 call=close phase=exit sock="$client" pid="$child"
    expect_count 1 call=close phase=point sock="$client" pid="$child" by=exit
    expect_before "call=close phase=point sock=$client" "kind=segment flags~FIN"
    expect_before "kind=segment flags~FIN" "call=recvfrom phase=exit ret=0"
    expect_delivered "$client" 3
}

@test "exit: a kill inside recv: no return, a close by the kernel, EOF for the peer" {
    trace_run -- "$PROGS/closing" kill
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    child=$(one pid call=recvfrom phase=enter sock="$client")
    expect_count 1 call=close phase=point sock="$client" pid="$child" by=exit
    expect_before "call=close phase=point sock=$client" "call=recvfrom phase=exit ret=0"
}

@test "exit: exec keeps a plain descriptor" {
    trace_run -- "$PROGS/exec" keep
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    same "socket used after exec" "$client" "$(one sock call=sendto phase=exit ret=4)"
    expect_count 0 call=close sock="$client" by=exec
    expect_count 1 call=close phase=point sock="$client" by=exit
    expect_delivered "$client" 4
}

@test "exit: exec closes a close-on-exec descriptor" {
    trace_run -- "$PROGS/exec" cloexec
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    expect_count 1 call=close phase=point sock="$client" by=exec
    expect_count 0 call=close sock="$client" by=exit
    expect_before "call=close by=exec sock=$client" "call=recvfrom phase=exit ret=0"
}

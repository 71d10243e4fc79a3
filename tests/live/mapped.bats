#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A dual-stack server and an IPv4 client: one conversation, two address families.

load helper

@test "mapped: both ends are one conversation" {
    trace_run -- "$PROGS/pair" mapped
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    server=$(one sock call=recvfrom phase=exit role=server)
    same "conversation" "$(one conn sock="$client" "conn>0")" "$(one conn sock="$server" "conn>0")"
    same "client's family" inet "$(one family sock="$client" "conn>0")"
    same "server's family" inet6 "$(one family sock="$server" "conn>0")"
    expect_delivered "$client" 14
    expect_delivered "$server" 14
}

@test "mapped: the wire is IPv4" {
    trace_run -- "$PROGS/pair" mapped
    expect_some kind=segment src~'^127\.0\.0\.1:' dst~'^127\.0\.0\.1:'
    expect_count 0 kind=segment src~'^\['
}

@test "mapped: a port filter finds it" {
    LIVE_PORT=7003 trace_run --port 7003 -- "$PROGS/pair" mapped
    expect_delivered "$(one sock call=connect phase=exit)" 14
}

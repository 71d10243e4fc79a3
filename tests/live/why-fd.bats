#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Descriptors: none left, closed before, never a socket's, never closed.

load helper

scenario() { # NAME
    trace_run -- "$PROGS/why_fd" "$1"
    same status 0 "$status"
}

# The one alarm of the run is of this rule, told under the first call that failed so.
only_alarm() { # RULE ERRNO CONDITION...
    local rule=$1 errno=$2
    shift 2
    expect_verdict "$rule" weight=alarm "$@" \
        event="$(q -o id kind=call phase=exit errno="$errno" | head -1)"
    same "alarms" "$rule" "$(q -v -o rule weight=alarm)"
}

@test "why fd: accept() without a descriptor, and the connection waits on" {
    scenario accept
    only_alarm fd-accept-limit EMFILE certainty=proved role=server \
        cause~"1 connection waits on in the queue, not refused"
    expect_count 1 call=accept phase=exit "ret>0"
}

@test "why fd: socket() without a descriptor" {
    scenario socket
    only_alarm fd-limit EMFILE certainty=proved cause~RLIMIT_NOFILE
}

@test "why fd: a loop that only tries accept() again" {
    scenario spin
    expect_verdict again-spin weight=alarm cause~"failed 256 times in a row with EMFILE"
    expect_verdicts 1 again-spin
    expect_verdicts 1 fd-accept-limit
}

@test "why fd: connections that were never closed" {
    scenario leak
    expect_verdict fd-leak weight=alarm certainty=proved event="$(one id what=exit)" \
        cause~"^4 connections whose peer was done"
    same "alarms" fd-leak "$(q -v -o rule weight=alarm)"
}

@test "why fd: two connections left open are no leak" {
    scenario two
    expect_verdict fd-left-open weight=aside certainty=proved cause~"^3 sockets were never closed"
    expect_no_alarm
}

@test "why fd: the limit was reached by connections that were never closed" {
    scenario leak-full
    expect_verdict fd-accept-limit weight=alarm remedy~"3 of its connections are at their end"
}

@test "why fd: a server stopped with its listener and a connection open" {
    trace_start -- python3 -u -c '
import socket
s = socket.create_server(("127.0.0.1", 7001))
c = socket.create_connection(("127.0.0.1", 7001))
a = s.accept()[0]
a.recv(1)'
    until_event call=recvfrom phase=enter
    kill -TERM "$(one pid call=listen phase=exit)"
    trace_wait
    sound
    expect_verdict fd-left-open weight=aside cause~"^3 sockets were never closed"
    expect_no_alarm
}

@test "why fd: use after close()" {
    scenario closed
    only_alarm fd-closed EBADF certainty=proved cause~"^Descriptor $(one fd errno=EBADF phase=exit) was closed"
    closed=$(q -o id call=close phase=enter fd="$(one fd errno=EBADF phase=exit)" | head -1)
    [[ ,$(q -v -o evidence rule=fd-closed), == *,$closed,* ]]
}

@test "why fd: closed twice" {
    scenario twice
    expect_verdict fd-closed-twice weight=news certainty=proved event="$(one id errno=EBADF phase=exit)"
    expect_no_alarm
}

@test "why fd: closing every number is no fault" {
    scenario sweep
    expect_no_alarm
}

@test "why fd: the result of a failed call used as a descriptor" {
    scenario negative
    only_alarm fd-negative EBADF certainty=inferred \
        cause~"what socket\(\) returned when it failed with EPROTONOSUPPORT"
}

@test "why fd: a number that is not open" {
    scenario not-open
    only_alarm fd-not-open EBADF certainty=proved cause~"Nothing is open as descriptor 77"
}

@test "why fd: the number of a closed socket now belongs to a file" {
    scenario reused
    only_alarm fd-not-socket ENOTSOCK certainty=proved cause~"Descriptor 3 was a socket until its close"
}

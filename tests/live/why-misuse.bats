#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Calls that do not suit the socket, calls that cannot be served now, and the numbers of buffers.

load helper

scenario() { # NAME
    trace_run -- "$PROGS/why_misuse" "$1"
    same status 0 "$status"
}

# The one alarm of the run is of this rule, told under the call that failed.
only_alarm() { # RULE CALL ERRNO CONDITION...
    local rule=$1 call=$2 errno=$3
    shift 3
    expect_verdict "$rule" weight=alarm event="$(one id call="$call" phase=exit errno="$errno")" "$@"
    same "alarms" "$rule" "$(q -v -o rule weight=alarm)"
}

@test "why misuse: recv() on the listening socket" {
    scenario listener
    only_alarm misuse-listener recvfrom ENOTCONN certainty=proved role=server \
        cause~"^Descriptor 3 is the listening socket" \
        remedy="Use the descriptor that accept(3) returned: $(one ret call=accept phase=exit)"
}

@test "why misuse: recv() on a socket that was never connected" {
    scenario unconnected
    only_alarm misuse-not-connected recvfrom ENOTCONN certainty=proved cause~"never connected"
}

@test "why misuse: getpeername() after the reset" {
    scenario over
    expect_verdict misuse-over weight=aside certainty=proved role=server cause~"the peer's RST came" \
        event="$(one id call=getpeername phase=exit errno=ENOTCONN)"
}

@test "why misuse: accept() without listen()" {
    scenario not-listening
    only_alarm misuse-not-listening accept EINVAL certainty=proved cause~"^listen\(3\) was never called"
}

@test "why misuse: accept() and listen() on a connection" {
    scenario accept-connection
    expect_verdict misuse-not-listening weight=alarm role=server \
        cause~"^Descriptor $(one ret call=accept phase=exit "ret>0") is a connection"
    expect_verdict misuse-listen-connected weight=alarm
}

@test "why misuse: listen() on a UDP socket" {
    scenario no-stream
    only_alarm misuse-no-stream listen EOPNOTSUPP certainty=proved
}

@test "why misuse: a datagram without an address" {
    scenario no-address
    only_alarm misuse-no-address sendto EDESTADDRREQ certainty=proved
}

@test "why misuse: more than one datagram can carry" {
    scenario too-big
    only_alarm misuse-too-big sendto EMSGSIZE certainty=proved \
        cause~"^65,508 bytes do not fit: a UDP datagram carries at most 65,507 bytes"
}

@test "why misuse: a pointer that leads nowhere" {
    scenario pointer
    only_alarm misuse-pointer sendto EFAULT certainty=proved
}

@test "why misuse: no room for it in the kernel" {
    scenario no-buffers
    only_alarm misuse-no-buffers sendmsg ENOBUFS certainty=inferred
}

@test "why misuse: a listener of AF_UNIX whose queue is full" {
    scenario unix-full
    expect_verdict again-connect weight=news certainty=proved \
        event="$(one id call=connect phase=exit errno=EAGAIN)"
}

@test "why misuse: EAGAIN of a program that waits with poll()" {
    scenario again
    expect_verdict again-accept weight=aside
    expect_verdicts 1 again-recv weight=aside certainty=proved role=server
    expect_verdicts 1 again-send weight=aside role=client
    expect_verdicts 0 again-spin
    # the queue as the kernel counts it: what was sent less what was acknowledged
    bytes=$(q -v -o cause rule=again-send | tr -dc 0-9)
    [ "$bytes" -gt 0 ] && [ "$bytes" -le "$(sum ret call=sendto phase=exit "ret>0")" ]
}

@test "why misuse: a program that spins" {
    scenario spin
    expect_verdict again-spin weight=alarm role=server cause~"failed 256 times in a row with EAGAIN"
    expect_verdicts 1 again-spin
}

@test "why misuse: a receive timeout" {
    scenario timeout
    expect_verdict again-timeout weight=news certainty=proved role=server \
        event="$(one id call=recvfrom phase=exit errno=EAGAIN)" cause~"^SO_RCVTIMEO is over: nothing came in"
    [[ ,$(q -v -o evidence rule=again-timeout), == *,$(one id call=setsockopt phase=exit),* ]]
    expect_no_alarm
}

@test "why misuse: a signal, with a timeout set and without" {
    local how
    for how in interrupted interrupted-plain; do
        scenario "$how"
        expect_verdict interrupted weight=news role=server cause~"EINTR" \
            event="$(one id call=recvfrom phase=exit "errno~EINTR|ERESTARTSYS")"
        expect_no_alarm
    done
}

@test "why misuse: a signal that the program does not notice" {
    scenario restarted
    expect_verdicts 1 interrupted-restart weight=aside role=server certainty=proved \
        event="$(one id call=recvfrom phase=exit errno~ERESTARTSYS)" cause~"the call began anew"
    expect_verdicts 0 interrupted
    expect_no_alarm
}

@test "why misuse: a call that ends because another thread ends the program is no EINTR" {
    scenario exits
    expect_some call=accept phase=exit errno~ERESTARTSYS
    expect_verdicts 0 interrupted
    expect_verdicts 0 interrupted-restart
}

@test "why misuse: what becomes of the number for a buffer" {
    scenario buffers
    expect_verdict buffer-size weight=aside cause~"SO_RCVBUF is now 20,000 bytes, twice what was asked for"
    expect_verdict buffer-size cause~"SO_SNDBUF is now 4,608 bytes, not twice the 1 byte asked for"
    expect_verdicts 1 buffer-late weight=aside role=client
    expect_no_alarm
}

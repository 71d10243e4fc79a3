#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Why connect() failed, and what it met.

load helper

# Run a scenario: one verdict of that rule, told under the last connect() of the client.
why() { # SCENARIO RULE CONDITION...
    local scenario=$1 rule=$2
    shift 2
    trace_run -- "$PROGS/why_connect" "$scenario"
    same "$scenario: status" 0 "$status"
    expect_verdicts 1 "$rule" "$@"
    same "verdicts on connect()" 1 "$(q -v -c rule~^connect- rule!=connect-before-accept rule!=connect-later \
        rule!=connect-started)"
    same "told under connect()" "$(last id call=connect phase=exit ret=-1)" "$(q -v -o event rule="$rule")"
}

# The port that the client asked for, or the server's.
port_in() { # CONDITION...
    local at
    at=$(last addr "$@")
    echo "${at##*:}"
}

swapped() { # PORT
    echo $((($1 & 255) << 8 | $1 >> 8))
}

@test "why-connect: nobody listens" {
    trace_run -- "$PROGS/connect" refused
    same status 0 "$status"
    expect_verdicts 1 connect-refused certainty=proved weight=alarm role=client
    port=$(port_in call=connect phase=exit)
    expect_verdict connect-refused cause~"^Nobody listens on 127.0.0.1:$port: the kernel there answered"
}

@test "why-connect: the listener is at another address" {
    why address connect-address certainty=proved weight=alarm role=client \
        cause~"^Nobody listens on 127.0.0.2:.* at another address, 127.0.0.1:"
}

@test "why-connect: the listener is of the other family" {
    why family connect-address certainty=proved cause~"^Nobody listens on \[::1\]:.* at another address, 127.0.0.1:"
}

@test "why-connect: bound, and not listening" {
    why bound connect-not-listening certainty=proved cause~"has bound that port, and not called listen\(\)"
}

@test "why-connect: a port without htons()" {
    why htons connect-htons certainty=inferred weight=alarm
    port=$(port_in call=connect phase=exit)
    expect_verdict connect-htons cause~"listens on port $(swapped "$port"), which is $port with its two bytes swapped: htons\(\) forgotten\?$"
}

@test "why-connect: bind() to the swapped twin of a port in use" {
    trace_run -- "$PROGS/why_connect" bind-htons
    same status 0 "$status"
    port=$(port_in call=bind phase=exit)
    expect_verdicts 1 bind-htons certainty=inferred weight=alarm
    expect_verdict bind-htons cause~"^Port $port is $(swapped "$port") with its two bytes swapped, and $(swapped "$port") is in use .*: htons\(\) forgotten\?$"
}

@test "why-connect: bind() to the swapped twin of a port that was asked for" {
    trace_run -- "$PROGS/why_connect" bind-late
    same status 0 "$status"
    port=$(port_in call=bind phase=exit)
    expect_verdicts 1 bind-htons certainty=inferred cause~"^Port $port is .* was refused at $(swapped "$port"): htons"
}

@test "why-connect: the listener was closed a moment ago" {
    why gone connect-listener-gone certainty=proved cause~"any more: the server .* closed its listener"
}

@test "why-connect: the UDP port of that number is another one" {
    why udp connect-refused certainty=proved cause~"has the UDP port of that number"
}

@test "why-connect: a client that tries again is told of once aloud" {
    trace_run -- "$PROGS/why_connect" thrice
    same status 0 "$status"
    expect_verdicts 1 connect-refused weight=alarm
    expect_verdicts 2 connect-refused weight=aside
}

@test "why-connect: no path, and a path nobody listens at" {
    trace_run -- "$PROGS/why_connect" paths
    same status 0 "$status"
    expect_verdicts 2 connect-unix certainty=proved
    expect_verdict connect-unix cause~"^There is no file $LIVE_PATH"
    expect_verdict connect-unix cause~"^The file $LIVE_PATH is there"
}

@test "why-connect: nothing comes back" {
    in_ns nft -f - <<'END'
table inet deaf {
    chain input {
        type filter hook input priority 0;
        tcp dport 7777 drop
    }
}
END
    LIVE_PORT=7777 why timeout connect-timeout certainty=proved weight=alarm \
        cause~"^[0-9]+ SYNs were sent to 127.0.0.1:7777 .* and nothing came back"
    syns=$(q -c kind=segment flags=SYN direction=out)
    expect_verdict connect-timeout cause~"^$syns SYNs"
}

@test "why-connect: the accept queue is full" {
    why full connect-queue-full certainty=proved weight=alarm cause~"^The accept queue of the server .* was full"
}

@test "why-connect: no local port is left" {
    why no-port connect-no-port certainty=inferred weight=alarm \
        cause~"^No local port is left towards 127.0.0.1:.* \(4 connections to it open from here\): no SYN"
}

@test "why-connect: no route" {
    why unreachable connect-unreachable certainty=proved cause~"no route to 203.0.113.1:80"
}

@test "why-connect: connected already, and listening" {
    trace_run -- "$PROGS/why_connect" again
    same status 0 "$status"
    expect_verdicts 1 connect-again weight=news cause~"connected already"
    expect_verdicts 1 connect-again weight=alarm cause~"This socket listens"
}

@test "why-connect: still under way" {
    why already connect-again weight=news cause~"begun .* is still under way"
}

@test "why-connect: itself" {
    trace_run -- "$PROGS/why_connect" self
    same status 0 "$status"
    expect_verdicts 1 connect-self certainty=proved weight=alarm cause~"^Itself"
    expect_verdicts 0 connect-before-accept
}

@test "why-connect: connected long before accept() is called" {
    trace_run -- "$PROGS/why_connect" early
    same status 0 "$status"
    expect_verdicts 1 connect-before-accept certainty=proved cause~"before accept\(\) was called.*, and 5 bytes came in"
    expect_no_alarm
}

@test "why-connect: EINPROGRESS, and how it ended" {
    trace_run -- "$PROGS/connect" nonblock
    same status 0 "$status"
    expect_verdicts 1 connect-started weight=news certainty=proved cause~"^EINPROGRESS is no failure" \
        event="$(one id call=connect phase=exit errno=EINPROGRESS)"
    expect_verdicts 1 connect-later weight=aside certainty=proved cause~"^It succeeded"
    expect_no_alarm
    trace_run -- "$PROGS/connect" nonblock-refused
    same status 0 "$status"
    expect_verdicts 1 connect-refused certainty=proved question~"^What became of connect" remedy~SO_ERROR
    expect_verdicts 0 connect-later
}

@test "why-connect: the next address of the name answers" {
    trace_run -- "$PROGS/gai" ""
    same status 0 "$status"
    expect_verdicts 1 connect-next certainty=proved weight=news \
        cause~"gave 2 addresses: \[::1\]:[0-9]+ failed \(ECONNREFUSED\), 127.0.0.1:[0-9]+ answered"
    expect_verdicts 1 connect-address weight=news
    expect_no_alarm
}

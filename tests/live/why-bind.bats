#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who holds the port, which option would have helped, and names that cannot be had.

load helper

scenario() { # NAME
    trace_run -- "$PROGS/why_bind" "$1"
    same status 0 "$status"
}

# The one alarm of the run is of this rule, told under the call that failed.
only_alarm() { # RULE CALL ERRNO CONDITION...
    local rule=$1 call=$2 errno=$3
    shift 3
    expect_verdict "$rule" weight=alarm event="$(one id call="$call" phase=exit errno="$errno")" "$@"
    same "alarms" "$rule" "$(q -v -o rule weight=alarm)"
}

@test "why bind: somebody listens" {
    scenario listener
    only_alarm bind-listener bind EADDRINUSE certainty=proved \
        cause~"is taken: this process itself listens on it with descriptor 3$" \
        remedy~"SO_REUSEADDR never allows two listeners"
}

@test "why bind: another process listens" {
    background "$BATS_TEST_TMPDIR/server" python3 -u -c '
import socket
s = socket.create_server(("127.0.0.1", 7001))
print("up")
s.accept()'
    until_line "$BATS_TEST_TMPDIR/server" up
    # of this namespace: sockets that were there before are in sight
    trace_start --netns "$NS"
    LIVE_PORT=7001 in_ns "$PROGS/why_bind" unseen
    trace_stop
    sound
    only_alarm bind-listener bind EADDRINUSE certainty=proved \
        cause~"Port 7001 is taken: the server \(python3 $BG\) listens on it with descriptor 3"
}

@test "why bind: a process that is not traced listens" {
    background "$BATS_TEST_TMPDIR/server" python3 -u -c '
import socket
s = socket.create_server(("127.0.0.1", 7001))
print("up")
s.accept()'
    until_line "$BATS_TEST_TMPDIR/server" up
    LIVE_PORT=7001 scenario unseen
    only_alarm bind-unseen bind EADDRINUSE certainty=inferred basis~"sport = :7001" \
        cause~"Port 7001 is taken, but by nothing in sight"
}

@test "why bind: a child has the listening socket from its parent" {
    scenario inherited
    expect_verdict bind-inherited weight=alarm certainty=proved \
        event="$(one id call=bind phase=exit errno=EADDRINUSE)" \
        cause~"\(process $(one child what=fork)\) still has the listening socket as descriptor 3" \
        cause~"which has closed it"
}

@test "why bind: both may bind, one may listen" {
    scenario second
    only_alarm bind-second-listener listen EADDRINUSE certainty=proved \
        cause~"only one may listen, and this process itself does, with descriptor 3"
}

@test "why bind: SO_REUSEPORT on both, and both listen" {
    scenario shared
    expect_count 2 call=listen phase=exit ret=0
    expect_no_alarm
}

@test "why bind: a bound socket" {
    scenario bound
    only_alarm bind-bound bind EADDRINUSE certainty=proved cause~"and does not listen$"
}

@test "why bind: a bound UDP socket" {
    scenario udp
    only_alarm bind-bound bind EADDRINUSE certainty=proved remedy~SO_REUSEPORT \
        cause~"has bound descriptor 3 to it$"
}

@test "why bind: [::] takes IPv4 as well, until IPV6_V6ONLY" {
    scenario families
    only_alarm bind-listener bind EADDRINUSE certainty=proved remedy~IPV6_V6ONLY \
        cause~"as \[::\]:[0-9]*, which takes IPv4 as well"
    expect_count 3 call=listen phase=exit ret=0
}

@test "why bind: a connection of the earlier server" {
    scenario living
    only_alarm bind-connection bind EADDRINUSE certainty=proved \
        cause~"ESTABLISHED, kept by this process itself; this socket has SO_REUSEADDR, but the old one had not"
}

# The option that is missing, by who has it.
waits() { # SCENARIO WHAT
    scenario "$1"
    only_alarm bind-time-wait bind EADDRINUSE certainty=inferred basis~time-wait cause~"; $2$" \
        cause~"in TIME_WAIT for 60 s: .* ago its connection with 127.0.0.1"
    # the moment it began is what proves it
    [ "$(q -v -o evidence rule=bind-time-wait | tr , '\n' | wc -l)" -ge 2 ]
}

@test "why bind: TIME_WAIT, nobody has SO_REUSEADDR" {
    waits wait-none "neither this socket nor the old one has SO_REUSEADDR"
}

@test "why bind: TIME_WAIT, only the new socket has SO_REUSEADDR" {
    waits wait-new "this socket has SO_REUSEADDR, but the old one had not"
}

@test "why bind: TIME_WAIT, only the old socket had SO_REUSEADDR" {
    waits wait-old "the old socket had SO_REUSEADDR, but this one has not"
}

@test "why bind: TIME_WAIT does not matter when both have SO_REUSEADDR" {
    scenario wait-both
    expect_count 2 call=bind phase=exit ret=0
    expect_no_alarm
}

@test "why bind: SO_REUSEADDR after bind()" {
    scenario late
    expect_verdict bind-option-late weight=news certainty=proved \
        event="$(one id call=setsockopt phase=exit)" cause~"SO_REUSEADDR came after bind\(\)"
    expect_no_alarm
}

@test "why bind: no port is left" {
    in_ns sh -c 'echo "40000 40001" >/proc/sys/net/ipv4/ip_local_port_range'
    scenario no-port
    only_alarm bind-no-port bind EADDRINUSE certainty=inferred
}

@test "why bind: not an address of this machine" {
    scenario foreign
    only_alarm bind-foreign bind EADDRNOTAVAIL certainty=proved cause~"^192.0.2.1 is no address"
}

@test "why bind: a second name" {
    scenario again
    only_alarm bind-again bind EINVAL certainty=proved cause~"already, by an earlier bind\(\)"
}

@test "why bind: the address of another family" {
    scenario wrong-family
    only_alarm bind-address bind EINVAL certainty=proved cause~"family inet6, the address of family inet$"
}

@test "why bind: a privileged port" {
    scenario denied
    only_alarm bind-denied bind EACCES certainty=proved cause~"Port 80 is privileged: below 1024"
}

@test "why bind: the same connection exists" {
    scenario twin
    expect_verdict bind-twin weight=alarm certainty=proved cause~"already: two cannot share" \
        event="$(one id call=connect phase=exit errno=EADDRNOTAVAIL)"
}

@test "why bind: the name of an AF_UNIX socket outlives it" {
    scenario path
    expect_rows errno call=bind phase=exit <<'END'
-
EADDRINUSE
EADDRINUSE
END
    expect_verdicts 2 bind-path weight=alarm certainty=proved
    expect_verdict bind-path cause~"is taken: why_bind \(process [0-9]+\) has bound descriptor 3 to it"
    expect_verdict bind-path cause~"^The file $LIVE_PATH exists" remedy~"unlink"
}

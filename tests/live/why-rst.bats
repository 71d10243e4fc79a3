#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who sent an RST, why, and what it destroyed.

load helper

# Run a scenario; it has one verdict about an RST, with this rule.
why() { # SCENARIO RULE CONDITION...
    local scenario=$1 rule=$2
    shift 2
    trace_run -- "$PROGS/why_rst" "$scenario"
    same "$scenario: status" 0 "$status"
    expect_verdicts 1 "$rule" certainty=proved weight=alarm "$@"
    same "$scenario: verdicts on RSTs" 1 "$(q -v -c rule~^rst-)"
    same "it is told under the RST" "$(one id kind=rst_sent)" "$(q -v -o event rule="$rule")"
}

# 95904 -> 95,904
grouped() {
    sed ':a;s/\B[0-9]\{3\}\>/,&/;ta' <<<"$1"
}

# The client has read all that can be read; the rest of 100,000 bytes is what the verdict counts.
rest_destroyed() { # RULE
    local read
    read=$(sum ret call=recvfrom phase=exit role=client "ret>0")
    expect_verdict "$1" cause~"$(grouped $((100000 - read))) bytes it had still to deliver are destroyed" \
        cause~"$(grouped "$read") bytes that had arrived can still be read"
}

@test "why-rst: close() with 4 unread bytes destroys the reply" {
    why unread rst-unread role=server cause~"called close\([0-9]+\) with 4 bytes unread"
    rest_destroyed rst-unread
}

@test "why-rst: a killed process with unread bytes" {
    why killed rst-unread role=server cause~"was killed by signal 9 with 7 bytes unread|ended with 7 bytes unread"
}

@test "why-rst: data comes after close(), and destroys what close() left in the queue" {
    why late rst-late-data role=server cause~"^RST: 4 bytes came for the socket the server"
    rest_destroyed rst-late-data
}

@test "why-rst: data comes when only a time-wait entry is left" {
    why time-wait rst-time-wait role=server cause~"4 bytes came for .* only a time-wait entry"
}

@test "why-rst: data comes after shutdown(SHUT_RDWR)" {
    why shut rst-shutdown role=server cause~"5 bytes came after the server .* shutdown\([0-9]+, SHUT_RDWR\)"
}

@test "why-rst: data comes when nothing is left of the socket" {
    why gone rst-gone role=server \
        cause~"^RST: 5 bytes came for the socket the server \(why_rst [0-9]+\) had closed.* nothing is left of it"
    [[ ,$(q -v -o evidence rule=rst-gone), == *,$(one id call=close phase=enter role=server "conn>0"),* ]]
}

@test "why-rst: TCP_LINGER2 below 0" {
    why no-wait rst-other role=server cause~"had set TCP_LINGER2 below 0"
}

@test "why-rst: SO_LINGER 0" {
    why linger rst-linger role=server cause~"close\([0-9]+\) with SO_LINGER set to 0 s"
    rest_destroyed rst-linger
}

@test "why-rst: the listener is closed while two connections wait" {
    trace_run -- "$PROGS/why_rst" listener
    same status 0 "$status"
    expect_verdicts 2 rst-listener certainty=proved role=server cause~"closed the listener \([0-9]+\)"
    expect_verdicts 1 rst-listener cause~"5 bytes sent to it are thrown away"
    same "verdicts on RSTs" 2 "$(q -v -c rule~^rst-)"
}

@test "why-rst: connect() with AF_UNSPEC" {
    why disconnect rst-disconnect role=client cause~"connect\([0-9]+\) with AF_UNSPEC"
}

@test "why-rst: keepalive probes are not answered" {
    why keepalive rst-keepalive role=client cause~"not even answers to keepalive probes"
}

@test "why-rst: TCP_USER_TIMEOUT ends a connection without an RST" {
    trace_run -- "$PROGS/why_rst" user-timeout
    same status 0 "$status"
    expect_verdicts 1 timeout-unacked role=client certainty=proved cause~"^6 bytes sent, retransmitted" \
        cause~"TCP_USER_TIMEOUT 300 ms"
    expect_verdicts 0 rst-keepalive
}

@test "why-rst: a port where nobody listens, told aside" {
    trace_run -- "$PROGS/connect" refused
    same status 0 "$status"
    expect_verdicts 1 rst-no-listener weight=aside certainty=proved cause~"nobody listens on 127.0.0.1:"
}

@test "why-rst: aborted from outside the program" {
    trace_run -- python3 -c '
import socket, subprocess
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
subprocess.run(["ss", "-K", "sport", str(client.getsockname()[1])], stdout=subprocess.DEVNULL)
try:
    client.settimeout(5)
    client.recv(1)
except ConnectionAbortedError:
    print("aborted")'
    same status 0 "$status"
    grep -q aborted "$BATS_TEST_TMPDIR/stdout" || skip "ss -K does not work on this kernel"
    expect_verdicts 1 rst-aborted certainty=inferred role=client cause~"of the client \(python3 [0-9]+\)"
}

# In the other namespace: take one client, read a byte, abort.
abort_there() {
    in_there timeout "$LIMIT" python3 -c '
import socket, struct
c = socket.create_server(("10.9.0.2", 7007)).accept()[0]
c.recv(1)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))' </dev/null 3>&- &
    HELPERS+=("$!")
    waits() { in_there ss -Hltn | grep -q :7007; }
    until_true waits
}

@test "why-rst: the sender is out of sight" {
    joined_namespace
    abort_there
    trace_run --netns "$NS" -- python3 -c '
import socket
s = socket.create_connection(("10.9.0.2", 7007))
s.send(b"x")
try:
    s.recv(1)
except ConnectionResetError:
    pass'
    same status 0 "$status"
    same "verdicts on RSTs" 1 "$(q -v -c rule~^rst-)"
    expect_verdict rst-peer weight=alarm certainty=proved role=client cause~"the peer at 10.9.0.2:7007"
}

@test "why-rst: a clean end has none" {
    trace_run -- "$PROGS/why_rst" clean
    same status 0 "$status"
    same "verdicts on RSTs" 0 "$(q -v -c rule~^rst-)"
    expect_verdicts 0 timeout-unacked
    expect_no_alarm
}

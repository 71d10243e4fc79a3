#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# AF_UNIX: calls, names, the peer process.

load helper

conversation() {
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    expect_rows call,ret kind=call phase=exit sock="$client" call!=socket <<'END'
connect 0
sendto 5
recvfrom 7
close 0
END
    server=$(one sock call=recvfrom phase=exit role=server)
    expect_rows call,ret kind=call phase=exit sock="$server" <<'END'
recvfrom 5
sendto 7
recvfrom 0
close 0
END
    same conversation "$(one conn sock="$client" "conn>0")" "$(one conn sock="$server" "conn>0")"
    same family unix "$(one family sock="$client" "conn>0")"
}

@test "unix: a stream with a name in the file system" {
    trace_run -- "$PROGS/unix" stream
    conversation
    [[ $(q call=connect phase=exit) == *"$LIVE_PATH"* ]]
}

@test "unix: a stream with an abstract name" {
    trace_run -- "$PROGS/unix" abstract
    conversation
    [[ $(q call=connect phase=exit) == *live-abstract* ]]
}

@test "unix: datagrams" {
    trace_run -- "$PROGS/unix" dgram
    expect_rows call,ret kind=call phase=exit call~"sendto|recvfrom" <<'END'
sendto 5
sendto 3
recvfrom 5
recvfrom 3
END
    same type dgram "$(one type call=recvfrom phase=exit)"
}

@test "unix: a socketpair is one conversation" {
    trace_run -- "$PROGS/unix" pair
    same status 0 "$status"
    expect_rows call,ret kind=call phase=exit <<'END'
socketpair 0
sendto 6
recvfrom 6
shutdown 0
recvfrom 0
sendto 2
recvfrom 2
close 0
close 0
END
    same conversations 1 "$(q -u -o conn kind=call "conn>0" | wc -l)"
    same sockets 2 "$(q -u -o sock "call~sendto|recvfrom" | wc -l)"
}

@test "unix: a descriptor passed to another process stays the same socket" {
    trace_run -- "$PROGS/unix" pass
    same status 0 "$status"
    passed=$(one sock call=connect phase=exit)
    heir=$(one pid call=sendto phase=exit ret=13)
    [ "$heir" != "$(one pid call=connect phase=exit)" ]
    same "socket the heir sent on" "$passed" "$(one sock call=sendto phase=exit ret=13)"
    expect_delivered "$passed" 13
    # Two close() calls, the FIN belongs to the last.
    same closes 2 "$(q -c call=close phase=exit sock="$passed")"
    expect_before "call=sendto phase=exit ret=13" "kind=segment flags~FIN"
}

# The one process that lines about a socket name as the peer's.
peer_of() { # SOCK
    one peer_pid sock="$1" "peer_pid>0"
}

@test "unix: the peer's process, of a stream" {
    trace_run -- "$PROGS/unix" stream
    conversation
    same "the client's peer" "$(one pid call=accept phase=exit)" "$(peer_of "$client")"
    same "the server's peer" "$(one pid call=connect phase=exit)" "$(peer_of "$server")"
}

@test "unix: the peer's process, of a pair and of connected datagrams" {
    local scenario
    for scenario in pair dgram-connected; do
        trace_run -- "$PROGS/unix" "$scenario"
        same "$scenario: status" 0 "$status"
        own=$(q -u -o pid call=sendto phase=exit)
        for sock in $(q -u -o sock "call~sendto|recvfrom" phase=exit); do
            same "$scenario: peer of $sock" "$own" "$(peer_of "$sock")"
        done
    done
}

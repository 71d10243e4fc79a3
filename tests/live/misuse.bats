#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Calls that cannot work: a closed descriptor, one that is no socket, a port in use.

load helper

@test "misuse: a descriptor that was closed" {
    trace_run -- "$PROGS/misuse" closed
    same status 0 "$status"
    fd=$(one fd call=sendto phase=exit errno=EBADF)
    expect_rows call,fd,ret kind=call phase=exit errno=EBADF <<END
recvfrom $fd -1
sendto $fd -1
write $fd -1
read $fd -1
close $fd -1
END
    expect_before "call=close phase=exit ret=0 fd=$fd role=client" "call=recvfrom phase=enter fd=$fd"
}

@test "misuse: a descriptor that is no socket" {
    trace_run -- "$PROGS/misuse" no-socket
    same status 0 "$status"
    expect_rows call,ret kind=call phase=exit errno=ENOTSOCK <<'END'
sendto -1
sendto -1
listen -1
END
}

# bind() that fails, after the socket() that made its socket, whatever was asked for.
port_is_taken() {
    same status 0 "$status"
    sound
    fails=$(one sock call=bind phase=exit errno=EADDRINUSE)
    expect_rows call,errno kind=call phase=exit sock="$fails" <<'END'
socket -
bind EADDRINUSE
close -
END
    [[ $(q call=bind phase=exit errno=EADDRINUSE) == *:7093* ]]
}

@test "misuse: a port that is taken, in a run of its own" {
    LIVE_PORT=7093 trace_run -- "$PROGS/misuse" taken
    port_is_taken
}

@test "misuse: a port that is taken, bare and with --port" {
    local filter
    for filter in "" "--port 7093" "--lport 7093"; do
        # shellcheck disable=SC2086
        trace_start $filter
        LIVE_PORT=7093 in_ns "$PROGS/misuse" taken
        trace_stop
        port_is_taken
    done
}

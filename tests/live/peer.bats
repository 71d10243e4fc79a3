#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The other end of a connection, in a process that is no target: its calls on the connection belong to the story.

load helper

# A server of its own that waits for a connection on port 7001. $SERVER is its pid.
start_server() {
    export LIVE_PORT=7001
    background "$BATS_TEST_TMPDIR/server.out" "$PROGS/apart" server
    SERVER=$BG
    until_line "$BATS_TEST_TMPDIR/server.out" ready
}

# The client as COMMAND, which ends, and with it the trace, when the server has: what that does last is to be seen, too.
trace_client() {
    # shellcheck disable=SC2016 # the other shell's
    trace_run -- sh -c '"$0" client; while grep -q "^State:[^Z]*$" "/proc/$1/status" 2>/dev/null; do :; done' \
        "$PROGS/apart" "$SERVER"
}

# Every call on the connection that has the port, of both ends.
both_ends() {
    client=$(one sock call=connect phase=exit ret=0)
    server=$(one sock call=recvfrom phase=exit role=server)
    expect_rows call,ret kind=call phase=exit sock="$client" call!=socket <<'END'
connect 0
sendto 14
recvfrom 14
close 0
END
    expect_rows call,ret kind=call phase=exit sock="$server" <<'END'
recvfrom 14
sendto 14
recvfrom 0
close 0
END
    same conversations 1 "$(q -u -o conn "conn>0" | wc -l)"
    expect_delivered "$client" 14
    expect_delivered "$server" 14
    same "the server's process" "$SERVER" "$(one pid kind=call phase=exit sock="$server")"
    same "socket that accept() gave" "$server" "$(one sock2 call=accept phase=exit pid="$SERVER")"
}

@test "peer: -p of a server, with a client started apart" {
    start_server
    trace_start -p "$SERVER"
    in_ns "$PROGS/apart" client
    wait "$SERVER"
    trace_stop
    same status 0 "$status"
    sound
    both_ends
    # The client is no target: what its socket did before it was connected comes with it.
    expect_count 1 call=socket phase=exit early=true sock="$(one sock call=connect phase=exit)"
}

@test "peer: a client as COMMAND, with a server outside" {
    start_server
    trace_client
    same status 0 "$status"
    wait "$SERVER"
    both_ends
}

# It closes when the client's process is no more, which ends the trace, too. (A server that gets no processor for 20 ms
# comes too late: that is chance, and not so eight times.)
@test "peer: what a server outside does when COMMAND has ended" {
    for attempt in 1 2 3 4 5 6 7 8; do
        background "$BATS_TEST_TMPDIR/server.out" python3 -uc '
import os, select, socket
s = socket.create_server(("127.0.0.1", 7001))
print("ready")
c, _ = s.accept()
ended = select.poll()
ended.register(os.pidfd_open(int(c.recv(100))))
ended.poll()
c.close()'
        SERVER=$BG
        until_line "$BATS_TEST_TMPDIR/server.out" ready
        trace_run -- python3 -c '
import os, socket
c = socket.create_connection(("127.0.0.1", 7001))
c.send(str(os.getpid()).encode())'
        same status 0 "$status"
        wait "$SERVER"
        [ -z "$(q -o ret kind=call call=close phase=exit role=server pid="$SERVER")" ] || return 0
        echo "attempt $attempt: the server came too late"
    done
    return 1
}

@test "peer: an asyncio server outside, with its epoll_wait" {
    background "$BATS_TEST_TMPDIR/server.out" python3 -uc '
import asyncio
over = asyncio.Event()
async def echo(reader, writer):
    while data := await reader.read(100):
        writer.write(data)
        await writer.drain()
    writer.close()
    over.set()
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 7001)
    print("ready")
    await over.wait()
asyncio.run(main())
'
    SERVER=$BG
    until_line "$BATS_TEST_TMPDIR/server.out" ready
    LIVE_PORT=7001 trace_client
    same status 0 "$status"
    server=$(one sock call=recvfrom phase=exit pid="$SERVER" ret=14)
    expect_rows call,ret kind=call phase=exit sock="$server" "call~^(recvfrom|sendto|close)$" "ret>-1" <<'END'
recvfrom 14
sendto 14
recvfrom 0
close 0
END
    expect_some call=epoll_ctl phase=exit pid="$SERVER" sock="$server"
    expect_some call=epoll_wait phase=exit pid="$SERVER" "ret>0"
    # It waits until the client has sent, and reads then.
    expect_before "call=epoll_wait phase=exit pid=$SERVER ret=1" "call=recvfrom phase=exit sock=$server"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Waiting for many: poll, ppoll, select, pselect6, epoll.

load helper

waits() { # SCENARIO CALL
    trace_run -- "$PROGS/waiting" "$1"
    same status 0 "$status"
    expect_rows call,ret call="$2" phase=exit <<END
$2 0
$2 1
END
}

@test "poll: poll" {
    waits poll poll
}

@test "poll: ppoll" {
    waits ppoll ppoll
}

@test "poll: select" {
    waits select select
}

@test "poll: pselect6" {
    waits pselect pselect6
}

@test "poll: epoll, and what it watches" {
    waits epoll epoll_wait
    server=$(one sock call=recvfrom phase=exit)
    expect_rows ret,sock call=epoll_ctl phase=exit <<END
0 $server
0 $server
END
}

@test "poll: a wait without a socket is not shown" {
    trace_run -- "$PROGS/waiting" none
    same status 0 "$status"
    expect_count 0 call=poll
    expect_count 1 call=sendto phase=exit
}

@test "poll: an epoll instance that was there before the trace" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold background "$BATS_TEST_TMPDIR/prog.out" python3 -uc '
import select, socket, sys, threading
ls = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(ls.getsockname())
far, _ = ls.accept()
ep = select.epoll()
ep.register(far, select.EPOLLIN)
def later():
    sys.stdin.read()
    near.send(b"x")
threading.Thread(target=later).start()
print("ready")
while not ep.poll(0.05):
    pass
'
    until_line "$BATS_TEST_TMPDIR/prog.out" ready
    trace_start -p "$BG"
    until_event call=epoll_wait phase=enter
    let_go hold
    wait "$BG"
    trace_stop
    same status 0 "$status"
    expect_some call=epoll_wait phase=exit ret=1
    # One side of the story must come before the other: the send woke it.
    expect_before "call=sendto phase=enter" "call=epoll_wait phase=exit ret=1"
}

@test "poll: a socket that stands far behind in the list" {
    waits poll-far poll
}

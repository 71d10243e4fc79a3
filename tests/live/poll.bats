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

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: what it counts is the same everywhere, and an emulated machine would take an hour for it.
# What does not fit in one of the tracer's maps is counted to the last, and said; what fitted is told, and makes room again.
# (The map of sockets itself: load.bats. Threads are bounded by the kernel: what is kept of each lies with the thread.)

load helper

# So many of this kind were lost, and nothing else.
lost_exactly() { # KIND COUNT
    same "lost of $1" "$2" "$(one "lost_by_kind.$1" type=trailer)"
    same "lost in all" "$2" "$(one lost type=trailer)"
    expect_some kind=lost
}

# So many of it, and when they are gone nothing is left in the map of that name.
fill() { # MAP COUNT
    LIVE_N=$2 kept_run bounds "$1" --buffer 128 --json -o "$OUT"
    at_most "$1 left" 0 "$(entries "$1")"
    kept_end
}

@test "bounds: ports that receive" {
    fill ports 17000
    same "sockets" 17000 "$(q -u -o sock call=bind phase=exit | wc -l)"
    lost_exactly sock $((17000 - 16384))
}

@test "bounds: calls that are kept while it is not known whether their socket is to be shown" {
    trace_start --buffer 128
    LIVE_N=1200 in_ns "$PROGS/bounds" kept
    until_true eval '[ "$(entries early)" -le 0 ]'
    trace_stop
    same status 0 "$status"
    same "calls seen" $((16384 + 2 * 1200)) "$(q -c kind=call phase=exit)"
    lost_exactly call $((1200 * 16 - 16384))
}

@test "bounds: ends of sockets, while the tracer stands still" {
    LIMIT=90 # ten thousand connections, on a machine that may be busy
    hold go
    INPUT=$BATS_TEST_TMPDIR/go trace_spawn --buffer 1 -w "$BATS_TEST_TMPDIR/rec" -- \
        sh -c 'echo up; read -r x; "$0" connections </dev/null; echo done' "$PROGS/load"
    until_line "$BATS_TEST_TMPDIR/stdout" up # a tracer that stops as soon as it is ready starts nobody
    kill -STOP "$TRACE_PID"
    let_go go
    until_line "$BATS_TEST_TMPDIR/stdout" '^done'
    kill -CONT "$TRACE_PID"
    trace_wait
    same status 0 "$status"
    read -r seen lost < <("$TRACE" query --csv "$BATS_TEST_TMPDIR/rec" "SELECT count(*) || ' ' ||
        (SELECT sum(lost) FROM loss WHERE kind = 'destroy') FROM event WHERE kind = 'destroy'" 2>/dev/null |
        tail -1 | tr -d '\r')
    at_most "ends lost" 20001 "$lost"
    [ "$lost" -gt 0 ]
    same "ends seen and lost" 20001 $((seen + lost))
}

@test "bounds: sockets of AF_UNIX and their peers" {
    LIVE_N=200 trace_raw --sockets 64 --json -o "$OUT" -- "$PROGS/bounds" pairs
    same status 0 "$status"
    lost=$(one lost_by_kind.call type=trailer)
    [ "$lost" -gt 0 ]
    same "calls seen and lost" 1000 $((lost + $(q -c kind=call phase=exit)))
    [ "$(one lost_by_kind.sock type=trailer)" -gt 0 ]
    # Who is named as the peer is it: it names the other in turn, or found no place.
    q -u -o sock,peer_sock "peer_sock>0" family=unix | awk '
        { peer[$1] = $2 }
        END { for (s in peer) if (peer[s] in peer && peer[peer[s]] != s) { print s, "is no peer of", peer[s]; exit 1 } }'
    [ "$(q -u -o sock "peer_sock>0" family=unix | wc -l)" -gt 0 ]
    expect_some kind=lost
}

@test "bounds: epoll instances" {
    fill epolls 5000
    same "waits" 4096 "$(q -c kind=call call=epoll_wait phase=exit)"
    lost_exactly call $((5000 - 4096))
}

@test "bounds: name look-ups of threads that come into scope later" {
    trace_start --buffer 128
    LIVE_N=1500 in_ns timeout "$LIMIT" "$PROGS/bounds" lookups 3>&-
    trace_stop
    same status 0 "$status"
    lost=$(one lost_by_kind.gai type=trailer)
    [ "$lost" -ge $((1500 - 1024)) ]
    same "look-ups seen and lost" 1500 $((lost + $(q -c kind=gai phase=exit)))
}

@test "bounds: flows" {
    LIVE_N=50000 trace_raw --buffer 128 --json -o "$OUT" -- "$PROGS/bounds" flows
    same status 0 "$status"
    lost_exactly flow 1
    # The connection goes on where it was, as the same one.
    same "its data" "1 2" "$(q -u -o seq kind=segment conn=1 direction=in len=1 | paste -sd ' ')"
}

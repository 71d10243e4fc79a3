#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How a trace ends while those it looks at go on: at one moment, for all probes.

load helper

# Connections and what is said on them, until let_go go.
start_talking() {
    cd "$BATS_TEST_TMPDIR"
    hold go
    INPUT=$BATS_TEST_TMPDIR/go background talk "$PROGS/load" busy
    until_line talk on
}

# The trace of a moment of traffic, in rec. What the kernel left out is chance, and another matter (load.bats).
moment_of_traffic() { # OPTIONS...
    local attempt
    for attempt in 1 2 3 4 5; do
        rm -f rec rec.db
        trace_spawn -q -w rec "$@"
        until_true eval '[ "$(stat -c %s rec)" -gt 300000 ]'
        trace_stop
        same status 0 "$status"
        [ -n "$(sql 'SELECT kind FROM loss')" ] || return 0
        echo "attempt $attempt lost events"
    done
    return 1
}

@test "ending: in the middle of traffic no byte is without its call, and no segment comes after the last call" {
    start_talking
    for round in 1 2 3; do
        moment_of_traffic
        echo "round $round: $(sql 'SELECT count(*) FROM event') events"
        same "bytes that no call moved" 0 "$(sql 'SELECT sum(residual) FROM ledger')"
        # one of each CPU may be under way
        at_most "segments after the last call" 4 "$(sql "SELECT count(*) FROM event WHERE kind = 'segment' AND
            len > 0 AND id > (SELECT max(id) FROM event WHERE kind = 'call')")"
    done
    let_go go
}

@test "ending: where no call is seen, no byte is missing either" {
    start_talking
    for layers in kernel,wire wire; do
        moment_of_traffic --layer "$layers"
        same "$layers: bytes" 0 "$(sql 'SELECT sum(residual) FROM ledger')"
    done
    let_go go
}

@test "ending: a call in progress is told, however short it has been so" {
    start_talking
    moment_of_traffic
    # Either end is in a call, or between two, or has no processor just then; in one of some moments somebody is in one.
    LIMIT=60 until_true somebody_in_a_call
    let_go go
}

somebody_in_a_call() {
    # The reader tells in any round of those that have been so for longer than 1 ms.
    [ "$(sql 'SELECT count(*) FROM call WHERE pending AND t_enter_ns > (SELECT max(t_ns) FROM event) - 500000')" -gt 0 ] || {
        moment_of_traffic
        return 1
    }
}

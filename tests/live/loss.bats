#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: an emulated machine is too slow to lose anything.
# Nothing is lost under load; if something were, it would be said.

load helper

@test "loss: the trailer counts what the file holds" {
    trace_run -- "$PROGS/pair" bulk
    expect_rows lost,complete type=trailer <<'END'
0 true
END
    same steps "$(q -c id)" "$(one steps type=trailer)"
}

@test "loss: twenty thousand round trips, back to back, are all there" {
    cd "$BATS_TEST_TMPDIR"
    LIVE_ROUNDS=20000 trace_raw -w rec -- "$PROGS/pair" burst
    same status 0 "$status"
    "$TRACE" show rec --json --layer app >"$OUT"
    same lost 0 "$(one lost type=trailer)"
    same calls 80011 "$(q -c kind=call phase=exit)"
}

@test "loss: a tracer that is held up counts what it missed, call by call" {
    cd "$BATS_TEST_TMPDIR"
    hold hold
    LIVE_ROUNDS=60000 INPUT=hold trace_spawn -w rec -- "$PROGS/pair" burst
    until_line stdout "ready"
    # The ring fills while nobody reads it.
    kill -STOP "$TRACE_PID"
    let_go hold
    until_line stdout "done"
    kill -CONT "$TRACE_PID"
    trace_wait
    same status 0 "$status"
    "$TRACE" show rec --json --layer app >"$OUT"
    lost=$(one lost_by_kind.call type=trailer)
    [ "$lost" -gt 0 ]
    same "calls seen and calls lost" 240011 "$(($(q -c kind=call phase=exit) + lost))"
    expect_some kind=lost
    "$TRACE" show rec | grep -qi lost
}

@test "loss: 0 is said in the text, too" {
    trace_raw -o "$BATS_TEST_TMPDIR/text" -- "$PROGS/pair" v4
    tail -5 "$BATS_TEST_TMPDIR/text" | grep -Eiq '(lost|0 .*lost|no event.* lost)'
}

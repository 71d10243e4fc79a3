#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# connect() that fails, at once or later.

load helper

@test "refused: SYN out, RST back, ECONNREFUSED" {
    trace_run -- "$PROGS/connect" refused
    same status 0 "$status"
    client=$(one sock call=connect phase=exit)
    expect_rows ret,errno call=connect phase=exit <<'END'
-1 ECONNREFUSED
END
    expect_some kind=segment flags=SYN
    expect_some kind=segment flags~RST
    expect_rows old_state,new_state kind=state sock="$client" <<'END'
CLOSE SYN_SENT
SYN_SENT CLOSE
END
    expect_before "kind=segment flags=SYN" "kind=segment flags~RST"
    expect_before "kind=segment flags~RST" "call=connect phase=exit"
}

@test "refused: a non-blocking connect is in progress, then established" {
    trace_run -- "$PROGS/connect" nonblock
    same status 0 "$status"
    expect_rows call,ret,errno kind=call phase=exit "call~connect|poll|getsockopt" <<'END'
connect -1 EINPROGRESS
poll 1 -
getsockopt 0 -
END
    expect_some kind=state new_state=ESTABLISHED sock="$(one sock call=connect phase=exit)"
}

@test "refused: a non-blocking connect fails later, and SO_ERROR says so" {
    trace_run -- "$PROGS/connect" nonblock-refused
    same status 0 "$status"
    expect_rows call,ret,errno kind=call phase=exit "call~connect|poll|getsockopt" <<'END'
connect -1 EINPROGRESS
poll 1 -
getsockopt 0 -
END
    expect_count 1 kind=sock_error
}

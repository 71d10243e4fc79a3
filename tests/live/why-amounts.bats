#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Calls that move less than was asked for, nothing, or the same bytes twice.

load helper

# "32,741" for 32741
commas() { # NUMBER
    printf '%s' "$1" | rev | sed -E 's/[0-9]{3}/&,/g; s/,$//' | rev
}

@test "why amounts: a send that must not wait takes what fits" {
    trace_run -- "$PROGS/why_amounts" nonblock
    same status 0 "$status"
    took=$(one ret call=sendto phase=exit)
    expect_verdict short-send weight=news certainty=proved role=client \
        "cause~^send\([0-9]+\) took $(commas "$took") of 8,000,000 bytes: the send queue .*must not wait" \
        "remedy~the other $((8000000 - took)) bytes"
}

@test "why amounts: a send that waits ends by a timeout or a signal" {
    trace_run -- "$PROGS/why_amounts" timeout
    took=$(one ret call=sendto phase=exit)
    expect_verdict short-send certainty=inferred \
        "cause~took $(commas "$took") of 8,000,000 bytes and waited for room until the time that SO_SNDTIMEO"
    trace_run -- "$PROGS/why_amounts" interrupted
    expect_verdict short-send weight=news certainty=inferred "cause~until a signal interrupted it"
}

@test "why amounts: a recv returns what is there" {
    trace_run -- "$PROGS/why_amounts" little
    expect_verdicts 1 short-recv # of two
    expect_verdict short-recv weight=aside certainty=proved role=server \
        "cause~recv\([0-9]+\) had room for 100 bytes and returned 14 bytes"
}

@test "why amounts: MSG_WAITALL does not wait beyond EOF, timeout or signal" {
    trace_run -- "$PROGS/why_amounts" waitall-eof
    expect_verdict short-waitall weight=news certainty=proved role=server \
        "cause~got 3 of 100 bytes: .* the peer's FIN came"
    trace_run -- "$PROGS/why_amounts" waitall-timeout
    expect_verdict short-waitall certainty=inferred "cause~got 3 of 100 bytes: .* SO_RCVTIMEO"
    trace_run -- "$PROGS/why_amounts" waitall-signal
    expect_verdict short-waitall certainty=inferred "cause~got 3 of 100 bytes: .* a signal interrupted it"
}

@test "why amounts: a look leaves the bytes, MSG_TRUNC throws them away" {
    trace_run -- "$PROGS/why_amounts" peek
    expect_verdict peek-again weight=aside certainty=proved \
        "cause~recv\([0-9]+\) took 3 bytes that MSG_PEEK had shown 2 times before"
    trace_run -- "$PROGS/why_amounts" trunc
    expect_verdict trunc-gone weight=news certainty=proved \
        "cause~took 3 bytes out of the receive queue and wrote nothing"
}

@test "why amounts: a send of 0 bytes does nothing" {
    trace_run -- "$PROGS/why_amounts" empty
    expect_verdict empty-send weight=news certainty=proved role=client "question~^What did send\([0-9]+\) of 0 bytes do"
    expect_count 0 kind=segment from=client "len>0"
}

@test "why amounts: all that was asked for: nothing to tell" {
    trace_run -- "$PROGS/why_amounts" whole
    same verdicts 0 "$(q -v -c "rule~^(short|peek|trunc|empty)-")"
    expect_no_alarm
}

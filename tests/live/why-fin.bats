#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Why close() sent no FIN, or left a port taken.

load helper

run_ends() { # SCENARIO
    trace_run -- "$PROGS/why_ends" "$1"
    same status 0 "$status"
}

@test "why-fin: a copy of the descriptor in the same process" {
    trace_run -- "$PROGS/dup" dup
    same status 0 "$status"
    copy=$(one ret call=dup phase=exit)
    expect_verdicts 1 fin-held
    expect_verdict fin-held role=client certainty=proved weight=news \
        cause~"No FIN: descriptor $copy of the same process" remedy~"shutdown\(SHUT_WR\)"
    first=$(q -o id call=close phase=exit role=client | head -1)
    same "told at the first close" "$first" "$(q -v -o event rule=fin-held)"
    expect_no_alarm
}

@test "why-fin: a server that forks passes its sockets on, and that is no news" {
    trace_run -- "$PROGS/forking"
    same status 0 "$status"
    expect_some kind=proc what=fork
    same "news or alarms" 0 "$(q -v -c rule~"^(fin|listener)-" weight!=aside)"
    expect_verdict fin-held role=server weight=aside certainty=proved cause~"a child, forking .* fork\(\)"
    expect_no_alarm
}

@test "why-fin: a program that was started inherits the connection" {
    trace_run -- "$PROGS/exec" keep
    same status 0 "$status"
    expect_verdict fin-held role=client certainty=proved cause~"has it|has inherited it"
}

@test "why-fin: the child has answered and left, the parent has forgotten its descriptor" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/why_ends" forgot
    until_verdict fin-missing
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_verdicts 1 fin-missing
    expect_verdict fin-missing role=client weight=alarm certainty=inferred \
        cause~"the parent, why_ends .* still has it as descriptor" remedy~"right after fork"
    # Then the parent closes, and the EOF comes.
    expect_some call=recvfrom phase=exit role=client ret=0
}

@test "why-fin: the server has answered and closed, a child keeps it open, the client polls" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/why_ends" kept
    until_verdict fin-missing
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_verdict fin-held role=server weight=news certainty=proved
    expect_verdicts 1 fin-missing role=client weight=alarm cause~"a child, why_ends .* has it from fork"
    expect_verdicts 0 block-recv-silent
}

@test "why-fin: a program that was started inherits the listening port" {
    run_ends stray
    expect_verdicts 1 listener-held
    expect_verdict listener-held role=server weight=alarm certainty=proved \
        cause~"is still listened on: a child, cat .* has inherited it as descriptor" \
        remedy~SOCK_CLOEXEC
    expect_some call=bind phase=exit errno=EADDRINUSE
}

@test "why-fin: the only other descriptor is on its way to somebody" {
    run_ends in-flight
    expect_verdicts 1 fin-held-unseen
    expect_verdict fin-held-unseen role=client weight=news certainty=inferred \
        cause~"^No FIN: the kernel still counts 1 reference to the socket$" \
        event="$(q -o id call=close phase=exit role=client | head -1)"
    expect_no_alarm
}

@test "why-fin: not connected, so there is no FIN to miss" {
    run_ends unconnected
    expect_verdicts 1 held-open
    expect_verdict held-open weight=aside certainty=proved
    expect_verdicts 0 fin-held
}

@test "why-fin: close() does not wake recv() in another thread" {
    run_ends in-recv
    expect_verdicts 1 fin-held-call
    thread=$(q -o tid call=recvfrom phase=exit ret=4 role=server)
    expect_verdict fin-held-call role=server weight=alarm certainty=proved \
        cause~"No FIN: recv\(.\) in thread $thread goes on" remedy~"shutdown\(., SHUT_RDWR\)"
    # What came later was received all the same, and the FIN left after it.
    expect_before "call=recvfrom phase=exit ret=4" "kind=segment flags~FIN from=server"
    expect_verdict eof-close role=client cause~"the server .* called close\(.\)"
}

@test "why-fin: close() does not wake accept() in another thread" {
    run_ends in-accept
    expect_verdict fin-held-call role=server weight=alarm certainty=proved \
        cause~"accept\(.\) in thread .* holds the listening socket"
}

@test "why-fin: close() does not wake poll() in another thread" {
    run_ends in-poll
    expect_verdict fin-held-call role=server certainty=proved cause~"poll\(\) in thread"
}

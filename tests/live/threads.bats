#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Threads of one process share its descriptors.

load helper

@test "threads: two threads read one socket, each call under its own thread" {
    trace_run -- "$PROGS/threads" share
    same status 0 "$status"
    reader=$(one sock call=recvfrom phase=exit)
    expect_rows ret call=recvfrom phase=exit sock="$reader" <<'END'
8
8
END
    same threads 2 "$(q -u -o tid call=recvfrom phase=exit | wc -l)"
    same processes 1 "$(q -u -o pid kind=call | wc -l)"
    # Both were inside before a byte was sent.
    for tid in $(q -u -o tid call=recvfrom phase=exit); do
        expect_before "call=recvfrom phase=enter tid=$tid" "call=sendto phase=enter"
        expect_before "call=sendto phase=enter" "call=recvfrom phase=exit tid=$tid"
    done
}

@test "threads: shutdown in one thread wakes recv in another" {
    trace_run -- "$PROGS/threads" wake
    expect_before "call=recvfrom phase=enter" "call=shutdown phase=enter"
    expect_before "call=shutdown phase=enter" "call=recvfrom phase=exit ret=0"
    [ "$(one tid call=shutdown phase=exit)" != "$(one tid call=recvfrom phase=exit)" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Datagrams.

load helper

@test "udp: datagram boundaries are kept" {
    trace_run -- "$PROGS/udp" boundaries
    same status 0 "$status"
    expect_rows ret call=sendto phase=exit <<'END'
5
7
9
END
    expect_rows ret call=recvfrom phase=exit <<'END'
5
7
9
END
    same type dgram "$(one type call=recvfrom phase=exit)"
    same "sender's role" client "$(one role call=sendto phase=exit)"
    same "receiver's role" server "$(one role call=recvfrom phase=exit)"
    same "datagrams on the wire" "5 7 9" "$(q -u -o len kind=segment type=dgram | xargs)"
}

@test "udp: a short buffer cuts the datagram, silently" {
    trace_run -- "$PROGS/udp" trunc
    expect_rows requested,ret call=recvfrom phase=exit <<'END'
4 4
4 3
END
}

@test "udp: MSG_TRUNC tells the real length" {
    trace_run -- "$PROGS/udp" trunc-flag
    expect_rows requested,ret,flags call=recvfrom phase=exit <<'END'
4 10 MSG_TRUNC
4 3 MSG_TRUNC
END
}

@test "udp: an empty datagram is no end of file" {
    trace_run -- "$PROGS/udp" zero
    expect_rows ret call=recvfrom phase=exit <<'END'
0
3
END
    expect_count 0 call=recvfrom phase=exit eof=true
}

@test "udp: every datagram dropped at a full socket is seen" {
    trace_run -- "$PROGS/udp" drop
    read -r _ sent _ received <"$BATS_TEST_TMPDIR/stdout"
    same "sent" "$sent" "$(q -c call=sendto phase=exit ret=512)"
    same "received" "$received" "$(q -c call=recvfrom phase=exit ret=512)"
    same "dropped" "$((sent - received))" "$(q -c kind=udp_drop)"
}

@test "udp: a dead port answers with an error at the next call" {
    trace_run -- "$PROGS/udp" dead
    same status 0 "$status"
    expect_count 1 call=sendto phase=exit ret=3
    expect_count 1 call=recvfrom phase=exit ret=-1 errno=ECONNREFUSED
    expect_count 1 kind=sock_error
}

@test "udp: how much of a datagram was cut away" {
    trace_run -- "$PROGS/udp" trunc
    expect_rows ret,truncated call=recvfrom phase=exit <<'END'
4 6
3 -
END
    trace_run -- "$PROGS/udp" trunc-flag
    expect_rows ret,truncated call=recvfrom phase=exit <<'END'
10 6
3 -
END
}

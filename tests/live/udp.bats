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

@test "udp: where every datagram is, at the end" {
    trace_run -- "$PROGS/udp" drop
    read -r _ sent _ received <"$BATS_TEST_TMPDIR/stdout"
    same "sent, read, dropped" "$sent $received $((sent - received))" \
        "$(q -o client_datagrams.sent.n,client_datagrams.read.n,client_datagrams.dropped.n kind=summary)"
    same "why" "ENOMEM SOCKET_RCVBUFF $((sent - received))" \
        "$(q -o client_datagrams.drop_errno,client_datagrams.drop_reason,client_datagrams.drop_counter \
            kind=summary)"
    trace_run -- "$PROGS/udp" trunc
    same "read, cut off" "2 7 1 6" \
        "$(q -o client_datagrams.read.n,client_datagrams.read.bytes,client_datagrams.truncated.n,client_datagrams.truncated.bytes kind=summary)"
    trace_run -- "$PROGS/udp" dead
    same "to nobody" "1 3 NO_SOCKET" \
        "$(q -o client_datagrams.nobody.n,client_datagrams.nobody.bytes,client_datagrams.lost_reason kind=summary)"
}

@test "udp: the text says where they are" {
    trace_raw --width 100 -o "$BATS_TEST_TMPDIR/text" -- "$PROGS/udp" drop
    read -r _ sent _ received <"$BATS_TEST_TMPDIR/stdout"
    grep -F "$sent datagrams sent ($((512 * sent)) B) = $received read ($((512 * received)) B) + $((sent - received)) dropped" \
        "$BATS_TEST_TMPDIR/text"
    grep -F "the kernel counts $((sent - received))" "$BATS_TEST_TMPDIR/text"
}

@test "udp: of sockets that share a port, the one that got it" {
    trace_run -- "$PROGS/udp" shared
    expect_rows client_datagrams.sent.n,client_datagrams.read.n,client_datagrams.lost.n kind=summary <<'END'
2 2 0
2 2 0
2 2 0
2 2 0
2 2 0
2 2 0
END
    expect_no_alarm
}

# SEED=n repeats a run.
@test "udp: random conversations balance, to the datagram and to the byte" {
    seed=${SEED:-$((RANDOM << 15 | RANDOM))}
    echo "# again: SEED=$seed tests/run tests/live/udp.bats" >&3
    trace_run -- "$PROGS/udp_random" "$seed" 60
    same status 0 "$status"
    same "events lost" 0 "$(one lost type=trailer)"
    python3 "$LIVE/udp_sums.py" "$OUT" "$BATS_TEST_TMPDIR/stdout"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs nobody here wrote, against what strace, tcpdump and ss say of the very same run.

load helper

WITNESS=$BATS_TEST_DIRNAME/witness

# Run a shell script under strace under the tracer, with tcpdump beside: three accounts of one run.
witnessed() { # SCRIPT ARGS...
    cd "$BATS_TEST_TMPDIR" || return
    background capture.log tcpdump -Z root -i lo -U --immediate-mode -s 128 -B 8192 -w capture.pcap
    local dump=$BG calls
    calls=$(cd "$WITNESS" && python3 -c 'import strace_log; print(strace_log.CALLS)')
    until_line capture.log 'listening on'
    trace_run -- strace -f -y -v -s 0 -e "trace=$calls" -o strace.out sh -eu -c "$@"
    cat stdout stderr
    same status 0 "$status"
    # What lies in tcpdump's buffer is written when a later packet is.
    in_ns python3 -c 'import socket; socket.socket(2, 2).sendto(b"end", ("127.0.0.1", 9))'
    python3 "$WITNESS/pcap.py" --until 9 "$LIMIT" capture.pcap
    kill -TERM "$dump"
    wait "$dump"
    grep -q '^0 packets dropped by kernel' capture.log
}

agree() {
    python3 "$WITNESS/calls.py" strace.out "$OUT"
    python3 "$WITNESS/segments.py" capture.pcap "$OUT"
}

@test "witness: the comparators can fail" {
    python3 "$WITNESS/selftest.py"
}

@test "witness: curl and python3 -m http.server" {
    mkdir "$BATS_TEST_TMPDIR/www"
    head -c 300000 /dev/zero >"$BATS_TEST_TMPDIR/www/page"
    witnessed '
        mkfifo log
        line=
        python3 -u -m http.server 8000 --bind 127.0.0.1 --directory www >log 2>&1 &
        exec 3<log
        read -r line <&3
        curl -sS -o page http://127.0.0.1:8000/page http://127.0.0.1:8000/none -o none
        kill $!
        wait $! || :'
    cmp "$BATS_TEST_TMPDIR/page" "$BATS_TEST_TMPDIR/www/page"
    agree
}

@test "witness: nc to nc" {
    head -c 100000 /dev/zero >"$BATS_TEST_TMPDIR/sent"
    witnessed '
        mkfifo log
        line=
        nc -v -l -N 127.0.0.1 7000 >got 2>log </dev/null &
        exec 3<log
        read -r line <&3
        nc -N 127.0.0.1 7000 <sent
        wait $!'
    cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/got"
    agree
}

@test "witness: nc over UDP" {
    witnessed '
        mkfifo log
        line=
        timeout 10 nc -v -u -l 127.0.0.1 7000 >got 2>log </dev/null &
        exec 3<log
        read -r line <&3
        echo datagram | nc -u -w 1 127.0.0.1 7000
        kill $!
        wait $! || :'
    agree
}

@test "witness: socat to socat, IPv6 and a forking server" {
    head -c 70000 /dev/zero >"$BATS_TEST_TMPDIR/sent"
    witnessed '
        mkfifo log
        line=
        socat -d -d TCP6-LISTEN:7000,bind=[::1],fork,reuseaddr PIPE 2>log &
        server=$!
        exec 3<log
        until case $line in *listening*) true;; *) false;; esac; do read -r line <&3; done
        cat <&3 >/dev/null &
        for i in 1 2 3; do socat -t 10 FILE:sent TCP6:[::1]:7000 >/dev/null; done
        kill $server
        wait'
    agree
}

@test "witness: socat between two AF_UNIX sockets" {
    witnessed '
        mkfifo log
        line=
        socat -d -d -u UNIX-LISTEN:sock CREATE:got 2>log &
        exec 3<log
        until case $line in *listening*) true;; *) false;; esac; do read -r line <&3; done
        cat <&3 >/dev/null &
        echo "through a unix socket" | socat -u STDIN UNIX-CONNECT:sock
        wait'
    [ "$(cat "$BATS_TEST_TMPDIR/got")" = "through a unix socket" ]
    python3 "$WITNESS/calls.py" "$BATS_TEST_TMPDIR/strace.out" "$OUT"
}

@test "witness: an asyncio echo server with fifty clients" {
    witnessed 'python3 "$1/echo.py"' sh "$WITNESS"
    same conversations 50 "$(q -u -o conn call=connect family=inet "conn>0" | wc -l)"
    agree
}

@test "witness: the byte totals of ss, while nothing moves" {
    cd "$BATS_TEST_TMPDIR"
    hold hold
    INPUT=hold trace_start -- "$PROGS/pair" held
    until_line stdout ready
    in_ns ss -tinHO >ss.out
    let_go hold
    trace_wait
    same status 0 "$status"
    # The trace up to the moment of the sample: before the program read its standard input's end.
    upto=$(q -o t_ns call=recvfrom phase=enter | tail -2 | head -1)
    q "t_ns<$upto" >sampled.json
    python3 "$WITNESS/totals.py" ss.out sampled.json
}

# Two programs under the tracer that hold a connection open, 100000 bytes long; ss and the ledger agree on it.
ss_agrees() { # SCRIPT LENGTH-OF-FILE-GOT
    cd "$BATS_TEST_TMPDIR"
    head -c 100000 /dev/zero >sent
    hold hold
    INPUT=hold trace_start -- sh -eu -c "$1"
    all_there() {
        [ "$(stat -c %s got 2>/dev/null)" = "$2" ]
    }
    until_true all_there "" "$2"
    # Nothing moves any more but, maybe, a delayed ACK and our own reading.
    totals_agree() {
        in_ns ss -tinHO >ss.out
        grep -q '^ESTAB' ss.out && python3 "$WITNESS/totals.py" ss.out "$OUT" >totals.out
    }
    until_true totals_agree || {
        cat ss.out totals.out
        return 1
    }
    [[ $(cat totals.out) == "equal: 2 rows"* ]]
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
}

@test "witness: the byte totals of ss, of a socat that echoes to another" {
    ss_agrees '
        line=
        mkfifo log
        socat -d -d TCP-LISTEN:7000,bind=127.0.0.1,reuseaddr PIPE 2>log &
        exec 3<log
        until case $line in *listening*) true;; *) false;; esac; do read -r line <&3; done
        cat <&3 >/dev/null &
        cat sent - | socat -t 10 STDIO TCP:127.0.0.1:7000 >got
        wait' 100000
}

@test "witness: the byte totals of ss, of nc to nc" {
    ss_agrees '
        line=
        mkfifo log
        nc -v -l 127.0.0.1 7000 >got 2>log </dev/null &
        exec 3<log
        read -r line <&3
        cat sent - | nc -N 127.0.0.1 7000
        wait $!' 100000
}

@test "witness: calls that cannot work" {
    witnessed '"$1/misuse" closed; "$1/misuse" no-socket; "$1/misuse" taken' sh "$PROGS"
    for name in EBADF ENOTSOCK EADDRINUSE; do
        grep -q "= -1 $name" "$BATS_TEST_TMPDIR/strace.out"
    done
    python3 "$WITNESS/calls.py" "$BATS_TEST_TMPDIR/strace.out" "$OUT"
}

@test "witness: the byte totals of ss, with both queues full" {
    cd "$BATS_TEST_TMPDIR"
    hold hold
    INPUT=hold trace_start -- "$PROGS/blocked" send
    until_event call=sendto phase=enter role=client
    # Full is when two looks in a row are the same and something waits in both queues.
    settled() {
        in_ns ss -tinHO >ss.out
        awk '{ print $2, $3 }' ss.out >queues.now
        cmp -s queues.now queues.before && grep -q '^[1-9]' queues.now && grep -q ' [1-9]' queues.now
        local rc=$?
        mv queues.now queues.before
        return $rc
    }
    : >queues.before
    until_true settled
    # A delayed ACK may still move things: both look again until they agree.
    ledger_there() {
        in_ns ss -tinHO >ss.out
        python3 "$WITNESS/totals.py" ss.out "$OUT"
    }
    until_true ledger_there
    let_go hold
    trace_wait
    same status 0 "$status"
}

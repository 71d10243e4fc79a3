#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it runs other people's programs, at a pace that an emulated machine does not have.
# Ordinary traffic draws no alarm, and little news: a tool that cries wolf is switched off.

load helper

# News a reader has to skip in a healthy conversation: not more than this for each socket.
expect_calm() { # MOST
    expect_no_alarm
    local most=$1 worst
    worst=$(q -v -o sock weight=news | sort | uniq -c | sort -rn | awk 'NR == 1 { print $1 }')
    if [ "${worst:-0}" -gt "$most" ]; then
        echo "$worst news about one socket:"
        q -v -o sock,rule,cause weight=news
        return 1
    fi
}

run_script() {
    cd "$BATS_TEST_TMPDIR" || return
    trace_run -- sh -eu -c "$@"
    same status 0 "$status"
}

@test "quiet: the client and server of the first lab" {
    trace_run -- "$LIVE/../../labs/00-hello/run"
    same status 0 "$status"
    expect_calm 3
}

@test "quiet: curl and python3 -m http.server" {
    mkdir "$BATS_TEST_TMPDIR/www"
    head -c 3000000 /dev/zero >"$BATS_TEST_TMPDIR/www/page"
    run_script '
        mkfifo log
        line=
        python3 -u -m http.server 8000 --bind 127.0.0.1 --directory www >log 2>&1 &
        exec 3<log
        read -r line <&3
        curl -sS -o page http://127.0.0.1:8000/page http://127.0.0.1:8000/none -o none
        curl -sS -o page http://127.0.0.1:8000/page
        kill $!
        wait $! || :'
    cmp "$BATS_TEST_TMPDIR/page" "$BATS_TEST_TMPDIR/www/page"
    expect_calm 4
}

@test "quiet: an echo server and a client that takes turns" {
    local family
    for family in v4 v6 mapped; do
        trace_run -- "$PROGS/pair" "$family"
        same status 0 "$status"
        expect_calm 3
    done
}

@test "quiet: an asyncio echo server with fifty clients" {
    run_script 'python3 "$1/witness/echo.py"' sh "$LIVE"
    expect_calm 3
}

@test "quiet: nc to nc, both ways round" {
    head -c 100000 /dev/zero >"$BATS_TEST_TMPDIR/sent"
    run_script '
        mkfifo log
        line=
        nc -v -l -N 127.0.0.1 7000 >got 2>log </dev/null &
        exec 3<log
        read -r line <&3
        nc -N 127.0.0.1 7000 <sent
        wait $!'
    expect_calm 4
}

@test "quiet: socat, a forking server, IPv6" {
    head -c 70000 /dev/zero >"$BATS_TEST_TMPDIR/sent"
    run_script '
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
    expect_no_alarm
}

@test "quiet: UDP questions and answers" {
    run_script 'python3 -c "
import socket
server, client = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
server.bind((\"127.0.0.1\", 0))
client.connect(server.getsockname())
for i in range(20):
    client.send(b\"question\")
    question, who = server.recvfrom(2000)
    server.sendto(question + b\" answered\", who)
    client.recv(2000)
"'
    expect_calm 1
}

@test "quiet: a server that waits for its clients, and is ended by a signal" {
    cd "$BATS_TEST_TMPDIR"
    trace_start
    background log python3 -u -m http.server 8000 --bind 127.0.0.1
    local server=$BG
    until_line log Serving
    in_ns curl -sS -o page http://127.0.0.1:8000/
    in_ns curl -sS -o page http://127.0.0.1:8000/
    kill -TERM "$server"
    until_event kind=proc what=exit pid="$server"
    trace_stop
    sound
    expect_calm 4
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is shown and what is not.

load helper

# A process with a connection that waits for its standard input, NAME, to end. $BG is its pid.
start_held() { # NAME
    hold "$1"
    INPUT=$BATS_TEST_TMPDIR/$1 background "$BATS_TEST_TMPDIR/$1.out" "$PROGS/pair" held
    until_line "$BATS_TEST_TMPDIR/$1.out" ready
}

run_prog() { # NS PROGRAM ARGS...
    nsenter --net="/run/netns/$1" -- timeout "$LIMIT" "$PROGS/$2" "${@:3}" </dev/null >/dev/null 3>&-
}

@test "scope: -p follows one process, with what it had open, and nobody else" {
    start_held one
    a=$BG
    start_held two
    b=$BG
    trace_start -p "$a"
    let_go one two
    wait "$a"
    wait "$b"
    trace_stop
    same status 0 "$status"
    sound
    same processes "$a" "$(q -u -o pid kind=call)"
    expect_rows call,ret kind=call phase=exit pid="$a" <<'END'
recvfrom 9
close 0
recvfrom 0
close 0
END
    expect_count 0 pid="$b"
}

named_by() { # GLOB PROGRAMS
    trace_start -n "$1"
    run_prog "$NS" pair v4
    run_prog "$NS" udp zero
    run_prog "$NS" closing half
    trace_stop
    sound
    same "programs by $1" "$2" "$(q -u -o comm kind=call | sort | paste -sd ' ')"
}

@test "scope: -n takes a pattern" {
    named_by 'pai*' pair
    expect_some call=connect phase=exit ret=0
    named_by '*i?' pair
    named_by 'c**s?*g' closing
    named_by '?*d*p*' udp
    named_by pai ""
    named_by 'pair?' ""
}

@test "scope: --port is either end" {
    trace_start --port 7001
    LIVE_PORT=7002 run_prog "$NS" pair v4
    LIVE_PORT=7001 run_prog "$NS" pair v4
    trace_stop
    sound
    same conversations 1 "$(q -u -o conn "conn>0" | wc -l)"
    expect_count 0 src~:7002
    expect_count 0 dst~:7002
    expect_delivered "$(one sock call=connect phase=exit)" 14
    same roles "client server" "$(q -u -o role call=sendto phase=exit | sort | xargs)"
}

@test "scope: --lport is the own end, --rport the other" {
    trace_start --lport 7001
    LIVE_PORT=7001 run_prog "$NS" pair v4
    LIVE_PORT=7002 run_prog "$NS" pair v4
    trace_stop
    same "with --lport" server "$(q -u -o role "call~sendto|recvfrom|connect")"
    expect_count 0 src~:7002
    trace_start --rport 7001
    LIVE_PORT=7001 run_prog "$NS" pair v4
    LIVE_PORT=7002 run_prog "$NS" pair v4
    trace_stop
    # The server's end has the client's port opposite.
    same "with --rport" client "$(q -u -o role "call~sendto|recvfrom|connect")"
    expect_count 0 dst~:7002
}

# By what stands for it: the second namespace is shown, and nothing of the first.
only_second_by() { # NETNS
    trace_start --netns "$1"
    LIVE_PORT=7001 run_prog "$NS" pair v4
    LIVE_PORT=7002 run_prog "$NS2" pair v4
    trace_stop
    sound
    expect_some dst~:7002
    expect_count 0 dst~:7001
    expect_count 0 src~:7001
}

@test "scope: --netns takes a name, and nothing of another namespace" {
    second_namespace
    only_second_by "$NS2"
}

@test "scope: --netns takes a process" {
    second_namespace
    hold hold
    # cat echoes the line when it is there, in its namespace.
    echo there >&"${HELD[hold]}"
    INPUT=$BATS_TEST_TMPDIR/hold NS=$NS2 background "$BATS_TEST_TMPDIR/cat.out" cat
    until_line "$BATS_TEST_TMPDIR/cat.out" there
    only_second_by "$BG"
    let_go hold
}

@test "scope: --netns takes a file, as containers have for theirs" {
    second_namespace
    only_second_by "/run/netns/$NS2"
}

@test "scope: bare, beside a plain client and server" {
    trace_start
    run_prog "$NS" pair v4
    trace_stop
    same status 0 "$status"
    sound
    client=$(one sock call=connect phase=exit)
    # What a socket did before it was connected is shown, too.
    expect_rows call,ret kind=call phase=exit sock="$client" call!=socket <<'END'
connect 0
sendto 14
recvfrom 14
close 0
END
    expect_count 1 call=socket phase=exit sock="$client"
    expect_count 1 call=bind phase=exit
    expect_count 1 call=listen phase=exit
    expect_delivered "$client" 14
}

@test "scope: bare hides AF_UNIX and the tracer, --all shows the former" {
    trace_start
    run_prog "$NS" unix pair
    run_prog "$NS" pair v4
    trace_stop
    expect_count 0 family=unix
    expect_count 0 comm=trace
    expect_some call=connect phase=exit
    trace_start --all
    run_prog "$NS" unix pair
    trace_stop
    expect_some family=unix comm=unix call=sendto ret=6
    expect_count 0 comm=trace
}

@test "scope: bare hides what was there before it" {
    start_held one
    trace_start
    let_go one
    wait "$BG"
    LIVE_PORT=7002 run_prog "$NS" pair v4
    trace_stop
    expect_count 0 pid="$BG" kind=call
    expect_some dst~:7002
}

@test "scope: bare looks at its own loopback, not at that of other namespaces" {
    other=${NS}o
    add_namespace "$other"
    trace_start
    run_prog "$other" pair v4
    LIVE_PORT=7002 run_prog "$NS" pair v4
    trace_stop
    expect_some dst~:7002
    same connections 1 "$(q -u -o conn kind=summary | wc -l)"
}

@test "scope: a namespace of a lab is shown from outside" {
    lab=lab-$NS
    add_namespace "$lab"
    trace_start
    run_prog "$lab" pair v4
    trace_stop
    same connections 1 "$(q -u -o conn kind=summary | wc -l)"
}

# A namespace, its loopback up, of this inode number if that is to be had: numbers are used again.
namespace_numbered() { # INO
    local i
    for i in 1 2 3 4 5 6 7 8; do
        add_namespace "${NS}n$i"
        [ "$(netns_ino "${NS}n$i")" != "$1" ] || return 0
    done
}

netns_ino() { # NAME
    stat -L -c %i "/run/netns/$1"
}

# Does the tracer hold this namespace? 6e736673 is nsfs (linux/magic.h).
holds_namespace() { # INO
    stat -L -f -c '%t %n' "/proc/$TRACE_PID/fd/"* 2>/dev/null | awk '$1 == "6e736673" { print $2 }' |
        xargs -r stat -L -c %i | grep -qx "$1"
}

strangers_talk() {
    local ns
    for ns in "${OTHER_NS[@]}"; do
        [ ! -e "/run/netns/$ns" ] || run_prog "$ns" pair v4
    done
}

@test "scope: a namespace that takes another's number is not taken for it" {
    second_namespace
    ino=$(netns_ino "$NS2")
    trace_start --netns "$NS2"
    run_prog "$NS2" pair v4
    ip netns del "$NS2"
    namespace_numbered "$ino"
    strangers_talk
    trace_stop
    same connections 1 "$(q -u -o conn kind=summary | wc -l)"
}

@test "scope: nor one that takes that of a lab which is gone" {
    lab=lab-$NS
    add_namespace "$lab"
    ino=$(netns_ino "$lab")
    trace_start
    run_prog "$lab" pair v4
    holds_namespace "$ino"
    ip netns del "$lab"
    # The next look finds no name for it; one is due while there is something to do.
    until ! holds_namespace "$ino"; do run_prog "$NS" udp zero; done
    namespace_numbered "$ino"
    strangers_talk
    trace_stop
    same connections 1 "$(q -u -o conn kind=summary protocol=TCP | wc -l)"
}

@test "scope: more labs than can be looked into at once are said" {
    mapfile -t OTHER_NS < <(seq -f "lab-$NS-%g" 300)
    printf 'netns add %s\n' "${OTHER_NS[@]}" | ip -batch -
    trace_start
    trace_stop
    printf 'netns del %s\n' "${OTHER_NS[@]}" | ip -batch -
    same status 0 "$status"
    grep -Eq "[0-9]+ network namespaces of labs were not looked into" "$BATS_TEST_TMPDIR/stderr"
}

@test "scope: --all with a port is that port, on the whole machine" {
    trace_start --all --port 7091 # which no other test has: some run beside it
    LIVE_PORT=7002 run_prog "$NS" pair v4
    run_prog "$NS" unix pair
    LIVE_PORT=7091 run_prog "$NS" pair v4
    trace_stop
    sound
    expect_count 0 family=unix
    expect_count 0 src~:7002
    expect_count 0 dst~:7002
    same conversations 1 "$(q -u -o conn "conn>0" | wc -l)"
    # The listener and both ends; nothing else was called that has a socket.
    same "sockets with calls" 3 "$(q -u -o sock kind=call "sock>0" | wc -l)"
    expect_delivered "$(one sock call=connect phase=exit)" 14
}

# A server that sits in accept() already when tracing begins. $BG is its pid.
start_accepting() {
    export LIVE_PORT=7001
    background "$BATS_TEST_TMPDIR/server.out" "$PROGS/apart" server
    until_line "$BATS_TEST_TMPDIR/server.out" ready
    accepting() { # 43 and 202: accept on x86-64 and arm64
        grep -Eq '^(43|202) ' "/proc/$BG/syscall"
    }
    until_true accepting
}

# The accept() that gave a connection names it, and its socket.
expect_accepted() {
    same status 0 "$status"
    sound
    server=$(one sock call=recvfrom phase=exit role=server)
    same "socket that accept() gave" "$server" "$(one sock2 call=accept phase=exit pid="$BG")"
    expect_some kind=data_ready accept_queue.depth=1
    expect_before "call=accept phase=exit pid=$BG" "call=recvfrom phase=enter pid=$BG"
    expect_delivered "$server" 14
}

@test "scope: bare, a server that waits in accept() already" {
    start_accepting
    trace_start
    in_ns "$PROGS/apart" client
    wait "$BG"
    trace_stop
    expect_accepted
}

@test "scope: -p, a server that waits in accept() already" {
    start_accepting
    trace_start -p "$BG"
    until_event call=accept phase=enter pid="$BG" seen_midway=true
    expect_count 0 call=accept phase=exit
    in_ns "$PROGS/apart" client
    wait "$BG"
    trace_stop
    expect_accepted
}

@test "scope: filters act before a record is made" {
    trace_start --port 1
    run_prog "$NS" pair v4
    run_prog "$NS" udp boundaries
    trace_stop
    same status 0 "$status"
    expect_count 1 type=trailer events=0 lost=0
}

@test "scope: calls that find no place while a socket is undecided are lost only if it is shown" {
    trace_start
    in_ns python3 -c '
import socket
for shown in (False, True):
    s = socket.socket()
    for i in range(30):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shown:
        s.bind(("127.0.0.1", 7003))
    s.close()
'
    trace_stop
    shown=$(q -c call=setsockopt phase=exit)
    lost=$(q -o lost type=trailer)
    same "shown and lost" 30 "$((shown + lost))"
    [ "$lost" -gt 0 ] || { echo "nothing was lost: this test tests nothing"; false; }
}

@test "scope: -- COMMAND follows children and nobody else" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -- "$PROGS/blocked" recv
    LIVE_PORT=7002 run_prog "$NS" pair v4
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_count 0 dst~:7002
    expect_count 0 comm=pair
    same processes 2 "$(q -u -o pid kind=call | wc -l)"
}

@test "scope: --all with a COMMAND is the whole machine while COMMAND runs" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start --all -- "$PROGS/blocked" recv
    tracer=$TRACE_PID
    run_prog "$NS" pair v4
    run_prog "$NS" unix pair
    let_go hold
    trace_wait
    same status 0 "$status"
    expect_some comm=pair call=connect phase=exit ret=0
    expect_some comm=unix family=unix call=sendto ret=6
    expect_some comm=blocked call=recvfrom phase=exit
    expect_count 0 pid="$tracer"
    same scope everything "$(one scope type=header)"
}

@test "scope: --layer leaves the other layers out" {
    local layer
    for layer in app kernel wire; do
        trace_raw --json -o "$OUT" --layer "$layer" -- "$PROGS/pair" v4
        same "layers with --layer $layer" "$layer" "$(q -u -o layer layer kind!=summary)"
    done
}

# A server in the other namespace that waits for one client. $SERVER is its pid.
serve_there() {
    nsenter --net="/run/netns/$NS2" -- timeout "$LIMIT" socat -u TCP-LISTEN:7007,reuseaddr \
        OPEN:"$BATS_TEST_TMPDIR/got",creat </dev/null 3>&- &
    HELPERS+=("$!")
    listening() {
        SERVER=$(in_there ss -Hltnp | grep ':7007' | grep -o 'pid=[0-9]*' | cut -d= -f2)
        [ -n "$SERVER" ]
    }
    until_true listening
}

@test "scope: a socket of another namespace pairs with its peer across a veth" {
    joined_namespace
    trace_start --netns "$NS" --netns "$NS2"
    serve_there
    echo "over the veth" | in_ns timeout "$LIMIT" socat -u STDIN TCP:10.9.0.2:7007
    wait "${HELPERS[-1]}"
    trace_stop
    sound
    client=$(one sock call=connect phase=exit dst=10.9.0.2:7007)
    same conversations 1 "$(q -u -o conn "conn>0" family=inet | wc -l)"
    expect_delivered "$client" 14
    same namespaces 2 "$(q -u -o netns netns kind=segment | wc -l)"
}

@test "scope: -p follows nobody who is given the number of a process that has ended" {
    background "$BATS_TEST_TMPDIR/first.out" sleep 1000
    trace_start -p "$BG"
    kill "$BG"
    wait "$BG" || true
    until_event kind=proc what=exit pid="$BG"
    in_ns python3 -c '
import ctypes, os, struct, sys
number = ctypes.c_int(int(sys.argv[1]))
SIGCHLD, CLONE3 = 17, 435
args = struct.pack("11Q", 0, 0, 0, 0, SIGCHLD, 0, 0, 0, ctypes.addressof(number), 1, 0)
child = ctypes.CDLL(None, use_errno=True).syscall(CLONE3, args, len(args))
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
assert child == number.value, os.strerror(ctypes.get_errno())
sys.exit(os.waitpid(child, 0)[1])' "$BG" "$PROGS/pair" v4
    trace_stop
    same status 0 "$status"
    expect_count 0 kind=call
}

@test "scope: -p of a server shows the client in another namespace, too" {
    joined_namespace
    serve_there
    trace_start -p "$SERVER"
    echo "over the veth" | in_ns timeout "$LIMIT" socat -u STDIN TCP:10.9.0.2:7007
    wait "${HELPERS[-1]}"
    trace_stop
    same status 0 "$status"
    expect_some role=client call=write ret=14
    expect_some role=client call=connect phase=exit ret=0
    expect_delivered "$(one sock kind=call role=client dst=10.9.0.2:7007)" 14
}

@test "scope: -- COMMAND shows the server in another namespace, too" {
    joined_namespace
    serve_there
    echo "over the veth" >"$BATS_TEST_TMPDIR/words"
    # COMMAND ends, and with it the trace, when the server has.
    # shellcheck disable=SC2016 # the other shell's
    trace_start -- sh -c 'socat -u "OPEN:$1,rdonly" TCP:10.9.0.2:7007; while [ -e "/proc/$0/fd/0" ]; do :; done' \
        "$SERVER" "$BATS_TEST_TMPDIR/words"
    trace_wait
    wait "${HELPERS[-1]}"
    same status 0 "$status"
    expect_some call~^accept pid="$SERVER" phase=exit ret!=-1
    expect_some call=read pid="$SERVER" phase=exit ret=14
    expect_delivered "$(one sock call=connect phase=exit dst=10.9.0.2:7007)" 14
}

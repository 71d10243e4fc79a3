#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Live runs of ./trace as a command: how it starts and ends, what COMMAND gets, whose files it writes.

bats_require_minimum_version 1.5.0

load cmd-helper

# Start in the background; returns when it traces. The ready marker comes through a pipe.
start() { # OPTIONS...
    local ready line=
    mkfifo ready
    exec {ready}<>ready
    "$TRACE" --ready-fd 9 "$@" 9>ready >stdout 2>stderr </dev/null 3>&- &
    TRACE_PID=$!
    read -r -t 20 -u "$ready" line || true
    exec {ready}>&-
    rm ready
    assert_equal "$line" ready
}

finish() {
    status=0
    wait "$TRACE_PID" || status=$?
    TRACE_PID=
}

# COMMAND says that it is there: its handlers are installed.
wait_for() { # FILE REGEX
    until grep -qs "$2" "$1"; do
        kill -0 "$TRACE_PID" || fail "the tracer is gone: $(cat stderr)"
    done
}

@test "live: the exit status is COMMAND's" {
    for wanted in 0 1 3 124 255; do
        run "$TRACE" -o out -- sh -c "exit $wanted"
        assert_equal "$status" "$wanted"
    done
}

@test "live: a signal that kills COMMAND kills us, without a core" {
    ulimit -c unlimited || true # sudo may have set the hard limit
    run bash -c '"$TRACE" -o out -- sh -c "ulimit -c 0; kill -ABRT \$\$" 2>/dev/null; echo $?'
    assert_line 134
    run bash -c '"$TRACE" -o out -- sh -c "kill -KILL \$\$" 2>/dev/null; echo $?'
    assert_line 137
    run find . -name 'core*'
    assert_output ''
}

@test "live: COMMAND without dashes, its options are its own" {
    run "$TRACE" -o out sh -c 'echo "$@"' sh -o --json -p 1
    assert_success
    assert_output -- '-o --json -p 1'
}

@test "live: COMMAND's output is its own, text goes to standard error" {
    run --separate-stderr "$TRACE" -- python3 -c 'import socket; socket.socket(); print("mine")'
    assert_success
    assert_output mine
    [[ $stderr == *socket* ]]
}

@test "live: COMMAND gets our standard input and descriptors, and none of the tracer's" {
    # bats itself has more open than a shell has
    exec 7<"$RECORDING"
    run bash -c 'echo line | "$TRACE" -q -o out -w rec -- sh -c "cat; ls -1 /proc/\$\$/fd"'
    assert_success
    with=$output
    run bash -c 'echo line | sh -c "cat; ls -1 /proc/\$\$/fd"'
    assert_output "$with"
    assert_line 7
}

# nohup would have SIGHUP ignored, and COMMAND keep it so.
@test "live: COMMAND has default signals and the invoking user's identity" {
    chmod 755 .
    run env --default-signal=HUP SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody HOME=/root FOO=bar "$TRACE" -o /dev/null -- \
        sh -c 'id -u; id -g; id -G; echo "$HOME $USER $LOGNAME $FOO"; exec grep -E "SigIgn|SigBlk" /proc/self/status'
    assert_success
    assert_line --index 0 65534
    assert_line --index 1 65534
    assert_line --index 2 "$(id -G nobody)"
    assert_line --index 3 "$(getent passwd nobody | cut -d: -f6) nobody nobody bar"
    assert_line --regexp 'SigBlk:.0*$'
    # signals 32 and 33 are the C library's own; make leaves them ignored for its children
    assert_line --regexp 'SigIgn:.(0{16}|0{7}180000000)$'
}

@test "live: a signal reaches COMMAND although it runs as somebody else" {
    export SUDO_UID=65534 SUDO_GID=65534
    start -o /dev/null -- sh -c 'trap "exit 5" TERM; echo up; while :; do sleep 0.1; done'
    wait_for stdout up
    kill -TERM "$TRACE_PID"
    finish
    assert_equal "$status" 5
}

@test "live: files belong to the invoking user, mode 0600" {
    cd "$FOR_ALL"
    mkdir -m 777 open
    touch open/before
    chown 65534 open/before
    chmod 644 open/before
    run env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -o open/text -w open/rec -- true
    assert_success
    run stat -c '%u:%g %a' open/text open/rec
    assert_output $'65534:65534 600\n65534:65534 600'
    run env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -w open/before -- true
    assert_equal "$(stat -c %a open/before)" 600
}

@test "live: tracing goes on until COMMAND's children ended, too" {
    run "$TRACE" --json -o out -- sh -c 'python3 -c "
import os, socket
while os.getppid() == $$: pass
socket.socket().bind((\"127.0.0.1\", 0))" & exit 3'
    assert_failure 3
    grep -q '"call":"bind"' out
}

@test "live: the text is that of the recording, byte for byte" {
    "$TRACE" -o live -w rec -- python3 -c 'if True:
        import socket
        s = socket.create_server(("127.0.0.1", 0))
        c = socket.create_connection(s.getsockname())
        p, _ = s.accept()
        c.send(b"hello"); p.recv(100); p.close(); c.recv(1); c.close()'
    grep -q 'connect(' live
    "$TRACE" show rec | cmp - live
    "$TRACE" --json -o live -w rec -- python3 -c 'import socket; socket.create_server(("127.0.0.1", 0))'
    "$TRACE" show --json rec | cmp - live
    "$TRACE" --layer app -o live -w rec -- python3 -c 'import socket; socket.create_server(("127.0.0.1", 0))'
    "$TRACE" show rec | cmp - live
}

@test "live: -w alone shows nothing and sums up in one line" {
    run --separate-stderr "$TRACE" -w rec -- python3 -c 'import socket; socket.socket()'
    assert_success
    assert_output ''
    [[ $stderr =~ ^trace:\ recorded\ [1-9][0-9]*\ events,\ 0\ lost,\ in\ rec$ ]]
    run --separate-stderr "$TRACE" -q -w rec -- true
    assert_equal "$stderr" ''
}

@test "live: a recording through a pipe" {
    "$TRACE" -q -w - -- python3 -c 'import socket; socket.create_server(("127.0.0.1", 0))' | "$TRACE" show - >out
    grep -q 'bind(' out
}

@test "live: SIGINT, SIGTERM and SIGHUP end it in order" {
    for signal in INT TERM HUP; do
        rm -f stderr
        start -o live -w rec
        kill -"$signal" "$TRACE_PID"
        finish
        assert_equal "$signal $status" "$signal 0"
        "$TRACE" show rec 2>cut | cmp - live
        assert_equal "$(cat cut)" ''
    done
}

@test "live: a ready marker for people, unless -q" {
    start -o live
    kill -INT "$TRACE_PID"
    finish
    assert_equal "$(cat stderr)" 'trace: tracing (Ctrl-C ends)'
    start -q -o live
    kill -INT "$TRACE_PID"
    finish
    assert_equal "$(cat stderr)" ''
}

@test "live: COMMAND's own ending after a signal is still traced" {
    start --json -o live -w rec -- python3 -uc 'if True:
        import signal, socket, sys
        def end(*_):
            socket.socket().bind(("127.0.0.1", 0))
            sys.exit(9)
        signal.signal(signal.SIGTERM, end)
        print("up")
        while True: signal.pause()'
    wait_for stdout up
    kill -TERM "$TRACE_PID"
    finish
    assert_equal "$status" 9
    grep -q '"call":"bind"' live
    "$TRACE" show --json rec | cmp - live
}

@test "live: COMMAND that ignores the signal is ended after a while" {
    start -o live -- sh -c 'trap "" INT; echo up; while :; do sleep 1; done'
    wait_for stdout up
    kill -INT "$TRACE_PID"
    finish
    assert_equal "$status" 143
    tail -1 live | grep -q 'lost'
}

@test "live: a second signal ends at once" {
    start -o live -- sh -c 'trap "" INT TERM; echo up; sleep 4'
    wait_for stdout up
    began=$(date +%s%N)
    kill -INT "$TRACE_PID"
    while kill -INT "$TRACE_PID" 2>/dev/null; do :; done
    finish
    [ $((($(date +%s%N) - began) / 1000000)) -lt 1500 ]
    assert_equal "$status" 130
}

@test "live: --duration and --events end it, and COMMAND with it" {
    run "$TRACE" -q -o out --duration 0.2
    assert_success
    run timeout 20 "$TRACE" -o out --duration 0.2 -- sleep 60
    assert_success
    run timeout 20 "$TRACE" --json -o live -w rec --events 4 -- python3 -c 'if True:
        import socket
        while True: socket.create_server(("127.0.0.1", 0)).close()'
    assert_success
    "$TRACE" show --json rec | cmp - live
}

@test "live: a reader that leaves ends it silently, the recording is finished" {
    run bash -c '"$TRACE" -q --text -w rec -- python3 -c "
import socket
for i in range(1000): socket.create_server((\"127.0.0.1\", 0)).close()" 2>&1 | head -1; echo "${PIPESTATUS[0]}"'
    assert_equal "${#lines[@]}" 2
    assert_equal "${lines[1]}" 0
    run --separate-stderr "$TRACE" show rec
    assert_success
    assert_equal "$stderr" ''
}

@test "live: a full disk is told, and what was recorded until then can be shown" {
    mkdir disk
    run with_mounts 'mount -t tmpfs -o size=64k none disk && "$TRACE" -q -w disk/rec -- python3 -c "
import socket
for i in range(3000): socket.create_server((\"127.0.0.1\", 0)).close()"; echo "status $?"; "$TRACE" show disk/rec >shown'
    assert_line --partial "'disk/rec': No space left on device"
    assert_line 'status 125'
    assert_line --partial 'is cut short after'
    grep -q 'bind(' shown
    refute_works "No space left" "$TRACE" -q -o /dev/full -- python3 -c 'import socket; socket.socket()'
}

@test "live: doctor says yes on a machine where tracing works" {
    run "$TRACE" doctor
    assert_success
    assert_output --partial 'Tracing works.'
    assert_width 80
}

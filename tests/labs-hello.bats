# SPDX-License-Identifier: MIT
# The pairs of labs/00-hello really talk, and say plainly why when they cannot. Each test has a
# network namespace of its own, so the lab's own port is always free in it.
# Beside others: its pairs are not traced.

bats_require_minimum_version 1.5.0
load asserts

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    LAB=$TOP/labs/00-hello
    BIN=$TOP/.output/labs/00-hello
    # The system's own Python: a shim in front of it would be another process.
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin
    NS=hello-$$-$BATS_TEST_NUMBER
    ip netns add "$NS"
    here ip link set lo up
    SERVER=
}

teardown() {
    [ -z "$SERVER" ] || kill -KILL "$SERVER" 2>/dev/null || true
    ip netns del "$NS"
}

# Runs a command in the namespace of the test. (ip -n and ip netns exec would also remount /, which
# fails where / is no mount point, as in a plain chroot.)
here() { # COMMAND...
    nsenter --net="/run/netns/$NS" -- timeout 20 "$@"
}

# Starts a server and returns when it says that it listens. Its output is read from $FROM.
serve() { # COMMAND...
    local line
    mkfifo "$BATS_TEST_TMPDIR/out"
    nsenter --net="/run/netns/$NS" -- "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    SERVER=$!
    exec {FROM}<"$BATS_TEST_TMPDIR/out"
    IFS= read -r -t 20 -u "$FROM" line
    [[ $line == listening\ on\ * ]] || fail "the server said: $line"
}

# Waits for the server's end; its status and the rest of its output are for assert_*.
finish_server() {
    status=0
    output=$(timeout 20 cat <&"$FROM")
    wait "$SERVER" || status=$?
    SERVER=
}

# A whole conversation between two programs.
talk() { # SERVER -- CLIENT
    local server=()
    while [ "$1" != -- ]; do
        server+=("$1")
        shift
    done
    shift
    serve "${server[@]}"
    # Where localhost is ::1 first, the C client says on standard error that nobody is there.
    run --separate-stderr here "$@"
    assert_success
    assert_output "received: Hello, Client!"
    finish_server
    assert_output "received: Hello, Server!"
    assert_success
}

@test "the C pair talks and both programs end with 0" {
    talk "$BIN/server" -- "$BIN/client"
}

@test "the Python pair talks and both programs end with 0" {
    talk python3 "$LAB/server.py" -- python3 "$LAB/client.py"
}

@test "C and Python are the same to each other" {
    talk "$BIN/server" -- python3 "$LAB/client.py"
    rm "$BATS_TEST_TMPDIR/out"
    talk python3 "$LAB/server.py" -- "$BIN/client"
}

@test "another port than the lab's may be given" {
    talk "$BIN/server" 50001 -- "$BIN/client" 50001
    rm "$BATS_TEST_TMPDIR/out"
    talk python3 "$LAB/server.py" 50001 -- python3 "$LAB/client.py" 50001
}

@test "a port that is none is refused by name" {
    run here "$BIN/server" 70000
    assert_failure 1
    assert_output "server: a port is a number from 1 to 65535, not 70000"
}

@test "run starts the pair in the right order and ends with 0" {
    run --separate-stderr here "$LAB/run"
    assert_success
    assert_line --index 0 "server: listening on 127.0.0.1 port 65430"
    assert_line --index 1 "client: received: Hello, Client!"
    assert_line --index 2 "server: received: Hello, Server!"
}

@test "run fails when the port is taken" {
    serve "$BIN/server"
    run here "$LAB/run"
    assert_failure 1
    assert_output --partial "Address already in use"
}

@test "run takes the server along when it is ended early" {
    # The same script, with a server that tells its pid and never listens.
    local tree=$BATS_TEST_TMPDIR/tree pid run_pid status=0
    mkdir -p "$tree/labs/00-hello" "$tree/.output/labs/00-hello"
    cp "$LAB/run" "$tree/labs/00-hello/"
    printf '#!/bin/sh\necho $$ >%q\nexec cat %q\n' "$tree/pid" "$tree/pid" >"$tree/.output/labs/00-hello/server"
    cp "$tree/.output/labs/00-hello/server" "$tree/.output/labs/00-hello/client"
    chmod +x "$tree"/.output/labs/00-hello/*
    mkfifo "$tree/pid"
    "$tree/labs/00-hello/run" 3>&- &
    run_pid=$!
    read -r -t 20 pid <"$tree/pid"
    kill "$run_pid"
    wait "$run_pid" || status=$?
    assert_equal "$status" 143
    SERVER=$pid # where it is still there, it does not outlive the test
    timeout 20 tail --pid="$pid" -f /dev/null
    SERVER=
}

@test "a client without a server names the place and ends with 1" {
    run here "$BIN/client"
    assert_failure 1
    assert_line --partial "connect to localhost by IPv4: Connection refused"
    assert_line "client: nobody listens at localhost port 65430"
    run here python3 "$LAB/client.py"
    assert_failure 1
    assert_output "client.py: nobody listens at localhost port 65430: Connection refused"
}

@test "a client of a name that does not exist says so" {
    run here "$BIN/client" 65430 no.such.host.invalid
    assert_failure 1
    assert_output --partial "client: getaddrinfo no.such.host.invalid: "
}

@test "the client tries the next address after a refusal" {
    # The client's own code, with a resolver that knows both addresses for every name.
    cat >"$BATS_TEST_TMPDIR/both.c" <<'C'
#include <netdb.h>
int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    (void)host;
    if (__real_getaddrinfo("::1", port, hints, list))
        return EAI_FAIL;
    return __real_getaddrinfo("127.0.0.1", port, hints, &(*list)->ai_next);
}
C
    cc -Wl,--wrap=getaddrinfo "$LAB/client.c" "$BATS_TEST_TMPDIR/both.c" -o "$BATS_TEST_TMPDIR/client"
    serve "$BIN/server"
    run here "$BATS_TEST_TMPDIR/client"
    assert_success
    assert_line "client: connect to localhost by IPv6: Connection refused"
    assert_line "received: Hello, Client!"
}

@test "a second server on the port fails in bind and names address and port" {
    serve "$BIN/server"
    run here "$BIN/server"
    assert_failure 1
    assert_output "server: bind to 127.0.0.1 port 65430: Address already in use"
    run here python3 "$LAB/server.py"
    assert_failure 1
    assert_output "server.py: bind to localhost port 65430: Address already in use"
    run here "$BIN/server_any"
    assert_failure 1
    assert_output "server_any: bind to [::] port 65430: Address already in use"
    run here python3 "$LAB/server_any.py"
    assert_failure 1
    assert_output --partial "server_any.py: bind to [::] port 65430: "
}

@test "the server starts again while its old connection rests in TIME_WAIT" {
    serve "$BIN/server"
    printf x | here nc 127.0.0.1 65430 >"$BATS_TEST_TMPDIR/nc" &
    local nc=$! line
    IFS= read -r -t 20 -u "$FROM" line
    assert_equal "$line" "received: x"
    # Ended in mid-conversation the server is the first to send a FIN.
    kill "$SERVER"
    wait "$SERVER" || true
    wait "$nc"
    run here ss -Htan state time-wait sport = :65430
    assert_output --partial 127.0.0.1:65430
    rm "$BATS_TEST_TMPDIR/out"
    talk "$BIN/server" -- "$BIN/client"
}

# Serves both families, one client after the other, and ends with 0 at the signal.
serves_all() { # SIGNAL COMMAND...
    local signal=$1 host
    shift
    serve "$@"
    for host in ::1 127.0.0.1 ::1; do
        run here "$BIN/client" 65430 "$host"
        assert_success
        assert_output "received: Hello, Client!"
    done
    kill "-$signal" "$SERVER"
    finish_server
    assert_equal "$(grep -c '^received: Hello, Server!$' <<<"$output")" 3
    assert_success
}

@test "server_any serves IPv6 and IPv4 and ends cleanly at SIGTERM" {
    serves_all TERM "$BIN/server_any"
}

@test "server_any ends cleanly at SIGINT" {
    # A background job of a shell ignores SIGINT; a terminal's would not.
    serves_all INT env --default-signal=INT "$BIN/server_any"
}

@test "server_any.py serves IPv6 and IPv4 and ends cleanly at SIGTERM" {
    serves_all TERM python3 "$LAB/server_any.py"
}

@test "server_any.py ends cleanly at SIGINT" {
    serves_all INT python3 "$LAB/server_any.py"
}

@test "server_any outlives a client that says nothing" {
    serve "$BIN/server_any"
    here nc -N 127.0.0.1 65430 </dev/null
    run here "$BIN/client" 65430
    assert_success
}

@test "the C files compile by hand, without a Makefile" {
    for name in client server server_any; do
        (cd "$BATS_TEST_TMPDIR" && cc "$LAB/$name.c" -o "$name")
    done
}

@test "each file fits one screen" {
    for file in "$LAB"/*.c "$LAB"/*.py; do
        run awk '{ gsub(/\t/, "        ") } length > 80 { print FILENAME ":" FNR }' "$file"
        assert_output ""
        [ "$(wc -l <"$file")" -le 80 ] || fail "$file has more than 80 lines"
    done
}

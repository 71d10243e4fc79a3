#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it runs Python programs for seconds; their calls are those of the other tests.
# The pair as learners write it, in Python and in C, as it stands in the first lab.

load helper

LAB=$BATS_TEST_DIRNAME/../../labs/00-hello

# Server and client under one tracer; the client starts when the server's port listens.
both() { # SERVER CLIENT
    cat >"$BATS_TEST_TMPDIR/both.sh" <<'END'
$1 & server=$!
until grep -q ':FF96 .* 0A ' /proc/net/tcp /proc/net/tcp6; do :; done
$2 && wait $server
END
    trace_run -- sh "$BATS_TEST_TMPDIR/both.sh" "$1" "$2"
    same status 0 "$status"
}

hello() {
    client=$(one sock call=connect phase=exit ret=0 type=stream dst~:65430)
    expect_delivered "$client" 14
    same "greeting out" 14 "$(sum ret call=sendto sock="$client" phase=exit)"
    same "greeting back" 14 "$(sum ret call=recvfrom sock="$client" phase=exit)"
    # where localhost is ::1 too, the first try is refused: the conversation itself has no RST
    conn=$(one conn kind=segment flags=SYN,ACK arrival=false)
    expect_count 0 kind=segment flags~RST conn="$conn"
}

@test "python: server and client of the source note" {
    both "python3 $LAB/server.py" "python3 $LAB/client.py"
    hello
}

@test "python: the C pair of the lab" {
    gcc -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/server" "$LAB/server.c"
    gcc -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/client" "$LAB/client.c"
    both "$BATS_TEST_TMPDIR/server" "$BATS_TEST_TMPDIR/client"
    hello
    # The question is a constant of a program just compiled: its page is not in memory when it is asked.
    expect_rows node,service kind=gai phase=enter <<'END'
localhost 65430
END
}

@test "python: a Python client talks to the C server" {
    gcc -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/server" "$LAB/server.c"
    both "$BATS_TEST_TMPDIR/server" "python3 $LAB/client.py"
    hello
}

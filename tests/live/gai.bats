#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# getaddrinfo: the question, the whole list of answers, and what the program does with them.

load helper

# Trace the program with a file of its own over one of the system's, in a mount namespace of its own.
with_file() { # SYSTEM-FILE FILE trace_run|trace_start NAME
    # In a plain chroot / is no mount point, and nothing can be done about it.
    local propagation=private
    mountpoint -q / || propagation=unchanged
    "$3" -- unshare -m --propagation "$propagation" sh -c 'mount --bind "$1" "$2" && exec "$3" "$4"' sh \
        "$2" "$1" "$PROGS/gai" "$4"
}

with_hosts() { # NAME
    printf '::1 many\n127.0.0.1 many\n' >"$BATS_TEST_TMPDIR/hosts"
    with_file /etc/hosts "$BATS_TEST_TMPDIR/hosts" trace_run "$1"
    same status 0 "$status"
}

@test "gai: question and both answers, in order" {
    with_hosts many
    port=$(one dst call=connect phase=exit ret=0 type=stream)
    port=${port##*:}
    expect_count 1 kind=gai phase=enter
    expect_rows node,service,ret,total kind=gai phase=exit <<END
many $port 0 2
END
    [[ $(one answers kind=gai phase=exit) =~ ::1.*127\.0\.0\.1 ]]
}

@test "gai: the program tries the answers one after the other" {
    with_hosts many
    expect_before "kind=gai phase=exit" "call=connect phase=enter family=inet6 type=stream"
    expect_rows family,ret,errno call=connect phase=exit type=stream family~inet <<'END'
inet6 -1 ECONNREFUSED
inet 0 -
END
}

@test "gai: no name at all is this machine, twice" {
    trace_run -- "$PROGS/gai" ""
    same status 0 "$status"
    expect_rows node,total kind=gai phase=exit <<'END'
- 2
END
    [[ $(one answers kind=gai phase=exit) =~ ::1.*127\.0\.0\.1 ]]
}

@test "gai: no answer" {
    with_hosts no.such.name.invalid
    grep -q '^error -' "$BATS_TEST_TMPDIR/stdout"
    expect_rows node,total kind=gai phase=exit <<'END'
no.such.name.invalid 0
END
    expect_count 1 kind=gai phase=exit "ret<0"
}

@test "gai: twelve answers are all listed" {
    local n wanted=()
    for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
        wanted+=("127.0.0.$n")
        echo "127.0.0.$n twelve"
    done >"$BATS_TEST_TMPDIR/twelve"
    with_file /etc/hosts "$BATS_TEST_TMPDIR/twelve" trace_run twelve
    same status 0 "$status"
    same total 12 "$(one total kind=gai phase=exit)"
    same answers "$(printf '%s\n' "${wanted[@]}" | sort)" \
        "$(one answers kind=gai phase=exit | grep -oE '127\.0\.0\.[0-9]+' | sort)"
}

@test "gai: a question that nobody answers shows while it waits" {
    # A name server that keeps every question until the test lets go, and knows no name then.
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold background "$BATS_TEST_TMPDIR/dns.out" python3 -uc '
import select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("ready")
sys.stdin.read()
while True:
    question, asker = s.recvfrom(600)
    s.sendto(question[:2] + b"\x81\x83" + question[4:], asker)
'
    until_line "$BATS_TEST_TMPDIR/dns.out" ready
    printf 'nameserver 127.0.0.1\nsearch .\noptions timeout:15 attempts:1\n' >"$BATS_TEST_TMPDIR/resolv"
    with_file /etc/resolv.conf "$BATS_TEST_TMPDIR/resolv" trace_start slow.test
    until_event kind=gai phase=enter node=slow.test
    expect_some kind=gai phase=enter service
    expect_count 0 kind=gai phase=exit
    let_go hold
    trace_wait
    same status 0 "$status"
    sound
    expect_rows node,ret,total kind=gai phase=exit <<'END'
slow.test -2 0
END
    expect_before "kind=gai phase=enter" "kind=gai phase=exit"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# getaddrinfo: the question, the whole list of answers, and what the program does with them.

load helper

# Run the program with a hosts file of its own, in a mount namespace of its own.
with_hosts() { # NAME
    printf '::1 many\n127.0.0.1 many\n' >"$BATS_TEST_TMPDIR/hosts"
    # In a plain chroot / is no mount point, and nothing can be done about it.
    local propagation=private
    mountpoint -q / || propagation=unchanged
    trace_run -- unshare -m --propagation "$propagation" sh -c 'mount --bind "$1" /etc/hosts && exec "$2" "$3"' sh \
        "$BATS_TEST_TMPDIR/hosts" "$PROGS/gai" "$1"
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

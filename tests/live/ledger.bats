#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: in an emulated machine it is run by itself, once a backend.
# The byte ledger: every byte that was written is in one place, at the end of every connection, and
# the amounts are those that the programs' own calls, the segments and the kernel's queues tell.

load helper

# Both namespaces: fast open without cookies, and sockets nobody owns that give up soon.
tune() { # NAMESPACE
    nsenter --net="/run/netns/$1" -- sysctl -qw net.ipv4.tcp_fastopen=519 \
        net.ipv4.tcp_orphan_retries=2 net.ipv4.tcp_fin_timeout=2
}

# Of the conversations with ports from 20000 on, one segment in thirty never arrives.
lose_segments() { # NAMESPACE
    nsenter --net="/run/netns/$1" -- nft -f - <<'END'
table inet loss {
    chain in {
        type filter hook input priority 0
        tcp dport 20000-29999 meta length > 60 numgen random mod 100 < 3 drop
        tcp sport 20000-29999 meta length > 60 numgen random mod 100 < 3 drop
        tcp sport 20000-29999 numgen random mod 100 < 1 drop
    }
}
END
}

# A second namespace at the other end of a pair of devices.
far_namespace() {
    second_namespace
    ip -n "$NS" link add far type veth peer name near netns "$NS2"
    ip -n "$NS" addr add 10.99.0.1/24 dev far
    ip -n "$NS" addr add fd99::1/64 dev far nodad
    ip -n "$NS2" addr add 10.99.0.2/24 dev near
    ip -n "$NS2" addr add fd99::2/64 dev near nodad
    ip -n "$NS" link set far up
    ip -n "$NS2" link set near up
    export LIVE_FAR=/run/netns/$NS2
}

# The totals of one direction in the only summary.
ledger() { # DIRECTION KEYS
    local keys=$1.${2//,/,$1.}
    q -o "$keys" kind=summary protocol=TCP
}

# SEED, FIRST and COUNT choose the conversations; many of them need BATS_TEST_TIMEOUT, in seconds.
@test "ledger: random conversations balance to the byte, as their programs tell it" {
    cd "$BATS_TEST_TMPDIR"
    far_namespace
    for ns in "$NS" "$NS2"; do
        tune "$ns"
        lose_segments "$ns"
    done
    seed=${SEED:-$((RANDOM << 15 | RANDOM))}
    echo "again: SEED=$seed FIRST=${FIRST:-0} COUNT=${COUNT:-300} tests/run tests/live/ledger.bats" | tee /dev/fd/3
    LIMIT=$((60 + ${COUNT:-300} / 10)) trace_raw -w rec -- \
        "$PROGS/converse" "$seed" "${FIRST:-0}" "${COUNT:-300}" 6
    cat stderr
    same status 0 "$status"
    "$TRACE" show rec --json >"$OUT"
    python3 "$LIVE/ledger.py" stdout "$OUT" "$seed"
}

@test "ledger: the comparison can fail" {
    python3 "$LIVE/ledger_selftest.py"
}

@test "ledger: with one end in sight it tells what it can and marks what it cannot" {
    # 50000 bytes each way; the server reads all, the client 20000 of them.
    LIVE_PORT=7000 trace_run --rport 7000 -- "$PROGS/oneend"
    same "of the client: written, unsent, in flight, not acknowledged" "50000 0 0 0 true false" \
        "$(ledger client_to_server written,unsent,in_flight,unacked,tx_seen,rx_seen)"
    same "of the client: arrived, read, discarded" "50000 20000 30000 false true" \
        "$(ledger server_to_client written,read,discarded,tx_seen,rx_seen)"
    LIVE_PORT=7000 trace_run --lport 7000 -- "$PROGS/oneend"
    same "of the server: arrived, read, discarded" "50000 50000 0 false true" \
        "$(ledger client_to_server written,read,discarded,tx_seen,rx_seen)"
    same "of the server: written, unsent, in flight, not acknowledged" "50000 0 0 0 true false" \
        "$(ledger server_to_client written,unsent,in_flight,unacked,tx_seen,rx_seen)"
    same residual "0 0" "$(q -o client_to_server.residual,server_to_client.residual kind=summary)"
    cd "$BATS_TEST_TMPDIR"
    LIVE_PORT=7000 trace_raw -o text --width 200 --lport 7000 -- "$PROGS/oneend"
    grep 'client -> server' text | grep 'the writer is not seen from here'
    grep 'server -> client' text | grep 'the reader is not seen from here'
    same "the word balanced" "" "$(grep balanced text)"
}

@test "ledger: lost events are named beside the bytes they leave unaccounted for" {
    cd "$BATS_TEST_TMPDIR"
    read_on() { [ "$(stat -c %s rec)" -gt 1000000 ]; }
    hold hold
    mkfifo after
    LIVE_AFTER=after LIVE_ROUNDS=60000 INPUT=hold trace_spawn -w rec -- "$PROGS/pair" burst
    until_line stdout "ready"
    # The ring fills while nobody reads it; what the sockets have counted is told when they are closed.
    kill -STOP "$TRACE_PID"
    let_go hold
    until_line stdout "moved"
    kill -CONT "$TRACE_PID"
    until_true read_on
    : >after
    trace_wait
    same status 0 "$status"
    "$TRACE" show rec --json | grep -E '"kind":"(header|summary)"' >"$OUT" # of so many lines
    lost=$(one lost kind=summary)
    [ "$lost" -gt 0 ]
    residual=$(one client_to_server.residual kind=summary)
    [ "$residual" -gt 0 ]
    "$TRACE" show rec --width 200 | grep -q "$lost events were lost: $residual B not accounted for"
}

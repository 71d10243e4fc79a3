#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it compares two runs, with and without hooks on system calls.
# Without the app layer no system call is hooked, and everything below them is told all the same.

load helper

LAYERS=kernel,wire

# Names of the programs that the tracer has attached, as the kernel tells.
attached() {
    local id
    for id in $(awk '$1 == "prog_id:" { print $2 }' "/proc/$TRACE_PID/fdinfo/"* 2>/dev/null | sort -un); do
        bpftool prog show id "$id" | sed -n '1s/.* name \([^ ]*\) .*/\1/p'
    done
}

@test "without calls: no system call is hooked" {
    trace_start
    attached | grep -q '^sys_enter__tp'
    trace_stop
    trace_start --layer "$LAYERS"
    attached | grep -q '^inet_sock_set_st'
    same "programs on system calls" "" "$(attached | grep sys_ || true)"
    trace_stop
}

# What a run told below the calls, a line a fact, without times and names of that run.
below() {
    q -o kind,flags,len kind=segment | sort
    q -o role,old_state,new_state kind=state | sort
    q -o kind,errno kind=sock_error | sort
    q -o kind,reason kind=rst_sent | sort
    q -o role,dst kind=destroy | sed 's/ .*//' | sort
}

@test "without calls: segments, states, errors and resets are those of a run with them" {
    local what
    for what in "pair v4" "pair v6" "pair mapped" "closing half" "closing unread" "closing linger" "closing exit" \
        "udp boundaries" "udp dead"; do
        trace_run -- "$PROGS/${what% *}" "${what#* }"
        below >"$BATS_TEST_TMPDIR/with"
        trace_run --layer "$LAYERS" -- "$PROGS/${what% *}" "${what#* }"
        below >"$BATS_TEST_TMPDIR/without"
        echo "# $what"
        [ -s "$BATS_TEST_TMPDIR/with" ]
        diff "$BATS_TEST_TMPDIR/with" "$BATS_TEST_TMPDIR/without"
        expect_count 0 kind=call
    done
}

@test "without calls: both ends have their process, and the bytes are counted" {
    trace_run --layer "$LAYERS" -- "$PROGS/pair" v4
    expect_count 1 kind=state new_state=FIN_WAIT1 role=client comm=pair
    expect_count 1 kind=state new_state=LAST_ACK role=server comm=pair
    same "bytes the client wrote" 14 "$(sum ret kind=sent role=client)"
    same "bytes the server read" 14 "$(sum ret kind=received role=server)"
    trace_raw --layer "$LAYERS" -o "$BATS_TEST_TMPDIR/text" -- "$PROGS/pair" v4
    grep -Eq 'client +127.* process [0-9]+$' "$BATS_TEST_TMPDIR/text"
    grep -Eq 'server +127.* process [0-9]+$' "$BATS_TEST_TMPDIR/text"
    same "directions that balance" 2 "$(grep -c '14 B written = 14 read; balanced' "$BATS_TEST_TMPDIR/text")"
    same "calls" 2 "$(grep -c 'calls were not traced' "$BATS_TEST_TMPDIR/text")"
    grep -q 'EOF is read' "$BATS_TEST_TMPDIR/text"
    ! grep -q 'never accepted' "$BATS_TEST_TMPDIR/text"
}

# A pair of its own while somebody else's runs in the same namespace.
@test "without calls: the scope holds" {
    local how
    for how in "-n pair" "--port 7001" "--lport 7001" "--rport 7001" "--all"; do
        # shellcheck disable=SC2086 # options
        trace_start --layer "$LAYERS" $how
        in_ns timeout "$LIMIT" "$PROGS/pair" v4 </dev/null >/dev/null 3>&-
        in_ns timeout "$LIMIT" socat -u TCP-LISTEN:7001,reuseaddr OPEN:"$BATS_TEST_TMPDIR/got",creat </dev/null 3>&- &
        HELPERS+=("$!")
        until_true eval 'in_ns ss -Hltn | grep -q ":7001 "'
        echo hello | in_ns timeout "$LIMIT" socat -u STDIN TCP:127.0.0.1:7001 3>&-
        wait "${HELPERS[-1]}"
        trace_stop
        sound
        echo "# $how"
        case $how in
        "-n pair") same programs pair "$(q -u -o comm kind=state comm!=)" ;;
        "--all") same programs $'pair\nsocat' "$(q -u -o comm kind=state comm!=)" ;;
        *) same programs socat "$(q -u -o comm kind=state comm!=)" ;;
        esac
        expect_some kind=segment flags=SYN
    done
}

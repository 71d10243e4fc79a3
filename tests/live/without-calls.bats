#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it compares two runs, with and without hooks on system calls.
# Without the app layer no system call is hooked, and everything below them is told all the same.

load helper

LAYERS=kernel,wire

# No line of these files fits. (A negated command alone fails no test.)
lacks() { # REGEX FILE...
    if (cd "$BATS_TEST_TMPDIR" && grep -E "$@"); then return 1; fi
}

# Names of the programs that the tracer has attached, as the kernel tells.
attached() {
    local id
    for id in $(held prog_id); do
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
    lacks 'never accepted' text
}

# A pair of its own while somebody else's runs in the same namespace, on a port that no other test has.
@test "without calls: the scope holds" {
    local how
    for how in "-n pair" "--port 7092" "--lport 7092" "--rport 7092" "--all"; do
        # shellcheck disable=SC2086 # options
        trace_start --layer "$LAYERS" $how
        in_ns timeout "$LIMIT" "$PROGS/pair" v4 </dev/null >/dev/null 3>&-
        in_ns timeout "$LIMIT" socat -u TCP-LISTEN:7092,reuseaddr OPEN:"$BATS_TEST_TMPDIR/got",creat </dev/null 3>&- &
        HELPERS+=("$!")
        until_true eval 'in_ns ss -Hltn | grep -q ":7092 "'
        echo hello | in_ns timeout "$LIMIT" socat -u STDIN TCP:127.0.0.1:7092 3>&-
        wait "${HELPERS[-1]}"
        trace_stop
        sound
        echo "# $how"
        case $how in
        "-n pair") same programs pair "$(q -u -o comm kind=state comm!=)" ;;
        "--all") # and whoever else is at work on this machine
            expect_some kind=state comm=pair
            expect_some kind=state comm=socat
            ;;
        *) same programs socat "$(q -u -o comm kind=state comm!=)" ;;
        esac
        expect_some kind=segment flags=SYN
    done
}

# What ./trace says of a run without its calls, in text and as verdicts.
said() { # PROGRAM SCENARIO
    trace_raw --layer "$LAYERS" -w "$BATS_TEST_TMPDIR/rec" -- "$PROGS/$1" "$2"
    "$TRACE" show "$BATS_TEST_TMPDIR/rec" >"$BATS_TEST_TMPDIR/text"
    "$TRACE" explain "$BATS_TEST_TMPDIR/rec" >"$BATS_TEST_TMPDIR/why"
    rm "$BATS_TEST_TMPDIR/rec"
}

@test "without calls: nothing is concluded from a call that was not seen" {
    said closing linger
    grep -q 'cut off by RST' "$BATS_TEST_TMPDIR/text"
    lacks 'rst-aborted|rst-linger|bounds-tally' why text
    said closing unread
    grep -q 'rst-unread' "$BATS_TEST_TMPDIR/why"
    said udp boundaries
    grep -Eq '[1-9][0-9]* datagrams? sent \([0-9]+ B\); what was read is not known' "$BATS_TEST_TMPDIR/text"
    lacks 'lost on the way|unread|cut off|residual' text
    grep -q '^0 verdicts' "$BATS_TEST_TMPDIR/why"
    said why_pipe left
    grep -q 'B queued to send' "$BATS_TEST_TMPDIR/text"
    lacks ' -[0-9]+ B' text
    said inout file
    lacks residual text
    grep -q 'written = .* read; balanced' "$BATS_TEST_TMPDIR/text"
}

@test "without calls: what came to an AF_UNIX connection before accept() is one conversation with the rest" {
    cat >"$BATS_TEST_TMPDIR/late.py" <<'END'
import os, socket, sys
path = sys.argv[1]
ls = socket.socket(socket.AF_UNIX); ls.bind(path); ls.listen(1)
c = socket.socket(socket.AF_UNIX); c.connect(path); c.sendall(b"x" * 10)
s, _ = ls.accept(); c.sendall(b"y" * 5)
assert len(s.recv(15, socket.MSG_WAITALL)) == 15
s.sendall(b"z" * 7); assert len(c.recv(7, socket.MSG_WAITALL)) == 7
END
    trace_raw --all -n 'python*' --layer "$LAYERS" -o "$BATS_TEST_TMPDIR/text" -- \
        python3 "$BATS_TEST_TMPDIR/late.py" "$BATS_TEST_TMPDIR/sock"
    same "conversations" 1 "$(grep -c '^== #.* unix' "$BATS_TEST_TMPDIR/text")"
    grep -q '15 B written = 15 read; balanced' "$BATS_TEST_TMPDIR/text"
    grep -q '7 B written = 7 read; balanced' "$BATS_TEST_TMPDIR/text"
}

@test "without the wire layer no number of segments is told" {
    trace_raw --layer app,kernel -o "$BATS_TEST_TMPDIR/text" -- "$PROGS/pair" v4
    grep -q '1 call wrote, 1 call read' "$BATS_TEST_TMPDIR/text"
    lacks segment text
}

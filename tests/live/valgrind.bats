#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it is about the tracer, not the kernel.
# A live run under valgrind: no read of what nobody wrote, none behind an end, and nothing left behind.

load helper

# trace_run under memcheck. It says of many bpf() commands that it does not know them, and then lets them pass.
watched() { # ARGUMENT...
    local log=$BATS_TEST_TMPDIR/valgrind
    status=0
    in_ns timeout -k 2 110 valgrind -q --error-exitcode=99 --leak-check=full --child-silent-after-fork=yes \
        --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
        --num-callers=30 --suppressions="$LIVE/valgrind.supp" --log-file="$log" "$TRACE" "$@" \
        >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" </dev/null 3>&- || status=$?
    if [ "$status" != 0 ] || grep -qv 'WARNING: unhandled eBPF command' "$log"; then
        echo "status $status; valgrind says:"
        grep -v 'WARNING: unhandled eBPF command' "$log"
        return 1
    fi
}

@test "valgrind: the C pair, recorded, with its text" {
    watched -w "$BATS_TEST_TMPDIR/rec" --text -- "$PROGS/pair" v4
    grep -q 'closed in order' "$BATS_TEST_TMPDIR/stderr"
    "$TRACE" show --json "$BATS_TEST_TMPDIR/rec" >"$OUT"
    sound
}

@test "valgrind: the C pair, recorded, with its JSON" {
    watched -w "$BATS_TEST_TMPDIR/rec" --json -o "$OUT" -- "$PROGS/pair" v4
    sound
    "$TRACE" show --json "$BATS_TEST_TMPDIR/rec" | cmp - "$OUT"
}

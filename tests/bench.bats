#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The benchmark measures what it says: every call of its loads is seen, nothing is lost, each condition has its figures.
# No time is asserted.

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    export PYTHONDONTWRITEBYTECODE=1
    if [ ! -x "$TOP/.output/tests/bench/work" ]; then
        echo "run make test-programs first" >&2
        return 1
    fi
}

bench() { # OPTIONS...
    "$TOP/tests/bench/run" --humble --rounds 1 --ms 20 --out "$BATS_TEST_TMPDIR" "$@" >"$BATS_TEST_TMPDIR/page" \
        2>"$BATS_TEST_TMPDIR/said" || { cat "$BATS_TEST_TMPDIR/said"; return 1; }
}

# Prints the value of a Python expression over the results, `r`.
result() { # EXPRESSION
    python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
        "$BATS_TEST_TMPDIR/results.json" "$1"
}

same() { # WHAT EXPECTED GOT
    if [ "$2" != "$3" ]; then
        echo "$1: expected '$2', got '$3'"
        return 1
    fi
}

@test "bench: ./trace sees every call of a load, whatever its output, and loses none" {
    bench --only-rounds --loads 'pingpong, one core' --tracers 'trace*'
    for tracer in "trace -w" "trace -w --layer app" "trace --json" "trace, text and -w"; do
        same "$tracer: all calls" True \
            "$(result "r['tracers']['$tracer']['calls_made'] == r['tracers']['$tracer']['calls_seen'] > 100")"
    done
    same lost "[0, 0, 0, 0, 0, 0]" "$(result "[t['lost'] for t in r['tracers'].values()]")"
    same "conditions with events" 6 "$(result "sum(t['events'] > 100 for t in r['tracers'].values())")"
}

@test "bench: strace, the peer, sees the same calls" {
    bench --only-rounds --loads churn --tracers strace
    same "all calls" True "$(result "r['tracers']['strace']['calls_made'] == r['tracers']['strace']['calls_seen'] > 10")"
}

@test "bench: neighbours are measured beside a tracer that looks at somebody else" {
    bench --only-rounds --loads 'neighbour*' --tracers 'trace -w'
    same loads "['neighbour getppid', 'neighbour read']" "$(result "list(r['loads'])")"
    same "events" 0 "$(result "r['tracers']['trace -w']['events']")"
    same "a ratio of each" 2 "$(result "sum(l['tracers']['trace -w']['ratio']['median'] > 0 for l in r['loads'].values())")"
}

@test "bench: the page has programs and reading" {
    bench --quick --loads 'pingpong, one core' --tracers 'trace -w'
    grep -q '^| sock_send_length__tp | 2.0 | [0-9]* |$' "$BATS_TEST_TMPDIR/page"
    same "events of 10,000 round trips" True "$(result "r['reading']['events'] > 100000")"
    grep -q '^| show | ' "$BATS_TEST_TMPDIR/page"
    cmp "$BATS_TEST_TMPDIR/page" <(cat "$BATS_TEST_TMPDIR/RESULTS.md"; echo)
}

@test "bench: a load does the operations it is asked for" {
    for mode in pingpong bulk1k bulk64k churn crowd getppid read; do
        run sh -c "echo | '$TOP/.output/tests/bench/work' $mode -n 48 -c 16"
        same "$mode" 0 "$status"
        case ${lines[1]} in
        "ops 48 ns "*) ;;
        *)
            echo "$mode: $output"
            return 1
            ;;
        esac
    done
}

@test "bench: hooks on system calls are measured, or it is said why not" {
    run "$TOP/.output/tests/bench/hooks" 1
    same "status" 0 "$status"
    grep -Eq $'^none \\(noise\\)\t0\t[0-9.]+\t[0-9.]+\t[0-9]+\t[0-9]+$' <<<"$output"
    grep -Eq $'^sys_enter and sys_exit\t2\t' <<<"$output"
    grep -Eq $'^one by one\t7[0-9]\t' <<<"$output"
    grep -Eq $'^fentry and fexit, one by one\t(7[0-9]\t|program for .*: .+)' <<<"$output"
}

@test "bench: each choice of layers has its ratio under three loads" {
    same "rows and columns" "7 5" "$(python3 - "$TOP/tests/bench" "$BATS_TEST_TMPDIR" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import layers, report
layers.ROUNDS = 1
rows = report.layers({"layers": layers.cost(sys.argv[2], 20)}).strip().split("\n")[2:]
print(len(rows), rows[-1].count("|") - 1)
END
    )"
}

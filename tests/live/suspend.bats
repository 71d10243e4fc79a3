#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: what it counts is the same everywhere, and an emulated machine is too slow to lose anything.
# A tracer that stands still for two seconds: what it missed is counted to the last event, and its programs never
# wait for it. A witness in the kernel counts the same kinds on its own.

load helper

# Start the witness; its lines come when standard input, the hold "count", ends.
count_start() {
    hold count
    INPUT=$BATS_TEST_TMPDIR/count background "$BATS_TEST_TMPDIR/counted" "$WITNESSES/count" load
    COUNT_PID=$BG
    until_line "$BATS_TEST_TMPDIR/counted" ready
}

count_end() {
    let_go count
    wait "$COUNT_PID"
    same "calls the witness missed" 0 "$(counted calls_missed)"
}

counted() { # KIND
    awk -v kind="$1" '$1 == kind { print $2 }' "$BATS_TEST_TMPDIR/counted"
}

lines() {
    wc -l <"$BATS_TEST_TMPDIR/stdout"
}

# The load goes on: as many further lines of it.
until_more() { # LINES
    local goal=$(($(lines) + $1))
    until_true eval "[ \"\$(lines)\" -ge $goal ]"
}

# Trace a load at full speed, with the tracer stopped in the middle of it for two seconds.
suspended_run() { # OPTIONS...
    local end
    count_start
    hold go
    INPUT=$BATS_TEST_TMPDIR/go trace_spawn "$@" -- "$PROGS/load" busy
    until_more 3
    kill -STOP "$TRACE_PID"
    end=$((SECONDS + 2))
    until_more 10
    until_true eval "[ \$SECONDS -gt $end ]"
    until_more 10
    kill -CONT "$TRACE_PID"
    until_more 3
    let_go go
    trace_wait
    same status 0 "$status"
    count_end
}

WAITING_ENDS=16384 # LATE_MAX of bpf/config.h: a fast machine ends more in the two seconds

# For each kind: what was seen and what was lost is what the kernel produced.
all_accounted() {
    local kind seen lost most
    for kind in call state destroy data_ready segment; do
        seen=$(seen_of "$kind")
        lost=$(lost_of "$kind")
        echo "$kind: $seen seen, $lost lost, $(counted "$kind") produced"
        same "$kind seen and lost" "$(counted "$kind")" $((seen + lost))
    done
    most=$(($(counted destroy) - WAITING_ENDS))
    at_most "lost ends: they wait elsewhere" "$((most > 0 ? most : 0))" "$(lost_of destroy)"
    [ "$(lost_of call)" -gt 0 ]
    [ "$(lost_of segment)" -gt 0 ]
}

# "call 12, segment 7" of a file's last line, as "call 12" and so on, sorted.
lost_in_text() {
    tail -1 "$1" | sed -E 's/^.*, [0-9]+ lost \((.*)\)$/\1/; s/, /\n/g' | sort
}

@test "suspend: two seconds at full speed: what was seen and what was lost is what the kernel produced" {
    cd "$BATS_TEST_TMPDIR"
    suspended_run -w rec
    seen_of() {
        if [ "$1" = call ]; then sql "SELECT count(*) FROM call"; else
            sql "SELECT count(*) FROM event WHERE kind = '$1'"; fi
    }
    lost_of() { sql "SELECT coalesce(sum(lost), 0) FROM loss WHERE kind = '$1'"; }
    all_accounted

    # The screen, JSON and the tables say the same numbers.
    "$TRACE" show rec >text
    "$TRACE" show --json rec --layer kernel | tail -1 >"$OUT"
    sql "SELECT kind || ' ' || sum(lost) FROM loss GROUP BY kind ORDER BY kind" >tables
    diff tables <(lost_in_text text)
    diff tables <(q -o lost_by_kind type=trailer | tr -d '{}"' | tr ':,' ' \n' | sort)
    same "lost in all" "$(awk '{ n += $2 } END { print n }' tables)" "$(one lost type=trailer)"
    "$TRACE" query rec "SELECT 1" 2>&1 >one | grep -q "$(one lost type=trailer) events were lost"
    grep -Eq '^!! [0-9]+ events were lost here' text

    # The gap stands where it begins, and behind it nothing is called proved any more.
    [ "$(sql "SELECT count(*) FROM verdict WHERE t_ns < (SELECT min(t_ns) FROM loss) AND certainty = 'proved'")" -gt 0 ]
    [ "$(sql "SELECT count(*) FROM verdict WHERE t_ns > (SELECT min(t_ns) FROM loss)")" -gt 0 ]
    same "proved behind a gap" 0 \
        "$(sql "SELECT count(*) FROM verdict WHERE t_ns > (SELECT min(t_ns) FROM loss) AND certainty = 'proved'")"
}

@test "suspend: the same with the smallest buffer, as JSON" {
    suspended_run --buffer 1 --json -o "$OUT"
    seen_of() {
        if [ "$1" = call ]; then
            echo $(($(q -c kind=call phase=exit) + $(q -c kind=call phase=point)))
        else
            q -c kind="$1"
        fi
    }
    lost_of() { q -o "lost_by_kind.$1" type=trailer | sed 's/^-$/0/'; }
    all_accounted
    expect_some kind=lost
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it is about the tracer, its files and its disk, not the kernel.
# What goes wrong around a trace: it is killed, the disk is full, the reader leaves, a traced program is killed.

load helper

REC() {
    echo "$BATS_TEST_TMPDIR/rec"
}

# --- the tracer is killed ---

nothing_left() {
    python3 "$LIVE/left.py" "$BATS_TEST_TMPDIR/before" >"$BATS_TEST_TMPDIR/left"
}

# Traffic that ends when the test lets go of it.
traffic() {
    hold traffic
    background "$BATS_TEST_TMPDIR/traffic.out" bash -c '
        exec 8<"$1"
        until read -r -t 0 -u 8; do "$0" v4; done' "$PROGS/pair" "$BATS_TEST_TMPDIR/traffic"
}

# After a kill: nothing in the kernel, and the recording is one, up to the cut, and says so.
after_kill() { # WHEN
    local complaint
    until_true nothing_left || {
        echo "left after $1:"
        cat "$BATS_TEST_TMPDIR/left"
        return 1
    }
    [ -e "$(REC)" ] || return 0
    status=0
    "$TRACE" show "$(REC)" --json >"$BATS_TEST_TMPDIR/shown" 2>"$BATS_TEST_TMPDIR/show.err" || status=$?
    complaint=$(cat "$BATS_TEST_TMPDIR/show.err")
    if [ "$status" != 0 ] || [ -n "$complaint" ]; then # else it had just been finished
        same "status of show after $1, saying $complaint" 125 "$status"
        grep -Eq '^trace: .* is (cut short after [0-9]+ events; .*record again|empty: tracing was ended)' \
            <<<"$complaint" || {
            echo "after $1: $complaint"
            return 1
        }
    fi
    python3 -c 'import json, sys; [json.loads(l) for l in sys.stdin]' <"$BATS_TEST_TMPDIR/shown"
}

@test "faults: killed at chosen system calls, from the first to the last, it leaves nothing behind" {
    local at seconds
    traffic
    for at in bpf:1 bpf:25 bpf:60 bpf:100 capset:1 capset:2 write:1 clock_nanosleep:3 clock_nanosleep:40 \
        pwrite64:1 exit_group:1; do
        python3 "$LIVE/left.py" >"$BATS_TEST_TMPDIR/before"
        rm -f "$(REC)"
        seconds=$LIMIT # until the call comes: one of the loop, or of the end
        case $at in pwrite64:* | exit_group:*) seconds=1 ;; esac
        in_ns timeout "$((LIMIT + 5))" strace -o "$BATS_TEST_TMPDIR/calls" -e trace=all \
            -e inject="${at%:*}:signal=SIGKILL:when=${at#*:}" \
            "$TRACE" -q -w "$(REC)" --duration "$seconds" >/dev/null 2>"$BATS_TEST_TMPDIR/stderr" 3>&- || true
        grep -q 'killed by SIGKILL' "$BATS_TEST_TMPDIR/calls" || {
            echo "$at never came: $(tail -3 "$BATS_TEST_TMPDIR/calls")"
            return 1
        }
        after_kill "the kill at $at"
    done
    let_go traffic
}

@test "faults: killed at random moments under traffic, the recording holds what was shown long before" {
    local round n
    traffic
    RANDOM=${SEED:-$$}
    echo "repeat with SEED=${SEED:-$$}"
    for round in 1 2 3 4 5 6; do
        python3 "$LIVE/left.py" >"$BATS_TEST_TMPDIR/before"
        rm -f "$(REC)" "$OUT"
        trace_start -w "$(REC)"
        n=$((RANDOM % 400 + 1))
        enough() { [ "$(grep -c '"kind"' "$OUT")" -ge "$n" ]; }
        until_true enough
        trace_stop KILL
        same status 137 "$status"
        after_kill "round $round, $n lines"
        same "status of show" 125 "$status"
        # What was shown live, as far as both go; the last moments before the cut are told as far as they are known.
        happened "$OUT" >"$BATS_TEST_TMPDIR/live.rows"
        happened "$BATS_TEST_TMPDIR/shown" >"$BATS_TEST_TMPDIR/shown.rows"
        python3 - "$BATS_TEST_TMPDIR"/{live,shown}.rows <<'END'
import sys
live, shown = (open(f).read().splitlines() for f in sys.argv[1:])
t_ns = lambda row: int(row.split(",")[1].split(":")[1])
sure = [row for row in shown if t_ns(row) < t_ns(shown[-1]) - 100_000_000]
n = min(len(live), len(sure))
assert live[:n] == sure[:n], next((a, b) for a, b in zip(live, sure) if a != b)
print(n, "rows compared")
END
    done
    let_go traffic
}

# What was seen to happen, in order; the last line may be cut. What the end concludes is left out.
happened() { # FILE
    grep -a '"id":' "$1" | grep -av '"kind":"\(summary\|verdict\)"' | head -n -1 | cut -d, -f1-4
}

@test "faults: killed before tracing begins, COMMAND never runs; killed later, it goes on" {
    in_ns timeout "$LIMIT" strace -o "$BATS_TEST_TMPDIR/calls" -e trace=bpf -e inject=bpf:signal=SIGKILL:when=60 \
        "$TRACE" -q -o /dev/null -- touch "$BATS_TEST_TMPDIR/ran" 2>/dev/null 3>&- || true
    grep -q 'killed by SIGKILL' "$BATS_TEST_TMPDIR/calls"
    none() { [ -z "$(ip netns pids "$NS")" ]; }
    until_true none
    [ ! -e "$BATS_TEST_TMPDIR/ran" ]
    hold go
    INPUT=$BATS_TEST_TMPDIR/go trace_start -- sh -c 'echo up; read -r line; echo "$line" >"$0"' "$BATS_TEST_TMPDIR/ran"
    until_line "$BATS_TEST_TMPDIR/stdout" up
    trace_stop KILL
    echo alive >"$BATS_TEST_TMPDIR/go"
    until_line "$BATS_TEST_TMPDIR/ran" alive
}

# --- the disk is full ---

# A shell with a file system of 64 KiB at $PWD/disk, which nobody else sees.
on_small_disk() { # SCRIPT
    mkdir -p "$BATS_TEST_TMPDIR/disk"
    status=0
    (cd "$BATS_TEST_TMPDIR" && in_ns unshare --mount --propagation unchanged timeout "$LIMIT" bash -c '
        mount --make-rprivate / 2>/dev/null
        mount -t tmpfs -o size=64k none disk
        eval "$0"' "$1") >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" 3>&- || status=$?
}

one_complaint() { # REGEX
    same "lines on standard error: $(cat "$BATS_TEST_TMPDIR/stderr")" 1 "$(wc -l <"$BATS_TEST_TMPDIR/stderr")"
    grep -Eq "^trace: $1" "$BATS_TEST_TMPDIR/stderr" || {
        cat "$BATS_TEST_TMPDIR/stderr"
        return 1
    }
}

@test "faults: a disk that fills up ends tracing, keeps what was written, and COMMAND goes on" {
    local way
    for way in '-w disk/out' '-o disk/out' '--json -o disk/out' '--json >disk/out'; do
        LIVE_ROUNDS=3000 on_small_disk '"$TRACE" -q '"$way"' -- sh -c "\"$PROGS/pair\" burst </dev/null >pair; exit 3"
            code=$?; cp disk/out kept; exit $code'
        same "status with $way" 125 "$status"
        one_complaint "cannot write '(disk/out|standard output)': No space left on device; what was written until then is kept"
        grep -q "done" "$BATS_TEST_TMPDIR/pair"
        [ -s "$BATS_TEST_TMPDIR/kept" ]
        rm "$BATS_TEST_TMPDIR/pair"
    done
}

@test "faults: an export or a question that finds no room leaves nothing behind" {
    LIVE_ROUNDS=3000 trace_raw -q -w "$(REC)" -- "$PROGS/pair" burst
    same status 0 "$status"
    for format in sqlite jsonl; do
        on_small_disk '"$TRACE" export rec --to '"$format"' -o disk/out; code=$?; ls disk >left; exit $code'
        same "status of $format" 125 "$status"
        grep -Eq 'No space left|full' "$BATS_TEST_TMPDIR/stderr"
        same "files left" '' "$(cat "$BATS_TEST_TMPDIR/left")"
    done
    on_small_disk 'TMPDIR=$PWD/disk "$TRACE" explain - <rec'
    same status 125 "$status"
    one_complaint "cannot keep a copy of '-': No space left on device; write it to a file and name that"
}

# --- the reader leaves ---

@test "faults: a reader that leaves ends tracing silently; COMMAND goes on" {
    cd "$BATS_TEST_TMPDIR"
    in_ns timeout "$LIMIT" bash -c '"$TRACE" -q --json -w rec -- sh -c "\"$PROGS/pair\" burst </dev/null >pair; exit 3" |
        head -1 >first; exit "${PIPESTATUS[0]}"' 2>stderr 3>&- || status=$?
    same status 3 "$status"
    same "on standard error" '' "$(cat stderr)"
    same "lines read" 1 "$(wc -l <first)"
    grep -q "done" pair
    "$TRACE" show rec >/dev/null 2>show.err
    same "complaints about the recording" '' "$(cat show.err)"
}

@test "faults: a reader that reads nothing does not hold a signal up" {
    hold pipe
    STDOUT=$BATS_TEST_TMPDIR/pipe trace_spawn -q --json -w "$(REC)"
    in_write() { grep -Eq '^(1|64) ' "/proc/$TRACE_PID/syscall"; }
    full() { LIVE_ROUNDS=100 in_ns "$PROGS/pair" burst </dev/null >/dev/null && in_write; }
    until_true full
    trace_stop TERM
    same status 125 "$status"
    one_complaint "the end of the output is missing: nobody took it when tracing was to end"
    "$TRACE" show "$(REC)" >/dev/null
}

# --- a traced program is killed ---

@test "faults: a program killed while it sends: the kernel closes for it, and the sums are right" {
    hold hold
    trace_start
    INPUT=$BATS_TEST_TMPDIR/hold background "$BATS_TEST_TMPDIR/blocked.out" "$PROGS/blocked" send
    until_event call=sendto phase=enter
    victim=$(one pid call=sendto phase=enter)
    kill -KILL "$victim"
    until_event call=close phase=point by=exit pid="$victim"
    let_go hold
    until_event kind=proc what=exit pid="$(one pid call=accept phase=exit)"
    trace_stop INT
    same status 0 "$status"
    sound
    # What the call had copied before the kill stays written; nobody read all of it.
    same "bytes of sends, and of the summary" "$(sum ret call=sendto phase=exit pid="$victim" "ret>0")" \
        "$(ending "$(one sock call=connect phase=exit)" | cut -d' ' -f1)"
}

@test "faults: a program killed while it connects: the attempt ends, and did not succeed" {
    joined_namespace
    in_there nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in tcp dport 9 drop'
    trace_start --port 9
    background "$BATS_TEST_TMPDIR/connect.out" python3 -c 'import socket; socket.create_connection(("10.9.0.2", 9))'
    until_event call=connect phase=enter addr=10.9.0.2:9
    kill -KILL "$BG"
    until_event call=close phase=point by=exit pid="$BG"
    trace_stop INT
    same status 0 "$status"
    sound
    expect_count 0 call=connect phase=exit pid="$BG" ret=0
    expect_some kind=state pid="$BG" old_state=SYN_SENT new_state=CLOSE
}

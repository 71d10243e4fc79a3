#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it is about recordings, not the kernel.
# The recording: what was shown live is what is shown again.

load helper

REC() {
    echo "$BATS_TEST_TMPDIR/rec"
}

show() { # OPTIONS...: status in $status, outputs in files
    status=0
    timeout "$LIMIT" "$TRACE" show "$(REC)" "$@" >"$BATS_TEST_TMPDIR/shown" \
        2>"$BATS_TEST_TMPDIR/show.err" </dev/null 3>&- || status=$?
}

same_bytes() { # FORMAT-OPTION PROGRAM...
    local format=$1
    shift
    rm -f "$(REC)"
    trace_raw ${format:+"$format"} -o "$BATS_TEST_TMPDIR/live" -w "$(REC)" -- "$@"
    same "status of $*" 0 "$status"
    show ${format:+"$format"}
    same "status of show for $*" 0 "$status"
    [ -s "$BATS_TEST_TMPDIR/live" ]
    diff -u "$BATS_TEST_TMPDIR/live" "$BATS_TEST_TMPDIR/shown" | head -40
    cmp "$BATS_TEST_TMPDIR/live" "$BATS_TEST_TMPDIR/shown"
}

each_program() { # FORMAT-OPTION
    same_bytes "$1" "$PROGS/pair" v4
    same_bytes "$1" "$PROGS/pair" bulk
    same_bytes "$1" "$PROGS/forking"
    same_bytes "$1" "$PROGS/udp" drop
    same_bytes "$1" "$PROGS/closing" unread
    same_bytes "$1" "$PROGS/unix" pass
    same_bytes "$1" "$PROGS/threads" share
    same_bytes "$1" "$PROGS/waiting" epoll
}

@test "record: live text and shown text are the same bytes" {
    each_program ""
}

@test "record: live JSON and shown JSON are the same bytes" {
    each_program --json
}

@test "record: the same bytes when a call blocked and showed early" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -w "$(REC)" -- "$PROGS/blocked" send
    until_event call=sendto phase=enter
    let_go hold
    trace_wait
    show --json
    cmp "$OUT" "$BATS_TEST_TMPDIR/shown"
}

@test "record: no root is needed to show" {
    trace_raw -o "$BATS_TEST_TMPDIR/live" -w "$(REC)" -- "$PROGS/pair" v4
    public_dir
    cp "$TRACE" "$PUBLIC/trace"
    chmod 755 "$PUBLIC/trace"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$PUBLIC/trace" show - <"$(REC)" \
        >"$BATS_TEST_TMPDIR/shown"
    cmp "$BATS_TEST_TMPDIR/live" "$BATS_TEST_TMPDIR/shown"
}

@test "record: a killed tracer leaves a recording that can be read" {
    hold hold
    INPUT=$BATS_TEST_TMPDIR/hold trace_start -w "$(REC)" -- "$PROGS/blocked" recv
    until_event call=recvfrom phase=enter role=client
    shown_recv() {
        show --json
        python3 "$LIVE/q.py" "$BATS_TEST_TMPDIR/shown" -c call=recvfrom phase=enter | grep -qv '^0$'
    }
    until_true shown_recv
    kill -KILL "$TRACE_PID"
    trace_wait
    show
    same "status of show" 125 "$status"
    grep -q 'connect(' "$BATS_TEST_TMPDIR/shown"
    grep -Eq 'is cut short after [1-9][0-9]* events; .*record again' "$BATS_TEST_TMPDIR/show.err"
}

happened() { # FILE
    python3 "$LIVE/q.py" "$1" -o t_ns,kind,phase,call,fd,ret,len,flags,new_state id kind!=summary
}

@test "record: cut anywhere, it is shown up to the cut" {
    local size at
    trace_raw --json -o "$BATS_TEST_TMPDIR/live" -w "$(REC)" -- "$PROGS/pair" v4
    size=$(stat -c %s "$(REC)")
    cp "$(REC)" "$BATS_TEST_TMPDIR/whole"
    for at in $((size - 1)) $((size / 2)) $((size / 3 + 1)) $((size / 7)) 100 20 7 0; do
        head -c "$at" "$BATS_TEST_TMPDIR/whole" >"$(REC)"
        show --json
        if [ "$status" -ne 125 ]; then
            echo "cut at $at of $size: status $status"
            cat "$BATS_TEST_TMPDIR/show.err"
            return 1
        fi
        # Nothing is shown that did not happen; what a call had not told yet is not known.
        happened "$BATS_TEST_TMPDIR/live" >"$BATS_TEST_TMPDIR/live.rows"
        if happened "$BATS_TEST_TMPDIR/shown" | grep -vxFf "$BATS_TEST_TMPDIR/live.rows"; then
            echo "cut at $at of $size: these are new"
            return 1
        fi
    done
}

@test "record: what is no recording is refused in one sentence" {
    echo "this is no recording, whatever its name says" >"$(REC)"
    show
    same status 125 "$status"
    same "lines on standard error" 1 "$(wc -l <"$BATS_TEST_TMPDIR/show.err")"
    [ ! -s "$BATS_TEST_TMPDIR/shown" ]
}

@test "record: the file is private and belongs to the user behind sudo" {
    public_dir
    chown 65534:65534 "$PUBLIC"
    SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody trace_raw -o "$PUBLIC/text" -w "$PUBLIC/rec" -- true
    same status 0 "$status"
    same "recording: owner and mode" "65534 65534 600" "$(stat -c '%u %g %a' "$PUBLIC/rec")"
    same "text: owner" "65534 65534" "$(stat -c '%u %g' "$PUBLIC/text")"
}

@test "record: a file that cannot be written is refused before anything runs" {
    trace_raw -w "$BATS_TEST_TMPDIR/no/such/dir" -- touch "$BATS_TEST_TMPDIR/ran"
    same status 125 "$status"
    [ ! -e "$BATS_TEST_TMPDIR/ran" ]
    grep -q no/such/dir "$BATS_TEST_TMPDIR/stderr"
}

@test "record: a layer that was not asked for is not recorded" {
    local layer
    for layer in wire kernel; do
        rm -f "$(REC)"
        trace_raw --layer "$layer" -w "$(REC)" -- "$PROGS/pair" v4
        same "status with $layer" 0 "$status"
        show --json --layer app,kernel,wire
        same "status of show with $layer" 0 "$status"
        OUT=$BATS_TEST_TMPDIR/shown
        expect_count 0 kind=call
        expect_some layer="$layer" kind!=summary
    done
}

# The enumerators of this kernel's enum as bpftool reads them: TABLE.VALUE NAME, without the prefix.
reasons_of() { # ENUM TABLE
    bpftool btf dump file /sys/kernel/btf/vmlinux format raw |
        awk -v type="'$1'" -v table="$2" -v prefix="^'${1^^}_" '
            /^\[/ { inside = $2 == "ENUM" && $3 == type && !seen; seen = seen || inside; next }
            inside { sub(prefix, "", $1); sub("^\047", "", $1); sub("\047$", "", $1)
                     sub("val=", "", $2); print table "." $2, $1 }'
}

@test "record: why segments are dropped and connections reset has this kernel's own names" {
    trace_raw -w "$(REC)" -- true
    same status 0 "$status"
    reasons_of sk_rst_reason rst_reason >"$BATS_TEST_TMPDIR/want"
    reasons_of skb_drop_reason drop_reason >>"$BATS_TEST_TMPDIR/want"
    grep -q '^drop_reason.2 NOT_SPECIFIED$' "$BATS_TEST_TMPDIR/want"
    tr '\0' ' ' <"$(REC)" | grep -aoE '(rst|drop)_reason\.[0-9]+ [A-Z0-9_]+' |
        diff -u "$BATS_TEST_TMPDIR/want" -
}

# SPDX-License-Identifier: MIT
# What every live test uses: its own network namespace, a tracer that says when it is ready, and
# questions to the JSON it wrote. Nothing here sleeps for a fixed time.

LIMIT=20 # seconds any single wait may take

setup() {
    NS=sl-$$-$BATS_TEST_NUMBER
    NS2=
    OTHER_NS=()
    PUBLIC=
    OUT=$BATS_TEST_TMPDIR/out.json
    TRACE_PID=
    HELPERS=()
    declare -gA HELD=()
    export LIVE_PATH=$BATS_TEST_TMPDIR/s
    ip netns add "$NS"
    in_ns ip link set lo up
    mkfifo "$BATS_TEST_TMPDIR/ready"
}

teardown() {
    local pid ns
    if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -s "$OUT" ]; then
        echo "--- the run, as traced:"
        python3 "$LIVE/story.py" "$OUT" || tail -3 "$OUT"
    fi
    for pid in $TRACE_PID "${HELPERS[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    if [ -n "$PUBLIC" ]; then
        rm -rf "$PUBLIC"
    fi
    for ns in "$NS" "${OTHER_NS[@]}"; do
        [ ! -e "/run/netns/$ns" ] || end_namespace "$ns"
    done
}

# Whatever a test started inside its own namespace ends with it.
end_namespace() { # NAME
    local pid
    for pid in $(ip netns pids "$1"); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    ip netns del "$1"
}

# One more that ends with the test, its loopback up.
add_namespace() { # NAME
    ip netns add "$1"
    OTHER_NS+=("$1")
    nsenter --net="/run/netns/$1" -- ip link set lo up
}

# A second namespace, joined to the first by nothing.
second_namespace() {
    NS2=$NS-b
    add_namespace "$NS2"
}

# A second namespace, $NS2, joined to ours by a veth pair: 10.9.0.1 here, 10.9.0.2 there. in_there runs there.
joined_namespace() {
    second_namespace
    in_ns ip link add name left type veth peer name right netns "$NS2"
    in_ns ip addr add 10.9.0.1/24 dev left
    in_there ip addr add 10.9.0.2/24 dev right
    in_ns ip link set left up
    in_there ip link set right up
}

in_there() {
    nsenter --net="/run/netns/$NS2" -- "$@"
}

# A directory that other users can enter; the test's own is root's. Removed with the test.
public_dir() {
    PUBLIC=$(mktemp -d /tmp/live.XXXXXX)
    chmod 755 "$PUBLIC"
}

# Run a command in the test's network namespace. (ip -n and ip netns exec would also change mounts.)
in_ns() {
    nsenter --net="/run/netns/$NS" -- "$@"
}

# trace_run [OPTIONS] -- COMMAND: trace a command to its end. $status is the tracer's, the JSON is $OUT,
# the two outputs are files beside it. The run must be sound: see sound.py.
trace_run() {
    trace_raw --json -o "$OUT" "$@"
    # What calls a program of the tracer while that is interrupted is left out by the kernel (prog->active), and counted.
    # That is chance, a few times in a thousand runs; twice in a row it is not.
    if tail -n 1 "$OUT" 2>/dev/null | grep -q '"lost":[1-9]'; then
        trace_raw --json -o "$OUT" "$@"
    fi
    if [ "$status" -ge 124 ] && [ -z "${EXPECT_STATUS:-}" ]; then
        echo "the tracer or the command failed: status $status"
        cat "$BATS_TEST_TMPDIR/stderr"
        return 1
    fi
    sound
}

# As trace_run, without a format and without checks.
trace_raw() {
    status=0
    in_ns timeout -k 2 "$LIMIT" "$TRACE" "$@" >"$BATS_TEST_TMPDIR/stdout" \
        2>"$BATS_TEST_TMPDIR/stderr" </dev/null 3>&- || status=$?
}

# trace_start [OPTIONS] [-- COMMAND]: start a tracer and return when it is attached.
trace_start() {
    trace_spawn --json -o "$OUT" "$@"
}

# Any format: standard output and error are files; standard input is $INPUT, if that is set.
trace_spawn() {
    local ready line=
    exec {ready}<>"$BATS_TEST_TMPDIR/ready"
    (
        drop_holds
        exec {ready}>&-
        # A shell's background job ignores SIGINT; a tracer at a terminal does not.
        exec env --default-signal=INT,QUIT nsenter --net="/run/netns/$NS" -- "$TRACE" --ready-fd 9 \
            "$@" 9>"$BATS_TEST_TMPDIR/ready"
    ) >"${STDOUT:-$BATS_TEST_TMPDIR/stdout}" 2>"$BATS_TEST_TMPDIR/stderr" \
        <"${INPUT:-/dev/null}" 3>&- &
    TRACE_PID=$!
    if ! read -r -t "$LIMIT" -u "$ready" line || [ "$line" != ready ]; then
        echo "the tracer did not get ready: '$line'"
        cat "$BATS_TEST_TMPDIR/stderr"
        return 1
    fi
    exec {ready}>&-
}

# Send a signal (INT unless told) and wait for the tracer's end. $status is its exit status.
trace_stop() {
    kill "-${1:-INT}" "$TRACE_PID"
    trace_wait
}

trace_wait() {
    status=0
    wait "$TRACE_PID" || status=$?
    TRACE_PID=
}

# Start a command of the namespace in the background; its output goes to FILE. $BG is its pid.
background() { # FILE COMMAND...
    local file=$1
    shift
    (
        drop_holds
        exec nsenter --net="/run/netns/$NS" -- "$@"
    ) >"$file" 2>&1 <"${INPUT:-/dev/null}" 3>&- &
    BG=$!
    HELPERS+=("$BG")
}

# Trace a scenario and keep the tracer alive after it, to look at it: until kept_end.
kept_run() { # PROGRAM SCENARIO OPTIONS...
    local program=$1 scenario=$2
    shift 2
    hold end
    INPUT=$BATS_TEST_TMPDIR/end trace_spawn "$@" -- \
        sh -c '"$0" "$1" </dev/null && echo done && read -r x; exit 0' "$PROGS/$program" "$scenario"
    until_line "$BATS_TEST_TMPDIR/stdout" '^done'
}

kept_end() {
    let_go end
    trace_wait
    same status 0 "$status"
}

# What a SELECT over the large recording `rec` answers, a value a line. The tables are made once: that takes a while.
sql() { # SELECT
    [ -e rec.db ] || "$TRACE" export rec --to sqlite -o rec.db 2>"$BATS_TEST_TMPDIR/export.err"
    python3 -c 'import sqlite3, sys
for row in sqlite3.connect("rec.db").execute(sys.argv[1]): print("" if row[0] is None else row[0])' "$1"
}

# The kernel's numbers of what the tracer holds: map_id, prog_id.
held() { # KEY
    awk -v key="$1:" '$1 == key { print $2 }' "/proc/$TRACE_PID/fdinfo/"* 2>/dev/null | sort -un
}

# How many entries a map of the tracer has. (Other programs of the machine have sockets, too: some.)
entries() { # MAP
    local id
    for id in $(held map_id); do
        if bpftool map show id "$id" | head -1 | grep -q " name $1 "; then
            bpftool -j map dump id "$id" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'
            return
        fi
    done
    echo "the tracer has no map $1" >&2
    return 1
}

at_most() { # WHAT MOST GOT
    if [ "$3" -gt "$2" ]; then
        echo "$1: at most $2, got $3"
        return 1
    fi
}

# A standard input that ends when the test wants it: hold NAME makes it, $BATS_TEST_TMPDIR/NAME, and
# let_go NAME ends it. Background processes must not keep it open: drop_holds.
hold() { # NAME
    local fd
    mkfifo "$BATS_TEST_TMPDIR/$1"
    exec {fd}<>"$BATS_TEST_TMPDIR/$1"
    HELD[$1]=$fd
}

let_go() { # NAME...
    local name fd
    for name in "$@"; do
        fd=${HELD[$name]}
        exec {fd}>&-
        unset "HELD[$name]"
    done
}

drop_holds() {
    local fd
    for fd in "${HELD[@]}"; do
        exec {fd}>&-
    done
}

# Wait until a command succeeds.
until_true() {
    local end=$((SECONDS + LIMIT))
    until "$@"; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "did not become true: $*"
            return 1
        fi
    done
}

# A line of a file that is being written.
until_line() { # FILE REGEX
    until_true grep -Eqs "$2" "$1" || {
        cat "$1"
        return 1
    }
}

# --- questions to $OUT ---

# python3 SCRIPT ARG..., by answer.py, which setup_suite has started. The script's errors are printed, too.
ask() { # SCRIPT ARG...
    local IFS=$'\x1f' reply=$BATS_TEST_TMPDIR/answer.$BASHPID request status size text
    request="$PWD${IFS}$reply${IFS}$*"
    if [ "${#request}" -ge 4000 ] || [[ $request == *$'\n'* ]]; then # a line of a FIFO is whole up to PIPE_BUF
        python3 -S "$@"
        return
    fi
    [ -p "$reply" ] || mkfifo "$reply"
    printf '%s\n' "$request" >"$ASK"
    IFS=' '
    {
        read -r status size
        if [ "$size" -gt 4000 ]; then
            cat
        else
            IFS= read -r -N $((size + 1)) text || true # to the end of file: the FIFO may be used again
            printf '%s' "$text"
        fi
    } <"$reply"
    return "$status"
}

q() {
    ask "$LIVE/q.py" "$OUT" "$@"
}

# Wait until the growing file has such a line.
until_event() {
    q -w "$LIMIT" -c "$@" >/dev/null
}

# The one value of KEY among the lines that fit.
one() { # KEY CONDITION...
    local key=$1 values
    shift
    values=$(q -u -o "$key" "$@")
    if [ "$(grep -c . <<<"$values")" -ne 1 ] || [ "$values" = - ]; then
        echo "not one '$key' for: $*; found: ${values:-none}" >&2
        return 1
    fi
    echo "$values"
}

# The value of KEY in the last line that fits and has it.
last() { # KEY CONDITION...
    q -o "$1" "$@" | tail -1
}

# Exactly COUNT lines fit.
expect_count() { # COUNT CONDITION...
    local want=$1 got
    shift
    got=$(q -c "$@")
    if [ "$got" -ne "$want" ]; then
        echo "$got lines instead of $want for: $*"
        q "$@" | head -20
        return 1
    fi
}

# The rows of these keys are those on standard input; prints the difference.
expect_rows() { # KEYS CONDITION...
    local keys=$1
    shift
    if ! diff -u --label "expected ($keys)" --label "traced ($*)" - <(q -o "$keys" "$@"); then
        return 1
    fi
}

# sum KEY CONDITION...: added up over the lines that fit.
sum() {
    local key=$1
    shift
    q -o "$key" "$@" | awk '{ n += $1 } END { print n + 0 }'
}

# At least one line fits.
expect_some() { # CONDITION...
    if [ "$(q -c "$@")" -eq 0 ]; then
        echo "no line fits: $*"
        return 1
    fi
}

# The first line of one kind comes before the first of the other.
expect_before() { # "CONDITION..." "CONDITION..."
    local conditions first second
    read -ra conditions <<<"$1"
    first=$(q -o id "${conditions[@]}" | head -1)
    read -ra conditions <<<"$2"
    second=$(q -o id "${conditions[@]}" | head -1)
    if [ -z "$first" ] || [ -z "$second" ] || [ "$first" -ge "$second" ]; then
        echo "expected '$1' (id ${first:-none}) before '$2' (id ${second:-none})"
        return 1
    fi
}

# The run has this verdict. Conditions are of q.py, on a verdict's keys: certainty=proved role=server
expect_verdict() { # RULE CONDITION...
    local rule=$1
    shift
    if [ "$(q -v -c rule="$rule" "$@")" -eq 0 ]; then
        echo "no verdict $rule with: $*; verdicts of this run:"
        q -v -o rule,weight,certainty,role,cause
        return 1
    fi
}

# Wait until the growing file has it.
until_verdict() { # RULE CONDITION...
    local rule=$1
    shift
    q -v -w "$LIMIT" -c rule="$rule" "$@" >/dev/null
}

# How many verdicts of a rule the run has.
expect_verdicts() { # COUNT RULE CONDITION...
    local want=$1 rule=$2
    shift 2
    same "verdicts $rule" "$want" "$(q -v -c rule="$rule" "$@")"
}

# Nothing in the run looks like a fault.
expect_no_alarm() {
    if [ "$(q -v -c weight=alarm)" -ne 0 ]; then
        echo "false alarm:"
        q -v weight=alarm
        return 1
    fi
}

# Every verdict's evidence is in the run, and it belongs to a step before or among it.
expect_evidence() {
    ask "$LIVE/evidence.py" "$OUT"
}

# The key under which a summary tells the direction in which a socket sends.
direction() { # SOCK
    case $(one role sock="$1" "conn>0") in
    client) echo client_to_server ;;
    server) echo server_to_client ;;
    esac
}

# How the bytes ended that a socket sent: written, and where they are.
ending() { # SOCK
    local way
    way=$(direction "$1")
    q -o "$way.written,$way.unsent,$way.in_flight,$way.rcvq,$way.read,$way.destroyed,$way.discarded" \
        kind=summary conn="$(one conn sock="$1" "conn>0")"
}

# All of BYTES were read: nothing unsent, in flight, unread, destroyed or discarded.
expect_delivered() { # SOCK BYTES
    same "written, unsent, in flight, unread, read, destroyed, discarded" "$2 0 0 0 $2 0 0" \
        "$(ending "$1")"
}

same() { # WHAT WANTED GOT
    if [ "$2" != "$3" ]; then
        printf '%s: expected %q, got %q\n' "$1" "$2" "$3"
        return 1
    fi
}

# What must hold for every run, whatever was traced.
sound() {
    ask "$LIVE/sound.py" "$OUT"
    expect_evidence
}

# The same tests over recordings made elsewhere.
if [ -n "${STORIES-}" ]; then
    # shellcheck source=tests/vm/replay.bash
    source "$LIVE/../vm/replay.bash"
fi

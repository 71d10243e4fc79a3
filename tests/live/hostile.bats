#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it is about what is printed, not the kernel.
# Names that steer terminals and break formats, wherever a program or a user may choose one: no output tells
# them but escaped, and JSON tells their bytes. progs/hostile.c gives itself such names.

load helper

# Colour and title; what quotes; no UTF-8; C1 as UTF-8; direction turned around; characters that a cut at 15,
# 63 or 107 bytes divides; DEL, format strings and commands.
NAMES=(
    $'\e[31m\e]0;x\a'
    $'"\';,\\\n\r\t'
    $'\x9b2J\xff\xfe\x80'
    $'\xc2\x9b2J\xc2\x85'
    $'\xe2\x80\xae\xe2\x81\xa6x\xe2\x80\x8f'
    $'xy\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac\xe2\x82\xac'
    $'\x7f\x01%s%n`id`$(id)'
)

hex() {
    printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}

first() { # BYTES NAME: so much of it, in hex
    hex "$2" | head -c $((2 * $1))
}

clean() { # KIND FILE [CONDITION...]
    ask "$LIVE/clean.py" "$@"
}

# What ./trace prints, on both outputs, is clean. The exit status is $status.
prints() { # KIND ARGUMENT...
    local kind=$1
    shift
    status=0
    "$TRACE" "$@" >printed 2>messages </dev/null 3>&- || status=$?
    clean "$kind" printed
    [ ! -s messages ] || clean text messages
}

# One sentence with its remedy, and nothing else, whatever NAME holds.
refuses() { # REMEDY ARGUMENT...
    local remedy=$1
    shift
    status=0
    timeout "$LIMIT" "$TRACE" "$@" >printed 2>messages </dev/null 3>&- || status=$?
    same "bytes of output for $1" 0 "$(wc -c <printed)"
    [ "$status" -ge 125 ]
    clean text messages
    same "lines of message for $1" 1 "$(wc -l <messages)"
    grep -qE "^trace: .*$remedy" messages || {
        head -c 2000 messages
        return 1
    }
}

each_name() { # FUNCTION
    local name
    cd "$BATS_TEST_TMPDIR"
    for name in "${NAMES[@]}"; do
        "$1" "$name"
    done
}

# ./trace with the program that has this name everywhere.
run_hostile() { # NAME OPTIONS...
    local name=$1
    shift
    trace_raw "$@" -- "$PROGS/hostile" "$(hex "$name")"
    same "status for $(hex "$name")" 0 "$status"
    [ ! -s "$BATS_TEST_TMPDIR/stderr" ] || clean text "$BATS_TEST_TMPDIR/stderr"
}

# --- a live run ---

live_text() {
    run_hostile "$1" -o text
    clean text text
    run_hostile "$1"
    [ -s "$BATS_TEST_TMPDIR/stderr" ]
}

@test "hostile: live text, into a file and on standard error" {
    each_name live_text
}

live_json() {
    local name=$1
    run_hostile "$name" --json -o "$OUT"
    sound
    clean json "$OUT" "comm=$(first 15 "$name")" "path^$(hex "$name")" "node^$(first 63 "$name")" \
        "service^$(first 23 "$name")" "path^00$(hex "$name")"
}

@test "hostile: live JSON parses strictly and tells the bytes of every name" {
    each_name live_json
}

# COMMAND on a terminal of its own, in our namespace. A bare system has no /dev/pts: then one is mounted.
on_terminal() { # COMMAND
    if [ -e /dev/pts/ptmx ]; then
        in_ns script -qec "$1" /dev/null </dev/null
    else
        in_ns unshare --mount --propagation unchanged sh -c '
            mkdir -p /dev/pts && mount -t devpts -o ptmxmode=666 devpts /dev/pts && exec script -qec "$0" /dev/null' "$1" </dev/null
    fi
}

live_terminal() {
    local encoding
    for encoding in C C.UTF-8; do
        LC_ALL=$encoding on_terminal "stty cols 120; exec '$TRACE' --color never -- '$PROGS/hostile' $(hex "$1")" >screen
        grep -q "getaddrinfo" screen
        clean terminal screen
    done
}

@test "hostile: live text on a terminal, with ASCII and with UTF-8" {
    each_name live_terminal
}

named_file() {
    local name=$1
    cp "$PROGS/hostile" "./$name"
    trace_raw --json -o "$OUT" -- "./$name"
    same "status for $(hex "$name")" 0 "$status"
    clean json "$OUT" "comm=$(first 15 "$name")"
    trace_raw -o text -- "./$name"
    clean text text
}

@test "hostile: a program whose file has such a name" {
    each_name named_file
}

# --- a recording ---

SELECTS=(
    "SELECT * FROM call" "SELECT * FROM sock" "SELECT * FROM verdict" "SELECT * FROM event" "SELECT * FROM meta"
    "SELECT DISTINCT comm, comm || char(27, 155, 8238, 10, 13, 34), CAST(x'80fffe' AS TEXT), x'1b80' FROM call"
)

recorded() {
    local name=$1 sql
    rm -f rec
    run_hostile "$name" -w rec
    prints text show rec
    prints text show --width 60 --color never -tt rec
    prints json show --json rec
    clean json printed "comm=$(first 15 "$name")" "path^$(hex "$name")" "node^$(first 63 "$name")"
    prints text explain rec
    grep -q "evidence" printed
    prints json explain --json rec
    prints json export rec --to jsonl
    for sql in "${SELECTS[@]}"; do
        prints text query rec "$sql"
        prints csv query --csv rec "$sql"
        prints json query --json rec "$sql"
    done
    clean json printed "comm=$(first 15 "$name")"
}

@test "hostile: a recording shown, explained, asked and exported" {
    each_name recorded
}

exported() {
    rm -f rec rec.db
    run_hostile "$1" -w rec
    prints_nothing export rec --to sqlite
    same status 0 "$status"
    python3 - rec.db "$(first 15 "$1")" <<'END'
import sqlite3, sys
names = [row[0] for row in sqlite3.connect(sys.argv[1]).execute("SELECT DISTINCT CAST(comm AS BLOB) FROM call")]
assert bytes.fromhex(sys.argv[2]) in names, names
END
}

prints_nothing() { # but messages
    status=0
    "$TRACE" "$@" >printed 2>messages </dev/null 3>&- || status=$?
    same "bytes of output for $1" 0 "$(wc -c <printed)"
    [ ! -s messages ] || clean text messages
}

@test "hostile: a database has the bytes themselves" {
    each_name exported
}

checked() {
    local name=$1 line=${1//[$'\n\r']/}. # a line, which does not end in blanks
    rm -f rec
    run_hostile "$name" -w rec
    printf -- '-- check: %s\n-- pass: %s {comm}\n-- fail: %s\nSELECT 1 AS pass, comm, id AS evidence FROM event WHERE kind = %s LIMIT 3;\n' \
        "c$line" "p$line" "f$line" "'call' AND comm <> 'trace'" >checks.sql
    prints text check rec checks.sql
    same status 0 "$status"
    prints json check --json rec checks.sql
    same status 0 "$status"
    clean json printed "check=63$(hex "$line")"
    for sql in "SELECT \"$line\" AS no" "SELECT 1 AS pass FROM '$line'" "$line"; do
        printf -- '-- check: %s\n-- pass: %s\n-- fail: x\n%s;\n' "c$line" "p$line" "$sql" >wrong.sql
        refuses "check 'c" check rec wrong.sql
    done
}

@test "hostile: a file of checks, its sentences and its errors" {
    each_name checked
}

@test "hostile: CSV gives back what is text in it" {
    cd "$BATS_TEST_TMPDIR"
    run_hostile plain -w rec
    "$TRACE" query --csv rec "SELECT 'a' || char(34) || ',' || char(10) || char(9) || 'é;' AS x, 2 AS y" >printed
    clean csv printed
    clean column printed "$(hex $'a",\n\té;')"
}

# --- a recording that somebody made up: what a kernel says of itself ---

made_up() {
    local name=$1 command
    python3 "$LIVE/../make_recording.py" --hostile "$(hex "$name")" >rec
    for command in show explain; do
        prints text "$command" rec
        prints json "$command" --json rec
    done
    prints text query rec "SELECT * FROM meta"
    prints csv query --csv rec "SELECT * FROM meta"
    prints json query --json rec "SELECT * FROM meta"
}

@test "hostile: names of probes and reasons, and what else a recording says of its kernel" {
    each_name made_up
    "$TRACE" show rec | grep -q "RST: x"
}

# --- the command line ---

refused_words() {
    local name=$1
    printf 'no recording' >"./x$name"
    refuses "check its name" show "$name-gone"
    refuses "is no recording" show "x$name"
    refuses "is too many" show a "$name"
    refuses "is no speed" show --speed "$name" a
    refuses "help" show "--x$name"
    refuses "help" "-$name"
    refuses "help" "--x$name"
    refuses "trace help" help "$name"
    refuses "check its name" explain "$name-gone"
    refuses "explain --list" explain --rule "$name" a
    refuses "alarm, news or aside" explain --weight "$name" a
    refuses "is no recording" query "x$name" "SELECT 1"
    refuses "--schema|leave out what follows" query rec "SELECT \"$name\""
    refuses "--schema|leave out what follows|give a SELECT" query rec "$name"
    refuses "SQL error" query rec "SELECT abs(-9223372036854775808), '${name//\'/}'"
    refuses "check its name" query rec -f "$name-gone"
    refuses "it has no check|line 1" check rec "x$name"
    refuses "check its name" check rec "$name-gone"
    refuses "export --help" export rec --to "$name"
    refuses "choose another|directory does not exist" export rec --to jsonl -o "$name/x"
    refuses "choose another file|directory does not exist" -w "$name/x"
    refuses "choose another file|directory does not exist" -o "$name/x" -- true
    refuses "is no port" --port "$name"
    refuses "pgrep" -p "$name"
    refuses "ip netns" --netns "$name"
    refuses "app,kernel,wire" --layer "$name"
    refuses "auto, always or never" --color "$name"
    refuses "from 60" --width "$name"
    refuses "milliseconds" --blocked "$name"
    refuses "give seconds" --duration "$name"
    refuses "from 1 up" --events "$name"
    refuses "tracepoint" --backend "$name"
    refuses "tracepoint" doctor --backend "$name"
    refuses "no command '" -- "$name"
    refuses "chmod" -- "./x$name"
}

@test "hostile: whatever a message quotes" {
    cd "$BATS_TEST_TMPDIR"
    run_hostile plain -w rec
    each_name refused_words
}

@test "hostile: a message keeps its remedy however long the word is" {
    cd "$BATS_TEST_TMPDIR"
    run_hostile plain -w rec
    long=$(printf '\xe2\x82\xac%.0s' {1..5000})
    for prefix in "" x xy; do
        refuses "check its name|File name too long; try a copy of it" show "$prefix$long"
        refuses "is too many$" show a "$prefix$long"
        refuses "give a number from 1 to 65535" --port "$prefix$long"
        refuses "lists the options$" "--$prefix$long"
        refuses "lists the columns$" query rec "SELECT \"$prefix$long\""
        refuses "finds one" -p "$prefix$long"
        refuses "explain --list' lists them" explain --rule "$prefix$long" a
        printf -- '-- check: %s\n' "$prefix$long" "$prefix$long" >twice.sql
        refuses "give it another name$" check rec twice.sql
        printf -- '-- check: %s\n-- pass: x\n-- fail: x\nSELECT 1 AS a;\n' "$prefix$long" >no-pass.sql
        refuses "AS pass$" check rec no-pass.sql
    done
}

@test "hostile: doctor is clean" {
    cd "$BATS_TEST_TMPDIR"
    prints text doctor
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What ./trace may do while it runs, and what it can do without root. The invoking user is 65534.

bats_require_minimum_version 1.5.0

load cmd-helper

PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH # the system's python3: others may not run one of root's

# Copies of ./trace whose file capabilities are those, here for one test.
with_caps() { # NAME CAPABILITIES
    cp --remove-destination "$TRACE" "$FOR_ALL/$1"
    chmod 755 "$FOR_ALL/$1"
    setcap "$2" "$FOR_ALL/$1"
}

# A directory of the unprivileged user, as home and to work in.
home() {
    HOME_DIR=$(mktemp -d "$FOR_ALL/home.XXXXXX")
    chown 65534:65534 "$HOME_DIR"
    cd "$HOME_DIR" || return
    export HOME=$HOME_DIR
}

start() { # COMMAND... (a tracer with --ready-fd 9): returns when it traces
    local ready line=
    mkfifo "$BATS_TEST_TMPDIR/ready"
    exec {ready}<>"$BATS_TEST_TMPDIR/ready"
    "$@" 9>"$BATS_TEST_TMPDIR/ready" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" </dev/null 3>&- &
    TRACE_PID=$!
    read -r -t 20 -u "$ready" line || cat "$BATS_TEST_TMPDIR/stderr"
    exec {ready}>&-
    rm "$BATS_TEST_TMPDIR/ready"
    assert_equal "$line" ready
}

finish() { # SIGNAL
    kill "-$1" "$TRACE_PID"
    status=0
    wait "$TRACE_PID" || status=$?
    TRACE_PID=
}

# Every thread has these in each set of capabilities, cannot gain others, and is this user.
assert_rights() { # PID MASK UID [BOUNDS]
    python3 - "$@" <<'END'
import glob, re, sys
pid, mask, uid = sys.argv[1], int(sys.argv[2], 16), sys.argv[3]
bounds = int(sys.argv[4], 16) if len(sys.argv) > 4 else 0
tasks = glob.glob(f"/proc/{pid}/task/*/status")
assert tasks
for task in tasks:
    text = open(task).read()
    get = lambda name: re.search(rf"^{name}:\s*(.*)$", text, re.M)[1]
    caps = {s: int(get("Cap" + s), 16) for s in ("Inh", "Prm", "Eff", "Bnd", "Amb")}
    assert caps == {"Inh": 0, "Prm": mask, "Eff": mask, "Bnd": bounds, "Amb": 0}, (task, {k: hex(v) for k, v in caps.items()})
    assert get("NoNewPrivs") == "1", task
    assert get("Uid").split() == [uid] * 4 and get("Gid").split() == [uid] * 4, (get("Uid"), get("Gid"))
END
}

# The first child of a process.
child_of() { # PID
    cat /proc/"$1"/task/"$1"/children | cut -d' ' -f1
}

all_caps() {
    sed -n 's/^CapBnd:\s*//p' /proc/self/status
}

LOOK=80004 # cap_sys_ptrace, cap_dac_read_search

PAIR='
import socket
s = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(s.getsockname())
p, _ = s.accept()
c.send(b"hello"); p.recv(100); p.close(); c.recv(1); c.close()
socket.getaddrinfo("localhost", 80)'

@test "rights: with COMMAND nothing is left, and the tracer is the invoking user" {
    home
    start env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" --ready-fd 9 -o out -w rec -- sleep 60
    assert_rights "$TRACE_PID" 0 65534
    # COMMAND is the user's program: it may become somebody else as it always could.
    command=$(child_of "$TRACE_PID")
    assert_equal "$(sed -n 's/^NoNewPrivs:\s*//p' "/proc/$command/status")" 0
    assert_equal "$(sed -n 's/^CapBnd:\s*//p' "/proc/$command/status")" "$(all_caps)"
    assert_equal "$(sed -n 's/^CapPrm:\s*//p' "/proc/$command/status")" 0000000000000000
    finish TERM
    assert_equal "$status" 143
    assert_equal "$(stat -c '%u %a' out rec)" $'65534 600\n65534 600'
}

@test "rights: the same when root runs COMMAND" {
    start "$TRACE" --ready-fd 9 -o /dev/null -- sleep 60
    assert_rights "$TRACE_PID" 0 0
    command=$(child_of "$TRACE_PID")
    assert_equal "$(sed -n 's/^CapEff:\s*//p' "/proc/$command/status")" "$(all_caps)"
    finish TERM
    assert_equal "$status" 143
}

@test "rights: without COMMAND, what looks into other users' processes is left" {
    start env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" --ready-fd 9 -o /dev/null
    assert_rights "$TRACE_PID" "$LOOK" 65534
    finish INT
    assert_equal "$status" 0
    start env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" --ready-fd 9 -o /dev/null --layer wire,kernel
    assert_rights "$TRACE_PID" 0 65534
    finish INT
    start "$TRACE" --ready-fd 9 -o /dev/null
    assert_rights "$TRACE_PID" "$LOOK" 0
    finish INT
    # With --all, COMMAND is not what is looked at.
    start env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" --ready-fd 9 -o /dev/null --all -- sleep 60
    assert_rights "$TRACE_PID" "$LOOK" 65534
    finish TERM
}

# A program with a C library of its own, in a directory that only its user may enter. Asks for a name after a line.
own_libc() { # DIRECTORY
    local libc loader
    libc=$(python3 -c 'import re; print(re.search(r"/\S*/libc\.so\.6", open("/proc/self/maps").read())[0])')
    loader=$(python3 -c 'import re; print(re.search(r"/\S*/ld-linux\S*", open("/proc/self/maps").read())[0])')
    mkdir -m 700 "$1"
    cp -L "$libc" "$1/libc.so.6"
    cp -L "$loader" "$1/ld.so"
    chown -R 65533 "$1"
    mkfifo line
    setpriv --reuid 65533 --regid 65533 --clear-groups -- "$1/ld.so" --library-path "$1" "$(command -v python3)" -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
sys.stdin.readline()
socket.getaddrinfo("localhost", 80)' <line 3>&- &
    ASKER=$!
    exec {line}>line
}

probes_of() { # PID: how many uprobes it holds
    grep -lE 'uprobe' /proc/"$1"/fdinfo/* 2>/dev/null | wc -l
}

@test "rights: these are what it takes to see getaddrinfo in another user's C library" {
    home
    start env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" --ready-fd 9 --json -o out -n ld.so
    [ "$(probes_of "$TRACE_PID")" = 2 ] || skip "kernel lacks uprobe links"
    own_libc "$FOR_ALL/closed"
    until [ "$(probes_of "$TRACE_PID")" = 4 ]; do [ -e "/proc/$ASKER/exe" ]; done
    echo >&"$line"
    exec {line}>&-
    wait "$ASKER"
    finish INT
    assert_equal "$status" 0
    grep -q '"kind":"gai".*"node":"localhost"' out
}

@test "rights: the sub-commands read a recording with none, as the invoking user" {
    home
    echo '-- check: one' >checks
    printf -- '-- pass: yes\n-- fail: no\nSELECT 1 AS pass;\n' >>checks
    mkfifo pipe
    exec {hold}<>pipe
    for command in 'show -' 'explain -' 'query - SELECT+1' 'check - checks' 'export - --to jsonl'; do
        read -ra words <<<"$command"
        env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" "${words[@]//+/ }" <pipe >/dev/null 2>&1 3>&- &
        TRACE_PID=$!
        until grep -q 'NoNewPrivs:.1' "/proc/$TRACE_PID/status"; do :; done
        assert_rights "$TRACE_PID" 0 65534
        kill "$TRACE_PID"
        wait "$TRACE_PID" || true
    done
    exec {hold}>&-
}

@test "rights: sudo opens a recording, a file capability does not" {
    home
    cp "$RECORDING" closed
    chown 0 closed
    chmod 600 closed
    run env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" show closed
    assert_success
    for command in "explain" "query"; do
        run env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" "$command" closed ${command#explain} 'SELECT 1' 2>/dev/null
    done
    with_caps trace.all cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep
    for command in 'show closed' 'explain closed' 'check closed closed' 'export closed --to jsonl' 'query closed x'; do
        read -ra words <<<"$command"
        refute_works "Permission denied" nobody "$FOR_ALL/trace.all" "${words[@]}"
    done
}

@test "rights: files and COMMAND are found with the user's own rights, not the program's" {
    home
    with_caps trace.all cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep
    mkdir -m 702 closed
    cp "/bin/true" closed/true
    chmod 755 closed/true
    chown 0 closed
    refute_works "you may not write there" nobody "$FOR_ALL/trace.all" -w closed/rec -- true
    run -126 nobody "$FOR_ALL/trace.all" -q -o out -- closed/true
}

@test "rights: without sudo, through file capabilities, a pair of one's own is traced in full" {
    home
    with_caps trace.two cap_bpf,cap_perfmon=ep
    run nobody "$FOR_ALL/trace.two" -q --json -o out -w rec -- python3 -c "$PAIR"
    assert_success
    assert_output ''
    python3 - out <<'END'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
calls = {r["call"] for r in rows if r.get("kind") == "call" and r["phase"] == "exit"}
assert {"socket", "bind", "listen", "connect", "accept4", "sendto", "recvfrom", "close"} <= calls, calls
assert {"segment", "state", "gai"} <= {r.get("kind") for r in rows}
assert rows[-1]["lost"] == 0 and rows[-1]["complete"], rows[-1]
END
    nobody "$FOR_ALL/trace.two" show -q --json rec | cmp - out
    assert_equal "$(stat -c '%u %a' out rec)" $'65534 600\n65534 600'
    start setpriv --reuid 65534 --regid 65534 --clear-groups -- "$FOR_ALL/trace.two" --ready-fd 9 -o /dev/null -- sleep 60
    # Without CAP_SETPCAP the bounds stay; no_new_privs makes them useless.
    assert_rights "$TRACE_PID" 0 65534 "$(all_caps)"
    finish TERM
}

@test "rights: a capability that is missing is named, and doctor says what each is for" {
    home
    with_caps trace.one cap_bpf=ep
    with_caps trace.two cap_bpf,cap_perfmon=ep
    refute_works "needs root.*sudo .*setcap cap_bpf,cap_perfmon=ep" nobody "$FOR_ALL/trace.one" -- true
    run nobody "$FOR_ALL/trace.one" doctor
    assert_failure 125
    assert_line --regexp '^ok +cap_bpf +loads the probes'
    assert_line --regexp '^NO +cap_perfmon +missing'
    run nobody "$FOR_ALL/trace.two" doctor
    assert_success
    assert_line --regexp '^ok +cap_perfmon'
    assert_line --regexp '^less +cap_sys_ptrace +missing'
    assert_output --regexp 'lost: getaddrinfo of other users'
    assert_line --regexp '^ +unprivileged_bpf_disabled +[012]: '
    run "$TRACE" doctor
    assert_success
    assert_line --regexp '^ok +cap_dac_read_search'
    refute_line --regexp '^(NO|less) +cap_'
}

@test "rights: COMMAND may be set-user-ID" {
    home
    cp "$(command -v id)" "$FOR_ALL/id"
    chmod 4755 "$FOR_ALL/id"
    run env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -o out -- "$FOR_ALL/id" -u
    assert_success
    assert_output 0
    run env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -o out -- "$FOR_ALL/id" -ru
    assert_output 65534
}

@test "rights: a signal reaches COMMAND that has become somebody else" {
    cp "$(readlink -f /usr/bin/python3)" "$FOR_ALL/python3"
    chmod 4755 "$FOR_ALL/python3" # so that the invoking user's COMMAND can, too
    for sudo in 0 65534; do
        start env SUDO_UID=$sudo SUDO_GID=$sudo "$TRACE" --ready-fd 9 -o /dev/null -- "$FOR_ALL/python3" -uc '
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
os.setresuid(65533, 65533, 65533)
print("up")
while True: signal.pause()'
        until grep -q up "$BATS_TEST_TMPDIR/stdout"; do kill -0 "$TRACE_PID"; done
        finish TERM
        assert_equal "$status" 7
    done
    run timeout 20 "$TRACE" -q -o /dev/null --duration 0.3 -- setpriv --reuid 65533 -- sleep 60
    assert_success
}

# The number of the bpf(2) call that asks whether the kernel goes on without CAP_BPF: the fourth that starts an iterator.
asking_call() {
    strace -o calls -e trace=bpf "$TRACE" -q -o /dev/null -- true
    awk '/BPF_ITER_CREATE/ && ++n == 4 { print NR }' calls
}

@test "rights: a kernel that wants CAP_BPF of a running trace lets it keep that alone" {
    cd "$BATS_TEST_TMPDIR"
    at=$(asking_call)
    [ -n "$at" ]
    start strace -o calls -e trace=bpf -e "inject=bpf:error=EPERM:when=$at" \
        "$TRACE" --ready-fd 9 -o /dev/null -- sleep 60
    tracer=$(child_of "$TRACE_PID")
    assert_rights "$tracer" 8000000000 0
    kill -TERM "$tracer"
    finish CONT
    grep -c 'BPF_ITER_CREATE.*INJECTED' calls
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The command line of ./trace: what it accepts, what it says, and recordings shown again.
# $RECORDING is made by hand (make_recording.py).
# Beside others: nothing in it traces.

bats_require_minimum_version 1.5.0

load cmd-helper
load terminal

# --- help and manual ---

@test "--help lists every option of live and every sub-command" {
    run "$TRACE" --help
    assert_success
    for word in -p -n --port --lport --rport --netns --all --layer -t -tt --json --json-schema -o -w \
        --duration --events --backend --color --width -q --blocked --text --buffer --sockets --ready-fd --version 'trace show' 'trace explain' 'trace query' \
        'trace check' 'trace export' 'trace doctor'; do
        assert_output --partial -- "$word"
    done
    assert_width 80
}

@test "--help of a sub-command, three ways" {
    run "$TRACE" show --help
    assert_success
    assert_output --partial -- --speed
    first=$output
    run "$TRACE" help show
    assert_success
    assert_output "$first"
    run "$TRACE" show -h
    assert_output "$first"
    assert_width 80
    refute_works "no sub-command 'nope'" "$TRACE" help nope
}

@test "the manual has every option that --help lists, and no other" {
    for option in $( (options_of && options_of show && options_of explain && options_of query && options_of check &&
        options_of export && options_of doctor) | sort -u); do
        grep -qF -- "${option//-/\\-}" "$MAN" || fail "$option is not in the manual"
    done
    known=$( (options_of && options_of show && options_of explain && options_of query && options_of check &&
        options_of export && options_of doctor) | sort -u)
    while read -r option; do
        grep -qxF -- "$option" <<<"$known" || fail "$option is in the manual only"
    done < <(sed -n 's/\\-/-/gp' "$MAN" | grep -oE -- '(^|[ "(])--[a-z][a-z-]*' | grep -oE -- '--.*')
}

@test "the manual uses no macro that man(7) does not know" {
    run awk "/^'/ || (/^\\./ && !/^\\.(TH|SH|SS|TP|PP|B|I|BR|BI|IR|RB|RI|br|nf|fi|\\\\\")( |\$)/)" "$MAN"
    assert_success
    assert_output ''
}

@test "--version and --json-schema need no root" {
    run nobody "$FOR_ALL/trace" --version
    assert_success
    assert_output --regexp '^socklens [0-9]+\.[0-9]+'
    "$TRACE" --json-schema | python3 -m json.tool >/dev/null
    "$TRACE" show --json-schema | cmp - <("$TRACE" --json-schema)
}

# --- errors ---

@test "each bad option is one sentence with the remedy" {
    refute_works "unknown.*--nope.*--help" "$TRACE" --nope
    refute_works "unknown option -Z" "$TRACE" -Z
    refute_works "needs a value" "$TRACE" -o
    refute_works "'0' is no port.*1 to 65535" "$TRACE" --port 0
    refute_works "'65536' is no port" "$TRACE" --lport 65536
    refute_works "'http' is no port" "$TRACE" --rport http
    refute_works "'-1' is no port" "$TRACE" --port=-1
    refute_works "no process number.*pgrep" "$TRACE" -p x
    refute_works "no process number" "$TRACE" -p ''
    refute_works "no process 2147483647.*pgrep" "$TRACE" -p 2147483647
    refute_works "no network namespace 'nope'.*ip netns" "$TRACE" --netns nope
    refute_works "no network namespace" "$TRACE" --netns ../../proc/self/ns/net
    refute_works "no network namespace" "$TRACE" --netns /proc/self/ns/mnt
    refute_works "no network namespace" "$TRACE" --netns /dev/null
    refute_works "no network namespace" "$TRACE" --netns /nonexistent
    refute_works "matches no program.*15 bytes" "$TRACE" -n abcdefghijklmnop
    refute_works "no layer list 'app,'.*app,kernel,wire" "$TRACE" --layer app,
    refute_works "auto, always or never" "$TRACE" --color yes
    refute_works "--width cannot be '20'.* 60 " "$TRACE" --width 20
    refute_works "no duration" "$TRACE" --duration nan
    refute_works "no duration" "$TRACE" --duration -3
    refute_works "no number of events" "$TRACE" --events 0
    refute_works "no backend 'magic'.*tracepoint" "$TRACE" --backend magic
    refute_works "no backend 'magic'" "$TRACE" doctor --backend magic
    refute_works "no size for --buffer.*power of two from 1 to 1024" "$TRACE" --buffer 3
    refute_works "no size for --buffer" "$TRACE" --buffer 2048
    refute_works "no number for --sockets.*from 16 to" "$TRACE" --sockets 8
    refute_works "no open descriptor" "$TRACE" --ready-fd 77
    refute_works "exclude each other" "$TRACE" --text --json
    refute_works "both the recording and what is shown" "$TRACE" -w - --json
    refute_works "no command after '--'.*leave '--' out" "$TRACE" -q --
    refute_works "no command after '--'" "$TRACE" --
    refute_works "no command after '--'" "$TRACE" -o -- --
    [ ! -e -- ]
}

@test "without root: the sudo command and the capabilities" {
    refute_works "needs root.*sudo .*cap_bpf,cap_perfmon=ep" \
        nobody "$FOR_ALL/trace"
    refute_works "needs root" nobody "$FOR_ALL/trace" -- true
}

@test "root without the capabilities is told which" {
    refute_works "lacks cap_bpf,cap_perfmon" setpriv --bounding-set=-bpf,-perfmon -- "$TRACE"
}

@test "no BTF, and lockdown: what is in the way and what to do" {
    mkdir btf security
    refute_works "no BTF.*CONFIG_DEBUG_INFO_BTF" \
        with_mounts 'mount --bind btf /sys/kernel/btf && exec "$TRACE"'
    echo "none integrity [confidentiality]" >security/lockdown
    refute_works "lockdown=confidentiality.*lockdown=integrity" \
        with_mounts 'mount --bind security /sys/kernel/security && exec "$TRACE"'
}

@test "doctor fails where tracing would, and says why" {
    mkdir btf
    run with_mounts 'mount --bind btf /sys/kernel/btf && exec "$TRACE" doctor'
    assert_failure 125
    assert_output --regexp 'NO +kernel types'
    assert_output --partial CONFIG_DEBUG_INFO_BTF
    assert_width 80
    run nobody "$FOR_ALL/trace" doctor
    assert_failure 125
    assert_output --regexp 'NO +rights'
}

@test "doctor marks what it refuses with NO" {
    for backend in fentry kprobe tracepoint; do
        run "$TRACE" doctor --backend "$backend"
        [ "$status" = 0 ] || assert_line --regexp '^NO  '
        [[ $status = 125 || $output != *"see NO above"* ]]
    done
    # A kernel has both kinds of function probes, one of them or none.
    mkdir nothing
    run with_mounts 'mount --bind nothing /sys/kernel/btf && exec "$TRACE" doctor --backend kprobe'
    assert_failure 125
    assert_line --regexp '^NO  '
}

@test "a COMMAND that is none: 127, one that cannot be run: 126" {
    touch plain
    run -127 "$TRACE" -- no-such-command-here
    assert_output --regexp "^trace: there is no command 'no-such-command-here'"
    run -127 "$TRACE" no-such-command-here
    run -127 "$TRACE" -- ./missing
    run -127 "$TRACE" -- ''
    run -126 "$TRACE" -- ./plain
    assert_output --partial "chmod +x"
    run -126 "$TRACE" -- /
}

@test "COMMAND is looked up with the invoking user's rights" {
    mkdir -m 700 "$FOR_ALL/secret"
    printf '#!/bin/sh\n' >"$FOR_ALL/secret/tool"
    chmod 755 "$FOR_ALL/secret/tool"
    run -126 env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -- "$FOR_ALL/secret/tool"
    run -126 env SUDO_UID=65534 SUDO_GID=65534 PATH="$FOR_ALL/secret:$PATH" "$TRACE" -- tool
}

@test "files that cannot be written: one sentence, and nothing is touched" {
    echo precious >precious
    refute_works "'missing/x'.*directory does not exist" "$TRACE" -o missing/x
    refute_works "'/'.*is a directory" "$TRACE" -o /
    for twin in twice ./twice "$PWD/twice"; do
        refute_works "same file.*different ones" "$TRACE" -o twice -w "$twin"
        [ ! -e twice ]
    done
    ln precious twin
    refute_works "same file" "$TRACE" -o precious -w twin
    assert_equal "$(cat precious)" precious
    refute_works "may not write there" env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -w "$FOR_ALL/x"
    [ ! -e "$FOR_ALL/x" ]
}

# --- show ---

@test "show: the same recording gives the same bytes, also from a pipe" {
    for options in '' --json '-t' '-tt' '--layer app' '--width 80' '--color always'; do
        # shellcheck disable=SC2086 # several words
        "$TRACE" show $options "$RECORDING" >first
        [ -s first ]
        # shellcheck disable=SC2086
        cat "$RECORDING" | "$TRACE" show - $options | cmp - first
    done
}

@test "show: options count on both sides of FILE" {
    "$TRACE" show --json "$RECORDING" >before
    "$TRACE" show "$RECORDING" --json | cmp - before
    refute_works "one recording at a time" "$TRACE" show "$RECORDING" again
    refute_works "which recording" "$TRACE" show --json
}

@test "show: needs no root" {
    run nobody "$FOR_ALL/trace" show "$RECORDING"
    assert_success
    assert_output --partial 'connect(3, 127.0.0.1:65430)'
}

@test "show: the whole conversation is there, every line of JSON is JSON" {
    "$TRACE" show --json "$RECORDING" >out
    python3 - out <<'END'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
calls = [r["call"] for r in rows if r.get("kind") == "call" and r.get("phase") == "exit"]
assert calls == "socket bind listen socket connect accept sendto recvfrom sendto recvfrom close recvfrom".split(), calls
assert rows[0]["type"] == "header" and rows[0]["backend"] == "tracepoint", rows[0]
assert rows[-1]["type"] == "trailer" and rows[-1]["complete"] is True, rows[-1]
assert rows[-1]["lost"] == 0, rows[-1]
assert [r["t_ns"] for r in rows[1:-1] if "t_ns" in r] == sorted(r["t_ns"] for r in rows[1:-1] if "t_ns" in r)
END
}

@test "show: --layer leaves the other layers out" {
    "$TRACE" show --json --layer app,wire "$RECORDING" >out
    python3 - out <<'END'
import json, sys
layers = {r["layer"] for r in map(json.loads, open(sys.argv[1])) if "id" in r and r.get("kind") in ("call", "segment", "state")}
assert layers == {"app", "wire"}, layers
END
}

@test "show: a recording limited to some layers shows those unless told" {
    python3 "$MAKE_RECORDING" --layers 1 >limited
    "$TRACE" show limited >out
    grep -q 'segments, 0 retransmitted' <("$TRACE" show "$RECORDING")
    # Segments that were not recorded are not counted as none.
    "$TRACE" show --layer app "$RECORDING" | sed 's/[0-9]* segments*, [0-9]* retransmitted; //' | cmp - out
}

@test "show: nothing in a recording reaches the terminal as a control character" {
    for options in '' --json; do
        # shellcheck disable=SC2086
        run bash -c '"$TRACE" show '"$options"' "$RECORDING" | LC_ALL=C grep -c "[^[:print:]]"'
        assert_output 0
    done
}

@test "show: lost events are told, with how many and where" {
    python3 "$MAKE_RECORDING" --lost 7 >lossy
    run "$TRACE" show lossy
    assert_success
    assert_output --regexp '7 (events )?(were )?lost'
    "$TRACE" show --json lossy | tail -1 | python3 -c 'import json; assert json.loads(input())["lost"] == 7'
}

@test "show: a recording that is cut is shown up to the cut, and that is said" {
    head -c 3900 "$RECORDING" >cut
    run --separate-stderr "$TRACE" show cut
    assert_failure 125
    assert_output --partial 'connect(3, 127.0.0.1:65430)'
    [[ $stderr =~ ^trace:\ .*\'cut\'\ is\ cut\ short\ after\ [0-9]+\ events\;.*\ record\ again ]]
    "$TRACE" show --json cut 2>/dev/null | tail -1 |
        python3 -c 'import json; assert json.loads(input())["complete"] is False'
    python3 "$MAKE_RECORDING" --no-end >unfinished
    run --separate-stderr "$TRACE" show unfinished
    assert_failure 125
    [[ $stderr =~ "cut short" ]]
}

@test "show: cut at any byte, it neither crashes nor invents a line" {
    python3 - "$TRACE" "$RECORDING" <<'END'
import subprocess, sys
trace, path = sys.argv[1:]
data = open(path, "rb").read()
def show(part):
    return subprocess.run([trace, "show", "--json", "-"], input=part, capture_output=True)
def steps(out):  # what happened, without the first line, the last, and sums at the end
    return [line for line in out.splitlines() if b'"kind":"call"' in line and b'"phase":"exit"' in line]
whole = steps(show(data).stdout)
for cut in range(0, len(data), 37):
    run = show(data[:cut])
    assert run.returncode == 125 and len(run.stderr.splitlines()) == 1, (cut, run)
    assert (b"cut short" in run.stderr) == (cut >= 24), (cut, run.stderr)
    got = steps(run.stdout)
    names = lambda lines: [line.split(b'"call":')[1].split(b",")[0] for line in lines]
    for name in names(got):
        assert name in names(whole), (cut, name)
    assert len(got) <= len(whole), cut
END
}

@test "show: no recording, or one of another version" {
    refute_works "'nothing'.*No such file.*; check its name" "$TRACE" show nothing
    refute_works "no recording.*trace -w FILE" "$TRACE" show /etc/passwd
    refute_works "is empty.*record again" "$TRACE" show /dev/null
    refute_works "Is a directory; name a recording in it" "$TRACE" show .
    python3 "$MAKE_RECORDING" --version 9 >newer
    refute_works "format 9.*newer trace" "$TRACE" show newer
}

@test "show: a full disk is told, a reader that leaves is not" {
    run bash -c '"$TRACE" show "$RECORDING" >/dev/full'
    assert_failure 125
    assert_output --partial "No space left"
    python3 "$MAKE_RECORDING" --repeat 2000 >long
    run bash -c '"$TRACE" show long | head -1; echo "${PIPESTATUS[0]}"'
    assert_equal "${lines[1]}" 0
    assert_equal "${#lines[@]}" 2
}

@test "whatever is printed: a full disk is told" {
    for words in --help --version --json-schema doctor 'help query' 'query --schema' 'show --json-schema'; do
        run bash -c "'$TRACE' $words >/dev/full"
        assert_failure 125
        assert_output --regexp "cannot write the output: (No space left|Input/output error)"
    done
}

@test "show: --speed and --step change no byte" {
    "$TRACE" show "$RECORDING" >plain
    "$TRACE" show --speed 0.2 "$RECORDING" | cmp - plain
    yes '' | "$TRACE" show --step "$RECORDING" | cmp - plain
    "$TRACE" show --step "$RECORDING" </dev/null | cmp - plain
    refute_works "'0' is no speed" "$TRACE" show --speed 0 "$RECORDING"
}

@test "show: --speed takes the time it says" {
    began=$(date +%s%N)
    "$TRACE" show --speed 0.02 "$RECORDING" >/dev/null # 4 ms
    took=$((($(date +%s%N) - began) / 1000000))
    [ "$took" -ge 200 ]
}

@test "show: --step waits for each line, q ends" {
    printf '\n\nq' >keys
    "$TRACE" show "$RECORDING" | head -3 >three
    "$TRACE" show --step "$RECORDING" <keys | cmp - three
}

@test "show: a terminal that is too narrow is told so" {
    run on_terminal 'stty cols 40; exec "$TRACE" show "$RECORDING"' /dev/null
    assert_failure 125
    assert_output --partial "40 columns"
    run on_terminal 'stty cols 40; exec "$TRACE" show --width 80 "$RECORDING"' /dev/null
    assert_success
    run on_terminal 'stty cols 80; exec "$TRACE" show --color never "$RECORDING"' /dev/null
    assert_success
    output=${output//$'\r'/}
    assert_width 80
}

@test "show: colour on a terminal, not in a pipe, not with NO_COLOR" {
    escape=$(printf '\033')
    run "$TRACE" show "$RECORDING"
    refute_output --partial "$escape"
    run on_terminal 'stty cols 100; TERM=xterm exec "$TRACE" show "$RECORDING"' /dev/null
    assert_output --partial "$escape"
    run on_terminal 'stty cols 100; NO_COLOR=1 TERM=xterm exec "$TRACE" show "$RECORDING"' /dev/null
    refute_output --partial "$escape"
}

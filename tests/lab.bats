# SPDX-License-Identifier: MIT
# The lab runner: its commands, whose rights and files it uses, and programs that want to do harm.

bats_require_minimum_version 1.5.0
load asserts
load terminal

NOBODY=65534

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    LAB=$TOP/lab
    LIMIT=20 # seconds any single wait may take
    # A folder that `nobody` may get at, which bats' own are not.
    DIR=$(mktemp -d /tmp/socklens-lab.XXXXXX)
    chmod 777 "$DIR"
    export HOME=$DIR/home XDG_STATE_HOME=$DIR/state SOCKLENS_LABS=$DIR/work
    export LC_ALL=C
    unset SUDO_UID SUDO_GID SUDO_USER PAGER
    STATE=$XDG_STATE_HOME/socklens/labs/09-eof
    SOLUTION=$TOP/labs/09-eof/solution/client.c
    LAB_PID=
    SEEN=
}

teardown() {
    [ -z "$LAB_PID" ] || kill -KILL "$LAB_PID" 2>/dev/null || true
    rm -rf "$DIR" ${SEEN:+"$SEEN"}
}

# A folder that an arena sees, too: it has a /tmp of its own.
seen_inside() {
    SEEN=$(mktemp -d /dev/shm/socklens-lab.XXXXXX)
    chmod 755 "$SEEN"
}

# As nobody, in a copy of the tree that nobody may read.
nobody_has_a_tree() {
    mkdir -p "$DIR/tree/.output"
    cp -r "$TOP/lab" "$TOP/trace" "$TOP/labs" "$DIR/tree"
    cp -r "$TOP/.output/labs" "$DIR/tree/.output"
    chmod -R go+rX "$DIR/tree"
    LAB=$DIR/tree/lab
}

nobody() {
    setpriv --reuid $NOBODY --regid $NOBODY --clear-groups -- "$@"
}

# A program of that text, in the place of the learner's.
learner() { # C-TEXT
    printf '%s\n' '#define _GNU_SOURCE' '#include <arpa/inet.h>' '#include <errno.h>' '#include <fcntl.h>' \
        '#include <pthread.h>' '#include <signal.h>' '#include <stdio.h>' '#include <stdlib.h>' \
        '#include <string.h>' '#include <unistd.h>' "$1" >"$DIR/mine.c"
}

# Of the latest check no process is left: neither ours, which have the environment of this test, nor
# the arena's, which have the run's seed in theirs. A namespace goes with its last process.
nothing_is_left() {
    local seed
    seed=$("$TOP/trace" query --csv "$STATE/check.rec" "SELECT value FROM meta WHERE key = 'lab.seed'" |
        tr -d '\r' | tail -1)
    [ "$seed" -gt 0 ] || fail "the recording tells no seed"
    run env -i PATH="$PATH" grep -lszx -e "LAB_SEED=$seed" -e "XDG_STATE_HOME=$XDG_STATE_HOME" /proc/*/environ
    assert_output ""
    assert [ ! -e "$STATE/mine" ]
    assert [ ! -e "$STATE/check.rec.raw" ]
}

# The last line counts what is listed, and the run's own line counts nothing.
counts_what_is_listed() {
    local all passed
    all=$(grep -cE '^(pass|FAIL)   ' <<<"$output")
    passed=$(grep -c '^pass   ' <<<"$output") || true
    assert_line "$passed of $all checks passed"
}

# It fails by that check, soon, and leaves nothing.
harmless() { # CHECK SENTENCE C-TEXT
    learner "$3"
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "FAIL   $1"
    assert_line --partial "$2"
    counts_what_is_listed
    nothing_is_left
}

# However slow the machine is.
time_does_not_end_it() {
    nobody_has_a_tree
    sed -i 's/limit=[0-9]*/limit=60000/' "$DIR/tree/labs/09-eof/variants"
}

until_true() { # COMMAND...
    timeout "$LIMIT" bash -c 'until "$@" 2>/dev/null; do sleep 0.02; done' - "$@"
}

# --- the command line ---

@test "--help lists every sub-command and option, and the manual has them all" {
    run "$LAB" --help
    assert_success
    for word in list show predict run watch check hint solution reset doctor; do
        assert_line --regexp "^  $word "
        grep -qE "^\.(B|BI) $word\b|^.fB$word.fR" "$TOP/src/man/lab.1" || fail "lab.1 lacks $word"
    done
    while IFS= read -r option; do
        grep -qF -- "${option//-/\\-}" "$TOP/src/man/lab.1" || fail "lab.1 lacks $option"
    done < <(grep -oE -- '--[a-z-]+' <<<"$output" | sort -u)
    run groff -man -Tutf8 -ww -z "$TOP/src/man/lab.1"
    assert_output ""
}

@test "a wrong command line gets one sentence with the remedy, and 125" {
    while IFS='|' read -r args sentence; do
        # shellcheck disable=SC2086 # words
        run "$LAB" $args
        assert_failure 125
        assert_output --regexp "^lab: .*$sentence"
        assert_equal "${#lines[@]}" 1
        refute_output --regexp ' $'
    done <<'TABLE'
|./lab list
fly|no sub-command 'fly'
show|which lab\? ./lab show NN;
show 77|no lab '77'; './lab list'
show nine|no lab 'nine'
show 09 more|'more' is too much: ./lab show NN$
list 09|'09' is too much: ./lab list$
show 09 --loud|unknown .*option --loud; './lab --help'
check 09 --seed 5 --give-up|./lab check takes no --give-up; './lab --help'
predict 09 CB --watch|./lab predict takes no --watch;
list --seed 5|./lab list takes no --seed;
watch 09 --record x|./lab watch takes no --record;
solution 09 --skip-prediction|./lab solution takes no --skip-prediction;
check 09 --seed|--seed
check 09 --seed x|--seed cannot be 'x'
check 00|no exercise
predict 00|asks for no prediction
hint 00|no hints
TABLE
}

@test "a lab goes by its number, with or without the zero, and by its name" {
    for word in 9 09 09-eof; do
        run "$LAB" show $word
        assert_success
        assert_line --index 0 "# 09-eof: close() and the end of the stream"
    done
}

# --- the way through a lab, without root where none is needed ---

@test "predict keeps letters, and what was said at the prompt" {
    run "$LAB" predict 09 cb
    assert_success
    assert_equal "$(head -1 "$STATE/prediction")" CB
    run "$LAB" predict 09 <<<$'x\na\nprocesses end\nB\n'
    assert_success
    assert_output --partial "How many of the 400,000 bytes does the client read?"
    assert_output --partial "one letter, from A to C"
    refute_output --partial "close() throws away what was not sent yet"
    assert_equal "$(cat "$STATE/prediction")" $'AB\nprocesses end'
}

@test "predict refuses letters that answer nothing, and keeps the old ones" {
    "$LAB" predict 09 CB
    for letters in C CBA CX 1; do
        run "$LAB" predict 09 "$letters"
        assert_failure 125
        assert_output --partial "'$letters' answers nothing"
    done
    run "$LAB" predict 09 zz
    assert_output "lab: 'zz' answers nothing: question 1 has no choice Z, only A to C"
    assert_equal "$(head -1 "$STATE/prediction")" CB
}

@test "the trace stays closed until a prediction is stored" {
    run "$LAB" watch 09 </dev/null
    assert_failure 1
    assert_output "lab: first say what you expect: ./lab predict 09"
    run "$LAB" run 09 </dev/null
    assert_failure 1
    assert_output "lab: first say what you expect: ./lab predict 09"
    run "$LAB" watch 09 --skip-prediction </dev/null
    assert_success
    refute_output --partial "you said"
    assert_output --partial "it was     C  all 400,000"
}

@test "run shows the time line, what was said, what it was, and the lines that settle it" {
    "$LAB" predict 09 BB
    run "$LAB" run 09
    assert_success
    assert_line "Lab 09-eof: the experiment runs."
    assert_line "client: recv() returned 0 after 400000 bytes"
    assert_line --partial "== #1 TCP"
    assert_line "  you said   B  those that were in the client's receive queue already"
    assert_line "  it was     C  all 400,000"
    assert_line --regexp "^ +[0-9]+ +[0-9.]+ ms  server [0-9]+ +close\(4\) = 0"
    assert_line --partial "believing  B  close() throws away"
    # The second question was answered rightly: nothing to be believed.
    assert_equal "$(grep -c believing <<<"$output")" 1
}

@test "before the pager comes the time line, it is said how to get on to what settles the prediction" {
    export LAB
    run on_terminal 'stty cols 100; PAGER=cat exec "$LAB" watch 09 --skip-prediction' /dev/null
    assert_success
    assert_line --index 0 --partial "First the time line: q leaves it, and what settles your prediction follows."
    run on_terminal 'stty cols 100; PAGER= exec "$LAB" watch 09 --skip-prediction' /dev/null
    refute_output --partial "q leaves it"
    run "$LAB" watch 09 --skip-prediction
    refute_output --partial "q leaves it"
}

@test "without root everything works but run and check, which name their command with sudo" {
    nobody_has_a_tree
    for command in list "show 09" "predict 09 CB" "watch 09" "hint 09" "reset 09"; do
        # shellcheck disable=SC2086 # words
        run nobody "$LAB" $command
        assert_success
    done
    run nobody "$LAB" run 09
    assert_failure 125
    assert_output "lab: this needs root: sudo ./lab run 09; without root there is './lab watch 09'"
    run nobody "$LAB" check 09
    assert_failure 125
    assert_line "lab: this needs root: sudo ./lab check 09"
    run nobody "$LAB" check 09 "my own.c" --seed 5 --watch
    assert_line "lab: this needs root: sudo ./lab check 09 'my own.c' --watch --seed 5"
}

@test "hints come one at a time; the solution after passing, or on giving up" {
    run "$LAB" hint 09
    assert_line --index 0 "## What does the server wait for?"
    refute_output --partial "## Two directions"
    run "$LAB" hint 09
    assert_line --index 0 "## Two directions"
    "$LAB" hint 09
    run "$LAB" hint 09
    assert_output --partial "no more hints"
    run "$LAB" solution 09
    assert_failure 1
    assert_output --partial "--give-up"
    run "$LAB" solution 09 --give-up
    assert_success
    assert_output "$(cat "$SOLUTION")"
    run "$LAB" list
    assert_line --regexp "^09-eof .*solution seen"
}

@test "check makes a copy of the starter, list shows success, reset keeps the file aside" {
    run "$LAB" check 09
    assert_failure 1
    assert_line "A copy of the starter is now yours to edit: $DIR/work/09-eof/client.c"
    cp "$SOLUTION" "$DIR/work/09-eof/client.c"
    run "$LAB" check 09
    assert_success
    assert_line --partial "Passed: 3 runs"
    run "$LAB" list
    assert_line --regexp "^09-eof .*passed$"
    assert_line --regexp "^00-hello .*no exercise"
    run "$LAB" reset 09
    assert_line "Your file is kept as $DIR/work/09-eof/client.c.1"
    cmp "$SOLUTION" "$DIR/work/09-eof/client.c.1"
    run "$LAB" list
    assert_line --regexp "^09-eof .*next: "
}

@test "what every lab asks is counted as well: all of a lab's own checks pass, and not all pass" {
    sed 's/return 0;$/return 7;/' "$SOLUTION" >"$DIR/mine.c"
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "FAIL   it ends with status 0"
    assert_line "7 of 8 checks passed"
    counts_what_is_listed
    run "$LAB" check 09 "$SOLUTION"
    assert_success
    assert_line "7 of 7 checks passed"
    counts_what_is_listed
}

@test "a program that finds the end by recvmmsg() passes: a message of 0 bytes, and not a 0" {
    { echo '#define _GNU_SOURCE' && cat "$SOLUTION"; } | sed -e 's/(n = recv(fd, buf, sizeof(buf), 0))/(n = one(fd, buf, sizeof(buf)))/' \
        -e '/^int main/i static ssize_t one(int fd, void *to, size_t size) { struct iovec v = { to, size };' \
        -e '/^int main/i struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };' \
        -e '/^int main/i return recvmmsg(fd, &m, 1, 0, NULL) == 1 ? (ssize_t)m.msg_len : -1; }' >"$DIR/mine.c"
    grep -q 'n = one(' "$DIR/mine.c"
    run "$LAB" check 09 "$DIR/mine.c"
    assert_success
    assert_line "pass   the client sees the end of the reply"
}

@test "the same seed draws the same numbers, another one others" {
    settings() { "$LAB" check 09 "$SOLUTION" "$@" | grep '^run '; }
    one=$(settings --seed 7)
    assert_equal "$(settings --seed 7)" "$one"
    other=$(settings --seed 8)
    [ "$other" != "$one" ] || fail "seed 8 is seed 7: $one"
    assert_equal "$(wc -l <<<"$one")" 3
}

@test "the command that makes a failed run again can be typed as it is printed" {
    local name again
    for name in mine.c "a b's \$HOME.c"; do
        cp "$TOP/labs/09-eof/wrong/one_recv.c" "$DIR/$name"
        run "$LAB" check 09 "$DIR/$name"
        assert_failure 1
        again=$(sed -n 's|^This run again: sudo ./lab|"$LAB"|p' <<<"$output")
        first=$(grep '^run 1' <<<"$output")
        run eval "$again"
        assert_failure 1
        assert_line "$first"
    done
    # What needs no quotes has none.
    run "$LAB" check 09 "$DIR/mine.c" --seed 7
    assert_line "This run again: sudo ./lab check 09 $DIR/mine.c --seed 7"
}

@test "a recording keeps what it was run with, for a check of its own" {
    "$LAB" check 09 "$SOLUTION" --seed 7 >"$DIR/said"
    run "$TOP/trace" check "$STATE/check.rec" "$TOP/labs/09-eof/check.sql"
    assert_success
    run "$TOP/trace" query --csv "$STATE/check.rec" \
        "SELECT (SELECT value FROM meta WHERE key = 'said.1'), (SELECT value FROM meta WHERE key = 'said.1.t_ns') > 0,
         value FROM meta WHERE key = 'lab.reply'"
    assert_line --index 1 --regexp '^reply: ([0-9]+) bytes,1,\1'
}

@test "check --watch looks again when the file is saved" {
    cp "$TOP/labs/09-eof/wrong/one_recv.c" "$DIR/mine.c"
    "$LAB" check 09 "$DIR/mine.c" --watch >"$DIR/said" 2>&1 3>&- &
    LAB_PID=$!
    until_true grep -q '^Waiting until you save' "$DIR/said"
    grep -q '^FAIL ' "$DIR/said"
    cp "$SOLUTION" "$DIR/next.c"
    mv "$DIR/next.c" "$DIR/mine.c" # as many editors do
    until_true grep -q '^Passed: ' "$DIR/said"
    until_true test "$(grep -c '^Waiting until' "$DIR/said")" = 2 ||
        until_true bash -c "[ \$(grep -c '^Waiting until' '$DIR/said') = 2 ]"
    kill -TERM "$LAB_PID"
    run wait "$LAB_PID"
    LAB_PID=
    # With other numbers: the first run of each is another one.
    assert_equal "$(grep -o '^run 1 of 3 .*' "$DIR/said" | sed 's/.* port/port/' | sort -u | wc -l)" 2
}

@test "whatever is printed: a full disk is told" {
    for words in --help --version list 'hint 04' 'show 04'; do
        run bash -c "'$LAB' $words >/dev/full"
        assert_failure 125
        assert_output --partial "No space left"
    done
}

@test "list fits 80 columns, however far somebody is" {
    local lab mark marks
    for marks in "" prediction gave-up passed "passed gave-up"; do
        for lab in "$TOP"/labs/[0-9]*/; do
            lab=$XDG_STATE_HOME/socklens/labs/$(basename "$lab")
            rm -rf "$lab"
            mkdir -p "$lab"
            for mark in $marks; do echo CB >"$lab/$mark"; done
        done
        run "$LAB" list
        assert_success
        [ "$(wc -L <<<"$output")" -le 80 ] || fail "$output"
        grep '^09-eof' <<<"$output" >>"$DIR/rows"
    done
    assert_equal "$(sort -u "$DIR/rows" | wc -l)" 5
}

# --- whose fault it is ---

@test "a program that does not compile: the compiler's words, and status 1" {
    learner 'int main(void) { return undeclared; }'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "Your program does not compile. The compiler says:"
    assert_line --regexp "mine.c:[0-9]+:[0-9]+: error: .undeclared. undeclared"
}

@test "warnings are shown, and the program is graded" {
    { cat "$SOLUTION" && echo 'static int unused_one;'; } >"$DIR/mine.c"
    run "$LAB" check 09 "$DIR/mine.c"
    assert_success
    assert_line "Your program compiles, but the compiler warns:"
    assert_line --partial "unused_one"
}

@test "a compiler that is not there is this machine's, not the learner's" {
    CC=no-such-compiler run "$LAB" check 09 "$SOLUTION"
    assert_failure 125
    assert_output "lab: there is no C compiler 'no-such-compiler' on this machine; 'sudo apt-get install gcc libc6-dev' brings one"
}

@test "a file that is not there, and one that is none, are named" {
    run "$LAB" check 09 "$DIR/no.c"
    assert_failure 125
    assert_output "lab: cannot read '$DIR/no.c': No such file or directory; check its name"
    run "$LAB" check 09 "$DIR"
    assert_failure 125
    assert_output --partial "is no file"
}

@test "a compiler that is kept busy for ever is ended" {
    learner '#include "/dev/zero"'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "Your program does not compile. The compiler says:"
}

# A tree whose tracer is that script.
with_tracer() { # SCRIPT
    nobody_has_a_tree
    printf '#!/bin/bash\n%s\n' "$1" >"$DIR/tree/trace"
}

@test "a run that lost events is made again with the same numbers, and then decides" {
    with_tracer "[ ! -e '$DIR/lost' ] || exec $TOP/trace \"\$@\"
        touch '$DIR/lost'
        while [ \"\$1\" != -w ]; do shift; done
        trap 'python3 $TOP/tests/make_recording.py --lost 3 >\"\$2\"; exit 0' INT
        echo ready >&3
        while :; do read -r -t 1 <> <(:); done"
    run "$LAB" check 09 "$SOLUTION"
    assert_success
    numbers=$(sed -n 's/^run 1 of 3  AGAIN  *//p' <<<"$output")
    assert [ -n "$numbers" ]
    assert_equal "$(grep -c "^run 1 of 3  pass  *$numbers$" <<<"$output")" 1
    assert [ -e "$STATE/passed" ]
}

@test "events that were lost decide nothing: status 2, no pass" {
    with_tracer "while [ \"\$1\" != -w ]; do shift; done
        trap 'python3 $TOP/tests/make_recording.py --lost 3 >\"\$2\"; exit 0' INT
        echo ready >&3
        while :; do read -r -t 1 <> <(:); done"
    run "$LAB" check 09 "$SOLUTION"
    assert_failure 2
    # It was tried three times.
    assert_equal "$(grep -c '^run 1 of 3  AGAIN ' <<<"$output")" 3
    assert_line --partial "3 events were lost"
    refute_line --regexp "^(pass|Passed)"
    # Whoever checks does not record.
    refute_output --partial "record again"
    assert_line "Run the check again: sudo ./lab check 09 $SOLUTION"
    assert [ ! -e "$STATE/passed" ]
    run "$LAB" run 09 --skip-prediction
    assert_failure 2
    refute_output --partial "record again"
    assert_line "lab: run it again: sudo ./lab run 09"
}

@test "a tracer that does not start is this machine's, not the learner's" {
    with_tracer 'echo "trace: this kernel has no BTF" >&2; exit 125'
    run "$LAB" check 09 "$SOLUTION"
    assert_failure 125
    assert_line "trace: this kernel has no BTF"
    assert_line --partial "that is this machine, not your program"
}

@test "a stage that breaks is ours, not the learner's" {
    nobody_has_a_tree
    printf '#!/bin/bash\necho "tester: no port"\nkill -USR2 $$\n' >"$DIR/tree/labs/09-eof/grade"
    run "$LAB" check 09 "$SOLUTION"
    assert_failure 125
    assert_line --partial "tester: no port"
    assert_line --partial "no fault of your program"
}

@test "a lab without its starter is no tour: what is missing is named" {
    nobody_has_a_tree
    rm -r "$DIR/tree/labs/09-eof/starter"
    run "$LAB" check 09
    assert_failure 125
    assert_output "lab: lab 09-eof is not complete: there is no C file in its starter/"
    run "$LAB" check 09 "$SOLUTION"
    assert_success
}

@test "programs that are not built are named with their remedy" {
    nobody_has_a_tree
    rm -r "$DIR/tree/.output"
    run "$LAB" check 09 "$SOLUTION"
    assert_failure 125
    assert_output "lab: the programs of lab 09-eof are not built yet; type 'make labs' first"
}

@test "doctor tries everything, and says what is missing" {
    run "$LAB" doctor
    assert_success
    assert_line --regexp "^ok +the tracer sees it"
    assert_line --regexp "^ok +what you did is kept +$XDG_STATE_HOME/socklens/labs$"
    assert_line "Everything works here."
    CC=no-such-compiler run "$LAB" doctor
    assert_failure 1
    assert_line --regexp "^NO +a C compiler +there is no C compiler"
    with_tracer 'exit 125'
    run "$LAB" doctor
    assert_failure 1
    assert_line --regexp "^NO +the tracer sees it"
}

# Without that program: its file is one that cannot be run, for this command alone.
without() { # PROGRAM COMMAND...
    # shellcheck disable=SC2016 # for the other shell
    unshare --mount --propagation unchanged bash -c 'mount --make-rprivate / 2>/dev/null
        mount --bind /dev/null "$(realpath "$(command -v "$0")")" && exec "$@"' "$@"
}

@test "what a lab needs is named with its package, by doctor and by the lab" {
    run without tc "$LAB" doctor
    assert_failure 1
    assert_line --regexp "^ok +07-send: the program ip +found"
    assert_line --regexp "^NO +07-send: the program tc +'sudo apt-get install iproute2' brings it"
    assert_equal "$(grep -c '^NO' <<<"$output")" 1
    run without tc "$LAB" run 07 --skip-prediction
    assert_failure 125
    assert_line "lab: lab 07-send needs the program 'tc'; 'sudo apt-get install iproute2' brings it"
    # Any lab may say so, and doctor needs no root for it.
    nobody_has_a_tree
    echo 'no-such-tool some-package # of no use' >"$DIR/tree/labs/09-eof/needs"
    run nobody "$LAB" doctor
    assert_failure 1
    assert_line --regexp "^NO +09-eof: the program no-such-tool +'sudo apt-get install some-package' brings it"
}

@test "doctor makes the networks that labs prepare, and says which cannot be made" {
    run "$LAB" doctor
    assert_success
    assert_line --regexp "^ok +07-send: its network +can be made"
    assert_line --regexp "^ok +14-accept: its network +can be made"
    nobody_has_a_tree
    printf '#!/bin/bash\necho "this kernel has no moon"\nexit 1\n' >"$DIR/tree/labs/14-accept/arena"
    run "$LAB" doctor
    assert_failure 1
    assert_line --regexp "^NO +14-accept: its network .*this kernel has no moon"
}

@test "a lab with a far side has two networks, both traced, and no program can go from one to the other" {
    nobody_has_a_tree
    cat >"$DIR/tree/labs/00-hello/arena" <<'END'
#!/bin/bash -u
ip link add left type veth peer name right netns "$LAB_FAR"
END
    cat >"$DIR/tree/labs/00-hello/far" <<'END'
#!/bin/bash -u
mkfifo said
(exec 3<>/dev/tcp/127.0.0.1/4711) 2>/dev/null
echo "$(readlink /proc/self/ns/net), $(id -u), $(grep -o 'right' /proc/net/dev)" >said
END
    cat >"$DIR/tree/labs/00-hello/run" <<'END'
#!/bin/bash -u
mkfifo said 2>/dev/null
(exec 3<>/dev/tcp/127.0.0.1/4712) 2>/dev/null
read -r far <said
echo "far: $far"
echo "near: $(readlink /proc/self/ns/net), $(id -u)"
nsenter --net="$LAB_FAR" echo "went over"
exit 0
END
    chmod +x "$DIR/tree/labs/00-hello"/{arena,far,run}
    run "$LAB" run 00 --record "$DIR/run.rec"
    assert_success
    assert_line --regexp '^far: net:\[[0-9]+\], [0-9]{10}, right$'
    far=$(sed -n 's/^far: net:\[\([0-9]*\)\].*/\1/p' <<<"$output")
    near=$(sed -n 's/^near: net:\[\([0-9]*\)\].*/\1/p' <<<"$output")
    assert_line --regexp "^near: net:\[$near\], $(sed -n 's/^far: [^,]*, \([0-9]*\),.*/\1/p' <<<"$output")$"
    assert_not_equal "$near" "$far"
    refute_line "went over"
    run "$TOP/trace" query --csv "$DIR/run.rec" \
        "SELECT DISTINCT netns, dst FROM sock WHERE dst LIKE '127.0.0.1:471_' ORDER BY 2"
    assert_line --partial "$far,127.0.0.1:4711"
    assert_line --partial "$near,127.0.0.1:4712"
}

# --- under sudo ---

@test "under sudo everything belongs to the person behind it, and runs as a user who owns nothing" {
    export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
    seen_inside
    install -o $NOBODY -m 600 "$SOLUTION" "$SEEN/theirs"
    install -o $NOBODY -m 604 "$SOLUTION" "$SEEN/everybodys"
    learner 'int main(void) { printf("uid %d euid %d gid %d groups %d\n", getuid(), geteuid(), getgid(), getgroups(0, NULL));
        printf("root again: %d\n", setuid(0));
        printf("open: %d %d\n", open("'"$SEEN/theirs"'", O_RDONLY), open("'"$SEEN/everybodys"'", O_RDONLY) > 0); return 0; }'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line --regexp "    \| uid ([0-9]{10}) euid \1 gid \1 groups 1"
    assert_line "    | root again: -1"
    assert_line "    | open: -1 1"
    "$LAB" predict 09 CB
    "$LAB" run 09 >/dev/null
    run find "$XDG_STATE_HOME" ! -uid $NOBODY
    assert_output ""
    run find "$XDG_STATE_HOME" -name '*.rec'
    assert_equal "${#lines[@]}" 2
    "$LAB" check 09 >/dev/null || true
    run find "$SOCKLENS_LABS" ! -uid $NOBODY
    assert_output ""
}

@test "under sudo the state is where the user's own shell would have it" {
    nobody_has_a_tree
    # As sudo is: a program that any user may start and that is root's.
    install -m 4755 "$(command -v setpriv)" "$DIR/become"
    printf '#!%s\n' /bin/bash >"$DIR/shell"
    echo "$DIR/become --reuid 0 --regid 0 --clear-groups -- env -i PATH=$PATH SUDO_UID=$NOBODY SUDO_GID=$NOBODY \
        $LAB predict 09 CB; true" >>"$DIR/shell"
    chmod 755 "$DIR/shell"
    run nobody env XDG_STATE_HOME="$DIR/theirs" "$DIR/shell"
    assert_success
    assert [ -f "$DIR/theirs/socklens/labs/09-eof/prediction" ]
    assert_equal "$(stat -c %u "$DIR/theirs/socklens/labs/09-eof/prediction")" $NOBODY
}

@test "a file that the user may not read is not read for them" {
    export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
    install -m 600 "$SOLUTION" "$DIR/secret.c"
    run "$LAB" check 09 "$DIR/secret.c"
    assert_failure 1
    assert_output --partial "Permission denied"
}

# A folder as /tmp is, for all; $DIR/own is the user's alone. 65533 is somebody else.
where_others_write() {
    export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
    mkdir -m 1777 "$DIR/all"
    mkdir -m 755 "$DIR/own"
    chown $NOBODY:$NOBODY "$DIR/own"
}

as_other() {
    setpriv --reuid 65533 --regid 65533 --clear-groups -- "$@"
}

@test "what it keeps is for its user's eyes, whatever the umask" {
    umask 000
    export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
    "$LAB" predict 09 CB
    "$LAB" run 09 >/dev/null
    "$LAB" check 09 >/dev/null || true
    run find "$XDG_STATE_HOME" "$SOCKLENS_LABS" -mindepth 1 -perm /077
    assert_output ""
    run find "$XDG_STATE_HOME" "$SOCKLENS_LABS" -type f
    assert_equal "${#lines[@]}" 4 # prediction, two recordings, the starter's copy
}

@test "a planted link leads none of its files elsewhere" {
    where_others_write
    as_other ln -s "$DIR/own" "$DIR/all/state"
    XDG_STATE_HOME=$DIR/all/state run "$LAB" predict 09 CB
    assert_failure 125
    assert_output --partial "a symbolic link on the way lies where others can write"
    SOCKLENS_LABS=$DIR/all/state run "$LAB" check 09
    assert_failure 125
    assert_output --partial "a symbolic link on the way lies where others can write"
    for link in run.rec run.rec.raw; do
        as_other ln -s "$DIR/own/new" "$DIR/all/$link"
        run "$LAB" run 09 --record "$DIR/all/run.rec"
        assert_failure 125
        assert_equal "$(readlink "$DIR/all/$link")" "$DIR/own/new"
        as_other rm "$DIR/all/$link"
    done
    assert_equal "$(ls -A "$DIR/own")" ""
    # A link of one's own, and one where only oneself may write, are followed.
    mkdir "$DIR/own/there"
    chown $NOBODY "$DIR/own/there"
    ln -s there "$DIR/own/here"
    XDG_STATE_HOME=$DIR/own/here run "$LAB" predict 09 CB
    assert_success
    assert [ -f "$DIR/own/there/socklens/labs/09-eof/prediction" ]
}

@test "a planted folder or file is not used" {
    where_others_write
    as_other mkdir -p -m 777 "$DIR/all/state/socklens/labs/09-eof"
    XDG_STATE_HOME=$DIR/all/state run "$LAB" predict 09 CB
    assert_failure 125
    assert_output --partial "is another user's, or open to all; name a folder of your own in XDG_STATE_HOME"
    assert_equal "$(ls -A "$DIR/all/state/socklens/labs/09-eof")" ""
    as_other touch "$DIR/all/run.rec"
    run "$LAB" run 09 --record "$DIR/all/run.rec"
    assert_failure 125
    assert_output --partial "cannot write '$DIR/all/run.rec'"
    assert [ ! -s "$DIR/all/run.rec" ]
    assert_equal "$(find "$DIR/all" -name 'run.rec*')" "$DIR/all/run.rec"
}

# --- programs that want to do harm ---

@test "a program that loops for ever is ended" {
    harmless "it ends by itself" "after 3.0 s the run was not over; everything in it was ended." \
        'int main(void) { for (;;); }'
}

@test "which call did not return is asked only if one did not" {
    learner 'int main(void) { for (;;); }'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_line "FAIL   it ends by itself"
    refute_output --partial "return?"
    learner "$(looping 'recv(fd, &byte, 1, 0);')"
    run "$LAB" check 09 "$DIR/mine.c"
    assert_line "FAIL   it ends by itself"
    assert_line --partial "return?"
}

@test "a program that ignores every signal and hides in new sessions is ended" {
    harmless "it ends by itself" "after 3.0 s" 'int main(void) { int i; for (i = 1; i < 64; i++) signal(i, SIG_IGN);
        if (!fork()) { setsid(); if (!fork()) setsid(); } for (;;) pause(); }'
}

@test "a fork bomb is ended" {
    harmless "it starts few processes" "more than 64 processes" 'int main(void) { for (;;) fork(); }'
}

# A client that connects, and then does that for ever.
looping() { # C-TEXT-OF-THE-LOOP
    echo 'int main(int argc, char **argv) { char byte; int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 2])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        connect(fd, (struct sockaddr *)&to, sizeof(to)); for (;;) {'"$1"'} return byte; }'
}

# The recording is about as large as it may be: what the tracer holds back comes on top.
recorded_little() {
    assert [ "$(stat -c %s "$STATE/check.rec")" -lt $((80 << 20)) ]
}

# Of a run that was broken off, and of which events may be lost, the lab's own checks say nothing.
decides_nothing_else() {
    refute_line --regexp "^(pass|AGAIN)"
    assert_equal "$(grep -c '^FAIL   ' <<<"$output")" 1
    assert_line "The lab's own checks are not decided: the run was ended in the middle."
}

@test "a program that makes one call for ever is ended, and told which" {
    time_does_not_end_it
    learner "$(looping 'recv(fd, &byte, 1, MSG_DONTWAIT);')"
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "FAIL   it makes few calls"
    assert_line --regexp "^ +it made more calls than 24 MiB can record: recv\(\) [0-9]+ times;"
    refute_output --partial warning
    decides_nothing_else
    recorded_little
    nothing_is_left
}

@test "a program that connects for ever is ended" {
    time_does_not_end_it
    learner "$(looping 'fd = socket(AF_INET, SOCK_STREAM, 0); connect(fd, (struct sockaddr *)&to, sizeof(to)); close(fd);')"
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "FAIL   it makes few calls"
    assert_line --partial "it made more calls than 24 MiB can record"
    decides_nothing_else
    recorded_little
    nothing_is_left
}

@test "a program that leaves a child behind takes it along" {
    harmless "the whole request is sent" "the server read 0 bytes" \
        'int main(void) { if (!fork()) for (;;) pause(); return 0; }'
}

@test "a flood of output is ended, and what is shown cannot fool a terminal" {
    harmless "it prints little" "more than 2000 lines or 65536 bytes" \
        'int main(void) { for (;;) puts("\033[2Jflood"); }'
}

@test "a flood on one line is cut, between characters, and what is left out is counted" {
    learner 'int main(void) { for (;;) putchar(0); }'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "FAIL   it prints little"
    assert_line --regexp '^    \| \?{160} \.\.\. and 65376 bytes more$'
    learner 'int main(void) { int i; putchar(46); for (i = 0; i < 80; i++) fputs("\xc3\xbc", stdout); puts("");
        for (i = 0; i < 160; i++) putchar(120); return 1; }'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_line "    | .$(printf '\xc3\xbc%.0s' {1..79}) ... and 2 bytes more"
    assert_line "    | $(printf 'x%.0s' {1..160})"
}

# Of what a terminal might obey, or show in another order than it stands, nothing is in that file.
nothing_to_obey() { # FILE
    python3 - "$1" <<'PYTHON'
import sys, unicodedata
text = open(sys.argv[1], "rb").read().decode()  # all of it is UTF-8
bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t"]
assert text and not bad, bad
PYTHON
}

@test "what a program prints cannot fool a terminal, and stays readable" {
    learner 'int main(void) { puts("\033[2J \x9b" "31m \xc2\x9b" "2J \xe2\x80\xae \xc3( \r\x7f.");
        puts("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f\ttab"); putchar(0); return 0; }'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_line '    | \x1b[2J \x9b31m \xc2\x9b2J \xe2\x80\xae \xc3( \x0d\x7f.'
    assert_line $'    | gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f\ttab'
    assert_line '    | ?'
    "$LAB" check 09 "$DIR/mine.c" >"$DIR/said" || true
    nothing_to_obey "$DIR/said"
}

@test "what an experiment prints cannot fool a terminal, and is whole" {
    nobody_has_a_tree
    # Each half of a character is a write of its own.
    printf '%s\n' '#!/bin/bash' 'printf "\e[2J \x9b31m\n"' \
        'for _ in {1..200}; do printf "\xc3"; printf "\xa9\n"; done' 'printf "\xc3"; printf "\xa9 end"' \
        >"$DIR/tree/labs/09-eof/run"
    "$LAB" run 09 --record "$DIR/run.rec" >"$DIR/said"
    nothing_to_obey "$DIR/said"
    run cat "$DIR/said"
    assert_line '\x1b[2J \x9b31m'
    assert_equal "$(grep -cx $'\xc3\xa9' "$DIR/said")" 200
    assert_line $'\xc3\xa9 end'
}

@test "what the compiler quotes of a source cannot fool a terminal, and stays readable" {
    export LC_ALL=C.UTF-8
    printf 'int x\x9b31m;\n#error "\x9b31m \e[2J \xc2\x9b2J \xe2\x80\xae gr\xc3\xbc\xc3\x9f"\nint main(void) { return y; }\n' \
        >"$DIR/mine.c"
    "$LAB" check 09 "$DIR/mine.c" >"$DIR/said" || status=$?
    assert_equal "$status" 1
    nothing_to_obey "$DIR/said"
    run cat "$DIR/said"
    assert_line --partial $'#error "\\x9b31m \\x1b[2J \\xc2\\x9b2J \\xe2\\x80\\xae gr\xc3\xbc\xc3\x9f"'
    assert_line --partial $'error: \xe2\x80\x98y\xe2\x80\x99 undeclared'
    # A warning, likewise.
    { cat "$SOLUTION" && printf '#warning "\x9b31m \e[2J \xe2\x80\xae"\n'; } >"$DIR/mine.c"
    "$LAB" check 09 "$DIR/mine.c" >"$DIR/said"
    nothing_to_obey "$DIR/said"
    run cat "$DIR/said"
    assert_line "Your program compiles, but the compiler warns:"
    assert_line --partial '#warning "\x9b31m \x1b[2J \xe2\x80\xae"'
}

@test "a crash is told by the name of its signal" {
    harmless "it does not crash" "signal 11 ended it: Segmentation fault" \
        'int main(void) { volatile int *nowhere = NULL; return *nowhere; }'
    run "$LAB" check 09 "$DIR/mine.c"
    refute_output --partial "it printed" # what the shell remarks is not its output
}

@test "there is nothing to read, no terminal, and a status is told" {
    harmless "it ends with status 0" "it ended with status 7" \
        'int main(void) { return getchar() == EOF && open("/dev/tty", O_RDWR) < 0 ? 7 : 8; }'
}

@test "each status is told as the program's own, 125 as well" {
    for code in 1 125 127; do
        harmless "it ends with status 0" "it ended with status $code" "int main(void) { return $code; }"
    done
}

@test "a program that kills all others is told so" {
    harmless "it ends with status 0" "signal 9 (Killed) ended what had started it" \
        'int main(void) { kill(-1, SIGKILL); for (;;) pause(); }'
}

@test "the disk cannot be filled, and no file is changed" {
    learner "int main(void) { static char b[1 << 20]; int fd = open(\"/tmp/big\", O_CREAT | O_WRONLY, 0600); long n = 0; ssize_t r;
        while ((r = write(fd, b, sizeof(b))) > 0) n += r;
        printf(\"wrote less: %d\\n\", n <= 16 << 20);
        printf(\"unlink %d errno %d\\n\", unlink(\"$SOLUTION\"), errno);
        printf(\"write %d errno %d\\n\", open(\"$DIR/new\", O_CREAT | O_WRONLY, 0600), errno); return 0; }"
    export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "    | wrote less: 1"
    assert_line --regexp "    \| unlink -1 errno (13|30|2)"
    assert_line --regexp "    \| write -1 errno (30|2)"
    assert [ ! -e /tmp/big ]
    nothing_is_left
}

@test "memory, threads and other processes are out of reach" {
    learner 'static void *sleeper(void *arg) { for (;;) pause(); return arg; }
        int main(void) { long mib = 0; int n = 0; pthread_t t; char *volatile p;
        while ((p = malloc(1 << 20))) mib++;
        printf("less: %d\n", mib < 512);
        while (!pthread_create(&t, NULL, sleeper, NULL)) n++;
        printf("few: %d\n", n <= 128);
        printf("init %d\n", kill(1, SIGKILL)); fflush(stdout); return 0; }'
    run "$LAB" check 09 "$DIR/mine.c"
    assert_failure 1
    assert_line "    | less: 1"
    assert_line "    | few: 1"
    assert_line "    | init -1"
    nothing_is_left
}

@test "who else runs what on this machine takes nothing from the number of processes" {
    local others
    nobody_has_a_tree
    seen_inside
    printf '#!/bin/bash\nuntil [ -e "%s" ]; do :; done\nfor i in {1..20}; do sleep 60 & done\necho started\nkill -USR2 $$\n' \
        "$SEEN/go" >"$DIR/tree/labs/09-eof/grade"
    echo "any limit=60000" >"$DIR/tree/labs/09-eof/variants"
    "$LAB" check 09 "$SOLUTION" --seed 4711 >"$DIR/said" 2>&1 3>&- &
    LAB_PID=$!
    export -f in_arena
    until_true bash -c '[ -n "$(in_arena 4711)" ]'
    # As many as could be, of the very user that programs without sudo ran as once.
    nobody env PATH=/usr/bin:/bin python3 -uc 'import threading
for i in range(400): threading.Thread(target=threading.Event().wait, daemon=True).start()
print("up"); threading.Event().wait()' >"$DIR/others" 2>&1 3>&- &
    others=$!
    until_true grep -q up "$DIR/others"
    touch "$SEEN/go"
    wait "$LAB_PID" || true
    LAB_PID=
    kill "$others"
    run cat "$DIR/said"
    assert_line "    | started"
    refute_output --partial "Resource temporarily unavailable"
}

# Who runs in the arena of that seed.
in_arena() { # SEED
    env -i PATH="$PATH" grep -lszx "LAB_SEED=$1" /proc/*/environ
}

# Started on a program that never ends; returns when that runs.
start_check() {
    SEED=$((BASHPID * 10 + 1))
    learner 'int main(void) { for (;;) pause(); }'
    "$LAB" check 09 "$DIR/mine.c" --seed $SEED >"$DIR/said" 2>&1 3>&- &
    LAB_PID=$!
    export -f in_arena
    until_true bash -c "[ -n \"\$(in_arena $SEED)\" ]"
    # The arena's first process, the tracer.
    CHILDREN=$(pgrep -P "$LAB_PID")
    assert_equal "$(wc -w <<<"$CHILDREN")" 2
}

all_gone() {
    local pid
    for pid in $CHILDREN; do
        timeout "$LIMIT" tail --pid="$pid" -f /dev/null || fail "process $pid is left"
    done
    run in_arena "$SEED"
    assert_output ""
}

@test "Ctrl-C ends everything" {
    start_check
    kill -TERM "$LAB_PID"
    status=0
    wait "$LAB_PID" || status=$?
    LAB_PID=
    assert_equal "$status" 125
    all_gone
    run cat "$DIR/said"
    assert_line "lab: interrupted"
    assert [ ! -e "$STATE/check.rec.raw" ]
}

killed_leaves_nothing() {
    start_check
    kill -KILL "$LAB_PID"
    wait "$LAB_PID" || true
    LAB_PID=
    all_gone
}

@test "should the runner be killed, nothing is left either, under sudo as well" {
    time_does_not_end_it # nor the tracer
    killed_leaves_nothing
    export SUDO_UID=$NOBODY SUDO_GID=$NOBODY
    rm -rf "$XDG_STATE_HOME" # it was root's
    killed_leaves_nothing
}

@test "who stops reading what it prints ends everything" {
    nobody_has_a_tree
    printf '%s\n' '#!/bin/bash' 'for i in {1..150}; do echo line; read -rt 0.1 <> <(:); done' >"$DIR/tree/labs/09-eof/run"
    run bash -c '"$0" run 09 --record "$1" | head -1' "$LAB" "$DIR/run.rec"
    assert_line "Lab 09-eof: the experiment runs."
    assert_line "lab: nobody reads what it prints any more"
    run env -i PATH="$PATH" grep -lszx "XDG_STATE_HOME=$XDG_STATE_HOME" /proc/*/environ
    assert_output ""
    assert [ ! -e "$DIR/run.rec.raw" ]
}

# SPDX-License-Identifier: MIT
# What must hold of every lab that is found, without a list of them. L=NN-name looks at one.

load asserts

setup_file() {
    export BATS_TEST_TIMEOUT=900 # seconds: there are many labs, and programs that hang on purpose
}

setup() {
    # shellcheck source=tests/labs-helper.bash
    source "$BATS_TEST_DIRNAME/labs-helper.bash"
    export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state SOCKLENS_LABS=$BATS_TEST_TMPDIR/work
}

# All labs are looked at, as many at once as there are processors, and each failure is told, before
# the test fails.
every_lab() { # WHAT
    local lab bad=0 n=0 dir=$BATS_TEST_TMPDIR/told running=()
    mkdir "$dir"
    for lab in $(all_labs); do
        # Only those started here: bats has a child of its own.
        [ $n -lt "$(nproc)" ] || wait "${running[n - $(nproc)]}" || true
        { "$1" "$lab" && touch "$dir/$lab.holds"; } >"$dir/$lab" 2>&1 3>&- &
        running[n]=$!
        n=$((n + 1))
    done
    wait "${running[@]}" || true
    [ $n -gt 0 ] || fail "there are no labs${L:+ named $L}"
    for lab in $(all_labs); do
        [ -e "$dir/$lab.holds" ] || { cat "$dir/$lab"; bad=1; }
    done
    return $bad
}

@test "every lab has all its parts" {
    every_lab parts
}

@test "every untouched starter fails, for the reason it states" {
    every_lab starter_fails
}

@test "every solution passes, three times in a row" {
    every_lab solution_passes
}

@test "every wrong solution fails, for the reason it states" {
    every_lab wrong_fail
}

@test "every lab tells a program that does nothing, one that crashes, and one that ends with 125, what was" {
    every_lab says_what_was
}

@test "every experiment shows what its handout says" {
    every_lab experiment_shows
}

@test "every handout quotes what its commands print" {
    every_lab handout_is_true
}

@test "every recorded experiment can be watched without root" {
    every_lab watch_works
}

# The tests above must be able to fail.
broken_tree() {
    local tree=$BATS_TEST_TMPDIR/tree
    mkdir "$tree"
    cp -r "$TOP/labs" "$tree"
    TOP=$tree
}

@test "a part that is missing is named" {
    broken_tree
    rm "$TOP/labs/09-eof/hint.md" "$TOP/labs/09-eof/wrong/close.c" "$TOP/labs/09-eof/wrong/rdwr.c"
    sed -i 2d "$TOP/labs/09-eof/wrong/marker.c"
    sed -i 's/^## Recap/## The end/' "$TOP/labs/09-eof/README.md"
    run parts 09-eof
    assert_failure 1
    assert_line "09-eof: hint.md is missing or empty"
    assert_line "09-eof: wrong/ must hold four .c files or more"
    assert_line "09-eof: wrong/marker.c does not state in its second line what it fails"
    assert_line "09-eof: the handout lacks '^## Recap'"
}

@test "each part that is missing is named, and nothing else is heard of it" {
    local part named
    broken_tree
    c_files() { :; } # nothing is changed in these
    while IFS='|' read -r part named; do
        mv "$TOP/labs/09-eof/$part" "$BATS_TEST_TMPDIR/away"
        run parts 09-eof </dev/null
        mv "$BATS_TEST_TMPDIR/away" "$TOP/labs/09-eof/$part"
        assert_failure 1
        assert_line "09-eof: ${named/PART/$part}"
        refute_line --regexp '^[^0]'
    done <<'EOF'
README.md|PART is missing or empty
run|PART is missing or empty
run.rec|PART is missing or empty
teach.md|PART is missing or empty
predict.md|PART is missing or empty
settle.sql|PART is missing or empty
check.sql|PART is missing or empty
variants|PART is missing or empty
grade|PART is missing or empty
hint.md|PART is missing or empty
tester.c|PART is missing or empty
tester.c|grade starts ./tester, and there is no PART
client.c|run starts ./client, and there is no PART
server.c|run starts ./server, and there is no PART
starter|PART/ must hold one .c file
solution|PART/ must hold one .c file
wrong|PART/ must hold four .c files or more
EOF
    run parts 09-eof
    assert_success
    assert_output ""
}

@test "what has any part of an exercise is no tour" {
    local part
    broken_tree
    is_tour 00-hello
    for part in starter solution wrong check.sql predict.md settle.sql variants grade hint.md tester.c; do
        cp -r "$TOP/labs/09-eof/$part" "$TOP/labs/00-hello"
        run is_tour 00-hello
        assert_failure 1
        rm -r "$TOP/labs/00-hello/$part"
    done
}

@test "a section of teach.md that is missing or empty is named, and a plan that does not add up" {
    broken_tree
    sed -i -e 's/^## Key/## The key/' -e '/^- .*?/d' -e 's/^| 5-8 /| 5-9 /' "$TOP/labs/09-eof/teach.md"
    run teach_parts 09-eof
    assert_failure 1
    assert_output "$(printf '09-eof: %s\n' "teach.md lacks '## Questions to ask', or enough below it" \
        "teach.md lacks '## Key', or enough below it" "teach.md: the plan for 45 minutes does not add up")"
}

@test "parts of a handout that do not add up are named, and a table that says something else" {
    broken_tree
    sed -i 's/^## 2. Run (10 minutes)/## 2. Run (11 minutes)/' "$TOP/labs/09-eof/README.md"
    run minutes_add_up 09-eof
    assert_failure 1
    assert_output "09-eof: the handout's parts do not add up to its 50 minutes"
    sed -i 's/^50 minutes/51 minutes/' "$TOP/labs/09-eof/README.md"
    run minutes_add_up 09-eof
    assert_failure 1
    assert_output "09-eof: labs/README.md lacks it, or says other minutes than 51"
}

@test "text that is too wide for a terminal, or code for a page, is named" {
    broken_tree
    printf '## %s\n' "$(printf '%076d' 0)" >>"$TOP/labs/09-eof/hint.md"
    printf '    %s\n' "$(printf '%077d' 0)" >>"$TOP/labs/00-hello/README.md"
    printf '    %s\n' "$(printf '%0105d' 0)" >>"$TOP/labs/09-eof/teach.md"
    run text_fits 09-eof
    assert_failure 1
    assert_line "09-eof: hint.md has a line that ./lab cannot show in 80 columns"
    assert_line "09-eof: teach.md has a line of code that is wider than a page: 104 columns"
    refute_line --partial README.md
    run text_fits 00-hello
    assert_failure 1
    assert_output "00-hello: README.md has a line that ./lab cannot show in 80 columns"
}

@test "a starter that passes, and a wrong solution that fails for another reason, are found" {
    local solution=$TOP/labs/09-eof/solution/client.c
    sed '1a/* fails: nobody sends an RST */' "$solution" >"$BATS_TEST_TMPDIR/passes.c"
    run fails_for_its_reason 09-eof "$BATS_TEST_TMPDIR/passes.c"
    assert_failure 1
    assert_output --partial "ends the check with 0, not 1"
    # Never a fault of that one; an RST would be, where a byte comes after its close().
    sed 's|^/\* fails: .*|/* fails: the whole request is sent */|' "$TOP/labs/09-eof/wrong/one_recv.c" >"$BATS_TEST_TMPDIR/other.c"
    run fails_for_its_reason 09-eof "$BATS_TEST_TMPDIR/other.c"
    assert_failure 1
    assert_output --partial "does not fail 'the whole request is sent'"
}

@test "a handout that is not true is found, and docs-update makes it true" {
    local handout=$BATS_TEST_TMPDIR/README.md
    # shellcheck disable=SC2016 # the dollar is the handout's
    printf '%s\n' 'Text' '' '    $ echo one; \' '      echo two' '    one' '    three' '' 'More.' >"$handout"
    run "$TOP/tests/handout.py" "$handout"
    assert_failure 1
    assert_line -- "-    three"
    assert_line "+    two"
    run "$TOP/tests/handout.py" --update "$handout"
    assert_success
    run "$TOP/tests/handout.py" "$handout"
    assert_success
    assert_equal "$(sed -n 4,8p "$handout")" "$(printf '      echo two\n    one\n    two\n\nMore.')"
}

@test "a row of evidence may be about other amounts when the experiment is made again, and not about another call" {
    local row='         154     11.271 ms  client 11934   recv(3, 65536) = 49152; receive queue 32768 B'
    run python3 - "$TOP/tests" "$row" "${row/49152/65536}" "${row/recv/send}" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from handout import normal
stands, amount, call = map(normal, sys.argv[2:])
print(stands == amount, stands == call)
PYTHON
    assert_output "True False"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# trace explain: the verdicts of a recording made by hand, their evidence, and what it refuses.
# Beside others: it looks at a recording.

bats_require_minimum_version 1.5.0

load cmd-helper

@test "explain: question, cause, certainty, evidence and remedy, without root" {
    run --separate-stderr nobody "$FOR_ALL/trace" explain "$RECORDING"
    assert_success
    assert_equal "$stderr" ''
    assert_line --regexp '^ +[0-9]+ Why did recv\(4\) return 0\? +news, eof-close, at [0-9.]+ ms$'
    assert_line --regexp 'because +EOF: the client \(.*4001\) called close\(3\)'
    assert_line --regexp 'certainty +proved$'
    assert_line --regexp 'evidence +[0-9]+ +[0-9.]+ ms  client 4001 +send\(3, 14 B\) = 14'
    assert_line --regexp '^ +[0-9]+ +[0-9.]+ ms  client 4001 +close\(3\) begins$'
    assert_line --regexp '^ +[0-9]+ +[0-9.]+ ms  server 4000 +recv\(4, 1024\) = 0$'
    assert_line --regexp 'to do +Nothing more will come: close\(4\)$'
    assert_line --regexp '^[0-9]+ verdicts?$'
}

@test "explain: from standard input the same" {
    run "$TRACE" explain "$RECORDING"
    local file=$output
    run bash -c '"$1" explain - <"$2"' - "$TRACE" "$RECORDING"
    assert_success
    assert_equal "$output" "$file"
    run bash -c '"$1" explain <(cat "$2")' - "$TRACE" "$RECORDING"
    assert_success
    assert_equal "$output" "$file"
}

@test "explain: --json is what show --json says of verdicts" {
    "$TRACE" show --json "$RECORDING" | grep '"kind":"verdict"' | sort >shown
    "$TRACE" explain --json "$RECORDING" | sort >explained
    run diff shown explained
    assert_success
    run grep -c . explained
    refute_output 0
}

@test "explain: show tells a verdict below its line; -q leaves it out" {
    run "$TRACE" show "$RECORDING"
    assert_line --regexp '^ +why EOF: the client'
    run "$TRACE" show -q "$RECORDING"
    assert_success
    refute_line --regexp '^ +why'
    run bash -c '"$1" show -q --json "$2" | grep -c verdict\"' - "$TRACE" "$RECORDING"
    assert_output 0
}

@test "explain: --rule and --weight choose, and what is left out is counted" {
    run "$TRACE" explain --rule eof-shutdown "$RECORDING"
    assert_success
    assert_line --regexp '^0 verdicts, [0-9]+ left out$'
    run "$TRACE" explain "$RECORDING" --rule eof-close
    assert_line --regexp 'eof-close'
    run "$TRACE" explain --weight alarm "$RECORDING"
    assert_line --regexp '^0 verdicts, [0-9]+ left out$'
}

@test "explain: --list names every verdict once, each with its weight" {
    run "$TRACE" explain --list --width 200
    assert_success
    assert_line --regexp '^eof-close +news +recv\(\) returned 0'
    refute_line --regexp -v '^[a-z0-9-]+ +(aside|news|alarm) +[^ ]'
    run bash -c '"$1" explain --list --width 500 | cut -d" " -f1 | sort | uniq -d' - "$TRACE"
    assert_output ''
}

@test "explain: every verdict there is has a test of its own, by hand and live" {
    local top=$BATS_TEST_DIRNAME name missing=
    for name in $("$TRACE" explain --list --width 500 | cut -d' ' -f1); do
        grep -q "\"$name\"" "$top"/unit/test_explain_*.c || missing+=" $name(unit)"
        # that it is absent somewhere is no test of it
        grep -hE "(^|[ '\"])$name([ '\"]|\$)" "$top"/live/why-*.bats |
            grep -vq 'expect_verdicts 0' || missing+=" $name(live)"
    done
    assert_equal "$missing" ''
}

@test "explain: no line is wider than it may be" {
    run "$TRACE" explain --width 80 "$RECORDING"
    assert_width 80
    run "$TRACE" explain --list --width 80
    assert_width 80
}

@test "explain: a recording that is cut is explained as far as it goes, with status 125" {
    head -c -20 "$RECORDING" >cut
    run --separate-stderr "$TRACE" explain cut
    assert_failure 125
    assert_line --partial 'eof-close'
    assert_regex "$stderr" "^trace: 'cut' is cut short after .*explained"
}

@test "explain: a full disk is told, a reader that leaves is not" {
    local option
    for option in --width=100 --json; do
        run bash -c '"$0" explain "$1" "$2" >/dev/full' "$TRACE" "$option" "$RECORDING"
        assert_failure 125
        assert_output --regexp '^trace: cannot write the output: No space left'
        run bash -c 'set -o pipefail; "$0" explain "$1" "$2" | true' "$TRACE" "$option" "$RECORDING"
        assert_success
        assert_output ''
    done
}

@test "explain: what cannot be done is one sentence" {
    refute_works "which recording" "$TRACE" explain
    refute_works "no recording" "$TRACE" explain /etc/passwd
    refute_works "cannot read .*nowhere" "$TRACE" explain nowhere
    refute_works "'two' is too many" "$TRACE" explain one two
    refute_works "no verdict 'eof'" "$TRACE" explain --rule eof "$RECORDING"
    refute_works "--weight cannot be 'heavy'" "$TRACE" explain --weight heavy "$RECORDING"
    refute_works "--blocked cannot be '0'" "$TRACE" explain --blocked 0 "$RECORDING"
    refute_works "unknown .*option" "$TRACE" explain --nothing "$RECORDING"
}

@test "explain: its times are those of the lines of show" {
    "$TRACE" show "$RECORDING" >shown
    "$TRACE" explain "$RECORDING" >explained
    # send() and its return, as both tell them
    time=$(sed -n 's/^ *\([0-9.]*\)  \.\.\. = 14 .*sndq.*/\1/p' shown | head -1)
    [ -n "$time" ]
    grep -Eq "^ +1 send\(3\) returned 14.* at ${time/./\\.} ms$" explained
    grep -Eq " ${time/./\\.} ms  client 4001 +send\(3, 14 B\) = 14" explained
}

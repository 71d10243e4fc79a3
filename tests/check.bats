#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# trace check, on a recording made by hand (make_recording.py).
# Beside others: it looks at a recording.

bats_require_minimum_version 1.5.0

load cmd-helper

# One check of its own: check_of NAME SQL
check_of() {
    printf -- '-- check: %s\n-- pass: all {n} are there\n-- fail: only {n}\n%s;\n' "$@"
}

PASSES="SELECT count(*) = 2 AS pass, count(*) AS n, group_concat(return_id) AS evidence FROM call WHERE name = 'send'"
FAILS="SELECT 0 AS pass, 1 AS n, min(event) AS evidence FROM segment WHERE fin = 1"

check() {
    run --separate-stderr "$TRACE" check "${1:-$RECORDING}" checks.sql
}

@test "check: all pass: 0, each with its sentence and the lines that prove it" {
    { echo '-- What must hold.'; check_of 'both sends' "$PASSES"; } >checks.sql
    check
    assert_success
    assert_line --index 0 'pass   both sends'
    assert_line --index 1 '       all 2 are there'
    assert_line --index 2 --regexp '^ +32 +3\.130 ms  client 4001 +send\(3, 14 B\) = 14'
    assert_line --index 3 --regexp '^ +38 +3\.330 ms  server 4000 +send\(4, 14 B\) = 14'
    assert_line --index 4 '1 of 1 checks passed'
    assert_equal "$stderr" ''
    run "$TRACE" check - checks.sql <"$RECORDING"
    assert_success
    assert_line --index 2 --regexp 'send'
    run "$TRACE" check "$RECORDING" - <checks.sql
    assert_success
    run nobody "$FOR_ALL/trace" check "$RECORDING" - <checks.sql
    assert_success
}

@test "check: one fails: 1, with its hint and the lines that break it" {
    { check_of a "$PASSES"; check_of b "$FAILS"; } >checks.sql
    check
    assert_failure 1
    assert_line 'FAIL   b'
    assert_line '       only 1'
    assert_line --regexp '^ +42 .* FIN leaves'
    assert_line '1 of 2 checks passed'
}

@test "check: events were lost, or the recording has no end: 2, and nothing is decided" {
    { check_of a "$PASSES"; check_of b "$FAILS"; } >checks.sql
    python3 "$MAKE_RECORDING" --lost 7 >lost
    check lost
    assert_failure 2
    assert_line 'AGAIN  a'
    assert_line 'AGAIN  b'
    assert_line --partial '7 events were lost'
    refute_line --regexp '^(pass|FAIL)'
    python3 "$MAKE_RECORDING" --no-end >cut
    check cut
    assert_failure 2
    assert_line --partial 'cut short after 35 events'
    head -c $(($(stat -c %s "$RECORDING") - 8)) "$RECORDING" >cut
    check cut
    assert_failure 2
    run "$TRACE" check --json lost checks.sql
    assert_failure 2
    assert_line --index 0 --partial '"result":"again"'
}

# refute_check PATTERN SQL...: an error that names the check, 125, and no pass
refute_check() {
    check_of broken "$2" >checks.sql
    check_of good "$PASSES" >>checks.sql
    check
    assert_failure 125
    assert_equal "${#stderr_lines[@]}" 1
    assert_regex "$stderr" "^trace: check 'broken' .*$1"
    refute_output --regexp '(pass|FAIL)   broken'
}

@test "check: one that cannot be run is an error that names it, never a pass" {
    refute_check "SQL error" "SELECT 1 AS pass, nope AS n FROM event"
    refute_check "SQL error" "SELEKT 1"
    refute_check "no column 'pass'" "SELECT 1 AS n"
    refute_check "\{n\}" "SELECT 1 AS pass"
    refute_check "one SELECT at a time" "SELECT 1 AS pass, 1 AS n; SELECT 1"
    refute_check "only SELECT is allowed" "DELETE FROM event"
    refute_check "only SELECT is allowed" "ATTACH 'x' AS y"
    assert_equal "$output" ''
    refute_check "yields no row" "SELECT 1 AS pass, 1 AS n FROM call WHERE name = 'nope'"
    assert_line 'ERROR  broken'
    assert_line 'pass   good'
    refute_check "is NULL" "SELECT max(id) > 1 AS pass, 1 AS n FROM call WHERE name = 'nope'"
    refute_check "is yes" "SELECT 'yes' AS pass, 1 AS n"
    refute_check "is 2" "SELECT 2 AS pass, 1 AS n"
    refute_check "event 4711" "SELECT 1 AS pass, 1 AS n, 4711 AS evidence"
    refute_check "has evidence 'x'" "SELECT 1 AS pass, 1 AS n, 'x' AS evidence"
}

@test "check: every check that can never run is named, before any is" {
    { check_of one "SELECT 1"; check_of two "$PASSES"; check_of three "SELECT"; } >checks.sql
    check
    assert_failure 125
    assert_output ''
    assert_equal "${#stderr_lines[@]}" 2
    assert_regex "${stderr_lines[0]}" "check 'one'"
    assert_regex "${stderr_lines[1]}" "check 'three'"
}

@test "check: a file that is none is one sentence" {
    : >checks.sql
    refute_works "'checks.sql' is no file of checks: it has no check" "$TRACE" check "$RECORDING" checks.sql
    echo 'SELECT 1 AS pass;' >checks.sql
    refute_works "line 1: SQL before the first" "$TRACE" check "$RECORDING" checks.sql
    { check_of a "$PASSES"; check_of a "$PASSES"; } >checks.sql
    refute_works "line 5: there is a check 'a' already" "$TRACE" check "$RECORDING" checks.sql
    printf -- '-- check: a\n-- pass: x\nSELECT 1 AS pass' >checks.sql
    refute_works "check 'a' has no '-- fail: HINT'" "$TRACE" check "$RECORDING" checks.sql
    refute_works "cannot read 'nope.sql'" "$TRACE" check "$RECORDING" nope.sql
    refute_works "no recording" "$TRACE" check /etc/passwd checks.sql
    refute_works "which checks" "$TRACE" check "$RECORDING"
    refute_works "which recording" "$TRACE" check
    refute_works "'x' is too many" "$TRACE" check "$RECORDING" checks.sql x
    refute_works "both come from standard input" "$TRACE" check - -
}

@test "check: --json says the same" {
    { check_of a "$PASSES"; check_of b "$FAILS"; check_of c 'SELECT NULL AS pass, 1 AS n'; } >checks.sql
    run --separate-stderr "$TRACE" check --json "$RECORDING" checks.sql
    assert_failure 125
    python3 - <<PYTHON
import json
lines = [json.loads(line) for line in '''$output'''.splitlines()]
assert [(l["check"], l["result"]) for l in lines[:-1]] == [("a", "pass"), ("b", "fail"), ("c", "error")], lines
assert lines[0]["evidence"] == [32, 38] and len(lines[0]["lines"]) == 2, lines[0]
assert "send(3, 14 B) = 14" in lines[0]["lines"][0]
assert lines[0]["sentence"] == "all 2 are there" and lines[1]["sentence"] == "only 1"
assert lines[3]["type"] == "trailer" and lines[3]["pass"] == lines[3]["fail"] == lines[3]["error"] == 1
PYTHON
}

@test "check: --width breaks sentences and lines between words; without it, and no terminal, none is broken" {
    check_of a "SELECT 1 AS pass, 'those that were sent by either end of this conversation' AS n,
        group_concat(id) AS evidence FROM event" >checks.sql
    check
    assert_success
    assert_line --index 1 '       all those that were sent by either end of this conversation are there'
    unbroken=${output//[[:space:]]/}
    run --separate-stderr "$TRACE" check --width 65 "$RECORDING" checks.sql
    assert_success
    assert_line --index 1 '       all those that were sent by either end of this'
    assert_line --index 2 '       conversation are there'
    assert_line --regexp '^ {46}[^ ]'
    assert_equal "${output//[[:space:]]/}" "$unbroken"
    [ "$(wc -L <<<"$output")" -le 65 ] || fail "$output"
    run "$TRACE" check --width 9 "$RECORDING" checks.sql
    assert_failure 125
}

@test "check: much evidence is cut, and that is told" {
    python3 "$MAKE_RECORDING" --repeat 30 >many
    check_of a "SELECT 1 AS pass, 1 AS n, return_id AS evidence FROM call WHERE name = 'send'" >checks.sql
    check many
    assert_success
    assert_equal "${#lines[@]}" $((2 + 4 + 1 + 4 + 1))
    assert_line --index 6 '         ... 52 more ...'
    mapfile -t ids < <("$TRACE" query --csv many "SELECT return_id FROM call WHERE name = 'send' ORDER BY return_id" |
        tr -d '\r' | sed 1d)
    assert_equal "$(awk '/ ms / { printf "%s ", $1 }' <<<"$output")" "$(printf '%s ' "${ids[@]:0:4}" "${ids[@]: -4}")"
    run "$TRACE" check --json many checks.sql
    assert_equal "$(head -1 <<<"$output" | python3 -c 'import json
c = json.loads(input())
print(len(c["evidence"]), len(c["lines"]), c["lines"][-1].split()[0])')" "60 8 ${ids[-1]}"
}

@test "check: eight lines of evidence are all shown" {
    python3 "$MAKE_RECORDING" --repeat 4 >many
    check_of a "SELECT 1 AS pass, 1 AS n, return_id AS evidence FROM call WHERE name = 'send'" >checks.sql
    check many
    assert_success
    assert_equal "$(grep -c ' ms ' <<<"$output")" 8
    refute_line --partial more
}

@test "check: reads the recording twice, although root's rights are given up before" {
    check_of a "$PASSES" >"$FOR_ALL/checks.sql"
    install -m 600 "$RECORDING" "$FOR_ALL/roots"
    SUDO_UID=65534 SUDO_GID=65534 run "$TRACE" check "$FOR_ALL/roots" "$FOR_ALL/checks.sql"
    assert_success
    assert_line --index 2 --regexp 'send'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# trace query and trace export, on a recording made by hand (make_recording.py).
# Beside others: it looks at a recording.

bats_require_minimum_version 1.5.0

load cmd-helper

query() {
    run --separate-stderr "$TRACE" query "$RECORDING" "$@"
}

@test "query: rows in columns, as CSV and as JSON" {
    query "SELECT id, name, ret FROM call WHERE name = 'send' ORDER BY id"
    assert_success
    assert_output $'id  name  ret\n29  send   14\n35  send   14'
    query --csv "SELECT id, name, NULL AS none FROM call WHERE name = 'send' ORDER BY id"
    assert_output $'id,name,none\r\n29,send,\r\n35,send,\r'
    query --json "SELECT id, name, NULL AS none, id FROM call WHERE name = 'bind'"
    assert_output '{"id":6,"name":"bind","none":null,"id_2":6}'
    query "SELECT id FROM call WHERE 0"
    assert_success
    assert_output 'id'
}

@test "query: the SELECT from a file, from standard input, the recording from standard input" {
    echo 'SELECT 7 AS n;' >"$BATS_TEST_TMPDIR/q.sql"
    query -f "$BATS_TEST_TMPDIR/q.sql"
    assert_output $'n\n7'
    run "$TRACE" query "$RECORDING" --file - <"$BATS_TEST_TMPDIR/q.sql"
    assert_output $'n\n7'
    run "$TRACE" query - 'SELECT count(*) AS n FROM call' <"$RECORDING"
    assert_output $' n\n12'
}

@test "query: --schema names every table; every column of it can be asked" {
    run "$TRACE" query --schema
    assert_success
    for table in event call segment state sock conn ledger datagrams verdict verdict_evidence loss meta; do
        assert_output --partial "CREATE TABLE $table ("
    done
    assert_width 120
    "$TRACE" query --schema | python3 -c '
import sqlite3, sys
sqlite3.connect(":memory:").executescript(sys.stdin.read())'
    columns=$("$TRACE" query --schema | sed -n '/CREATE TABLE event /,/^);/s/^  \([a-z_0-9]*\) .*/\1/p' | paste -sd,)
    query "SELECT $columns FROM event LIMIT 1"
    assert_success
}

@test "query: a row of event is a line of --json" {
    "$TRACE" show --json "$RECORDING" >lines
    for table in event ledger datagrams; do
        "$TRACE" query --json "$RECORDING" "SELECT * FROM $table ORDER BY rowid" >$table
    done
    python3 "$BATS_TEST_DIRNAME/same_as_json.py" lines event ledger datagrams
    sed 's/"role":"server"/"role":"client"/' event >bad
    run python3 "$BATS_TEST_DIRNAME/same_as_json.py" lines bad
    assert_failure
    sed 's/"written":14/"written":15/' ledger >bad
    run python3 "$BATS_TEST_DIRNAME/same_as_json.py" lines event bad datagrams
    assert_failure
}

@test "query: a conversation, its ledger and its verdicts" {
    query --csv "SELECT sender, written, read, residual FROM ledger ORDER BY sender"
    assert_output $'sender,written,read,residual\r\nclient,14,14,0\r\nserver,14,14,0\r'
    query --csv "SELECT id, protocol, client, server, client_pid, server_pid, established FROM conn"
    assert_output $'id,protocol,client,server,client_pid,server_pid,established\r\n1,tcp,127.0.0.1:40000,127.0.0.1:65430,4001,4000,1\r'
    query --csv "SELECT count(*) AS n FROM event e WHERE conn IS NOT NULL AND conn NOT IN (SELECT id FROM conn)"
    assert_output $'n\r\n0\r'
    query --csv "SELECT count(*) AS n FROM event WHERE sid IS NOT NULL AND sid NOT IN (SELECT sid FROM sock)"
    assert_output $'n\r\n0\r'
    query --csv "SELECT count(*) AS n FROM verdict_evidence WHERE event NOT IN (SELECT id FROM event)"
    assert_output $'n\r\n0\r'
    query --csv "SELECT count(*) > 0 AS n FROM verdict v JOIN verdict_evidence e ON e.verdict = v.id
        JOIN call c ON c.return_id = v.event WHERE v.rule LIKE 'eof%' AND c.eof = 1"
    assert_output $'n\r\n1\r'
}

# Answers of the database that `trace export` makes, by another SQLite.
exported() { # SELECT
    [ -e whole.db ] || "$TRACE" export --to sqlite -o whole.db "$RECORDING"
    python3 -c 'import csv, sqlite3, sys
csv.writer(sys.stdout).writerows(sqlite3.connect("whole.db").execute(sys.argv[1]))' "$1" | sed 's/\x1b/\\x1b/g'
}

@test "query: what is answered while the recording is read is what the whole database says" {
    while IFS= read -r select; do
        echo "# $select"
        query --csv "$select"
        assert_success
        exported "$select" >wanted
        [ -s wanted ]
        "$TRACE" query --csv "$RECORDING" "$select" | tail -n +2 | diff wanted -
    done <<'END'
SELECT * FROM event
SELECT * FROM event ORDER BY id LIMIT 3
SELECT * FROM event ORDER BY id DESC LIMIT 3
SELECT * FROM event WHERE id = 7
SELECT * FROM event WHERE id BETWEEN 7 AND 9 OR id > 30
SELECT count(*) FROM event
SELECT max(id), min(id), sum(len) FROM event
SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind
SELECT DISTINCT layer FROM event
SELECT rowid, * FROM segment WHERE syn OR fin
SELECT * FROM state ORDER BY event
SELECT a.id, b.id FROM event a, event b WHERE a.id = b.id - 1
SELECT id, lag(id) OVER (ORDER BY id) FROM event
SELECT (SELECT kind FROM event ORDER BY id LIMIT 1) AS one
WITH RECURSIVE r(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM r WHERE x < 3) SELECT x, count(*) FROM r, event GROUP BY x
SELECT id FROM event WHERE id IN (SELECT event FROM segment)
SELECT count(*) FROM segment UNION ALL SELECT count(*) FROM segment
END
}

@test "query: the first rows come before the recording has been read" {
    mkfifo pipe
    # All but the last bytes of its end, which never come.
    { head -c -8 "$RECORDING" && exec tail -f /dev/null; } >pipe 3>&- &
    run --separate-stderr timeout 20 "$TRACE" query --csv pipe 'SELECT id, kind FROM event LIMIT 2'
    kill $!
    assert_success
    assert_output $'id,kind\r\n1,proc\r\n2,proc\r'
}

@test "query: names of processes reach a terminal escaped" {
    query "SELECT DISTINCT comm FROM call WHERE pid = 4001"
    assert_output $'comm\nclient\\x1b[31m'
    query --json "SELECT DISTINCT comm FROM call WHERE pid = 4001"
    assert_output '{"comm":"client\u001b[31m"}'
}

@test "query: what is no single SELECT is one sentence, and nothing is harmed" {
    sum=$(md5sum <"$RECORDING")
    for sql in 'DELETE FROM event' "INSERT INTO meta VALUES('a', 'b')" 'DROP TABLE event' \
        'CREATE TABLE t(a)' 'PRAGMA user_version' 'BEGIN' 'VACUUM' "VACUUM INTO '$BATS_TEST_TMPDIR/v'" \
        "ATTACH '$BATS_TEST_TMPDIR/a' AS a" "SELECT load_extension('x')"; do
        refute_works "only SELECT is allowed.*export" "$TRACE" query "$RECORDING" "$sql"
    done
    refute_works "SQL error: no such table: nope.*--schema" "$TRACE" query "$RECORDING" 'SELECT * FROM nope'
    refute_works "SQL error: near" "$TRACE" query "$RECORDING" 'SELEKT 1'
    refute_works "no SQL in it" "$TRACE" query "$RECORDING" ' ; '
    refute_works "one SELECT at a time" "$TRACE" query "$RECORDING" 'SELECT 1; SELECT 2'
    refute_works "more than 4 MiB" "$TRACE" query "$RECORDING" 'SELECT zeroblob(90000000)'
    assert_equal "$(ls -A "$BATS_TEST_TMPDIR")" ''
    assert_equal "$(md5sum <"$RECORDING")" "$sum"
}

@test "query: a SELECT that never ends is ended by SIGINT" {
    env --default-signal=INT "$TRACE" query "$RECORDING" \
        'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t' 3>&- &
    TRACE_PID=$!
    # It runs once it has spent processor time.
    until [ "$(awk '{ print $14 }' "/proc/$TRACE_PID/stat")" -gt 20 ]; do :; done
    kill -INT "$TRACE_PID"
    status=0
    wait "$TRACE_PID" || status=$?
    TRACE_PID=
    assert_equal "$status" 130
}

@test "query: bad recordings are one sentence; one that is cut is answered as far as it goes" {
    refute_works "no recording" "$TRACE" query /etc/passwd 'SELECT 1'
    refute_works "cannot read '/nope'" "$TRACE" query /nope 'SELECT 1'
    python3 "$MAKE_RECORDING" --version 9 >new
    refute_works "format 9" "$TRACE" query new 'SELECT 1'
    python3 "$MAKE_RECORDING" --no-end >cut
    run --separate-stderr "$TRACE" query cut 'SELECT count(*) AS n FROM call'
    assert_failure 125
    assert_output $' n\n12'
    assert_equal "${#stderr_lines[@]}" 1
    assert_regex "$stderr" "cut short after 35 events"
    size=$(stat -c %s "$RECORDING")
    for cut in 24 100 1000 $((size - 8)); do
        head -c "$cut" "$RECORDING" >cut
        run --separate-stderr "$TRACE" query cut 'SELECT 1 AS one'
        assert_failure 125
        assert_output $'one\n  1'
    done
}

@test "query: lost events are told, and are rows of loss" {
    python3 "$MAKE_RECORDING" --lost 7 >lost
    run --separate-stderr "$TRACE" query --csv lost 'SELECT kind, lost FROM loss'
    assert_success
    assert_output $'kind,lost\r\ncall,7\r'
    assert_regex "$stderr" "7 events were lost"
}

@test "query: bad use is one sentence" {
    refute_works "which recording" "$TRACE" query
    refute_works "what shall be asked" "$TRACE" query "$RECORDING"
    refute_works "'x' is too many" "$TRACE" query "$RECORDING" 'SELECT 1' x
    refute_works "not both" "$TRACE" query "$RECORDING" 'SELECT 1' -f x
    refute_works "both come from standard input" "$TRACE" query - -f -
    refute_works "cannot read 'nope.sql'" "$TRACE" query "$RECORDING" -f nope.sql
    head -c 2000000 /dev/zero >zeros
    refute_works "no file of SQL" "$TRACE" query "$RECORDING" -f zeros
    refute_works "unknown.*--nope.*--help" "$TRACE" query --nope
}

@test "query: output that cannot be written, a reader that leaves" {
    run bash -c "'$TRACE' query '$RECORDING' 'SELECT * FROM event' >/dev/full"
    assert_failure 125
    assert_output --partial "No space left"
    run --separate-stderr bash -c "'$TRACE' query '$RECORDING' \
        'SELECT a.* FROM event a, event b, event c' --csv | head -1; exit \${PIPESTATUS[0]}"
    assert_success
    assert_equal "$stderr" ''
}

@test "query: needs no root, and gives up root's rights under sudo" {
    run nobody "$FOR_ALL/trace" query "$RECORDING" 'SELECT 1 AS one'
    assert_success
    install -m 600 /dev/null "$FOR_ALL/secret.sql"
    echo 'SELECT 1' >"$FOR_ALL/secret.sql"
    SUDO_UID=65534 SUDO_GID=65534 refute_works "Permission denied" "$TRACE" query "$RECORDING" -f "$FOR_ALL/secret.sql"
}

@test "export: a database of its own, the invoking user's, whole" {
    mkdir "$FOR_ALL/theirs"
    chown 65534:65534 "$FOR_ALL/theirs"
    out=$FOR_ALL/theirs/run.db
    SUDO_UID=65534 SUDO_GID=65534 run "$TRACE" export "$RECORDING" --to sqlite -o "$out"
    assert_success
    assert_equal "$(stat -c '%u %a' "$out")" '65534 600'
    assert_equal "$(ls -A "$FOR_ALL/theirs")" run.db
    python3 - "$out" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
assert db.execute("SELECT count(*) FROM event").fetchone() == (48,)
assert "-- the id that --json prints" in db.execute(
    "SELECT sql FROM sqlite_master WHERE name = 'event'").fetchone()[0]
assert db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = 'event'").fetchone()[0] > 0
db.execute("DELETE FROM event")
PYTHON
}

@test "export: JSON lines are those of show --json, to standard output or a file" {
    "$TRACE" show --json "$RECORDING" >wanted
    "$TRACE" export "$RECORDING" --to jsonl >out
    cmp out wanted
    "$TRACE" export --to jsonl -o file "$RECORDING"
    cmp file wanted
    "$TRACE" export --to jsonl -o - - <"$RECORDING" | cmp - wanted
}

@test "export: without -o the database stands beside the recording" {
    cp "$RECORDING" run
    run "$TRACE" export run --to sqlite
    assert_success
    assert_output "trace: wrote run.db"
    [ -s run.db ]
}

@test "export: nothing is replaced without --force, and nothing half done is left" {
    echo precious >out
    for format in sqlite jsonl; do
        refute_works "'out' exists; --force" "$TRACE" export "$RECORDING" --to "$format" -o out
        assert_equal "$(cat out)" precious
    done
    ln -s out link
    refute_works "'link' exists" "$TRACE" export "$RECORDING" --to sqlite -o link
    refute_works "no file that could be replaced" "$TRACE" export "$RECORDING" --to sqlite -o link --force
    refute_works "no file that could be replaced" "$TRACE" export "$RECORDING" --to jsonl -o /dev/null --force
    run "$TRACE" export "$RECORDING" --to sqlite -o out --force
    assert_success
    refute_works "cannot write '/nope/out'" "$TRACE" export "$RECORDING" --to sqlite -o /nope/out
    rm -f out link
    "$TRACE" export "$RECORDING" --to jsonl -o whole
    with_mounts "mkdir small; mount -t tmpfs -o size=64k none small
        '$TRACE' export '$RECORDING' --to sqlite -o small/out; echo status \$?; ls -A small" >said 2>&1 || true
    grep -q 'status 125' said
    assert_equal "$(tail -1 said)" 'status 125'
}

@test "export: interrupted, it leaves nothing" {
    mkfifo in
    python3 "$MAKE_RECORDING" --no-end >"$FOR_ALL/unfinished"
    exec {in}<>in
    (
        exec {in}>&-
        exec env --default-signal=INT "$TRACE" export - --to sqlite -o out <in 3>&-
    ) &
    TRACE_PID=$!
    cat "$FOR_ALL/unfinished" >&"$in" # and more may come
    until compgen -G 'out.??????' >/dev/null; do kill -0 "$TRACE_PID"; done
    kill -INT "$TRACE_PID"
    status=0
    wait "$TRACE_PID" || status=$?
    TRACE_PID=
    exec {in}>&-
    assert_equal "$status" 130
    assert_equal "$(ls)" in
}

@test "export: a recording that is cut is exported as far as it goes, and that is told" {
    python3 "$MAKE_RECORDING" --no-end >cut
    run "$TRACE" export cut --to sqlite
    assert_failure 125
    assert_output --partial "cut short after 35 events"
    python3 - <<'PYTHON'
import sqlite3
db = sqlite3.connect("cut.db")
assert db.execute("SELECT value FROM meta WHERE key = 'complete'").fetchone() == (0,)
assert db.execute("SELECT count(*) FROM call").fetchone() == (12,)
PYTHON
}

@test "export: bad use is one sentence" {
    refute_works "which recording" "$TRACE" export
    refute_works "to which format" "$TRACE" export "$RECORDING"
    refute_works "no format 'xml'" "$TRACE" export "$RECORDING" --to xml
    refute_works "cannot go to standard output" "$TRACE" export "$RECORDING" --to sqlite -o -
    refute_works "where shall it be written" "$TRACE" export - --to sqlite
    refute_works "'x' is too many" "$TRACE" export "$RECORDING" x --to jsonl
}

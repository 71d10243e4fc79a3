#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# On this kernel only: it is about recordings, not the kernel.
# SQL over recordings of real programs: the tables say what --json says, and checks are decided.

load helper

REC() {
    echo "$BATS_TEST_TMPDIR/rec"
}

record() { # PROGRAM...
    rm -f "$(REC)"
    trace_raw -w "$(REC)" -- "$@"
    same "status of $*" 0 "$status"
}

sql() { # SELECT: its one value
    "$TRACE" query --csv "$(REC)" "WITH answer(n) AS ($1) SELECT n FROM answer" | tail -n +2 | tr -d '\r'
}

same_as_json() { # PROGRAM...
    record "$@"
    "$TRACE" show --json "$(REC)" >"$BATS_TEST_TMPDIR/lines"
    for table in event ledger datagrams; do
        "$TRACE" query --json "$(REC)" "SELECT * FROM $table ORDER BY rowid" >"$BATS_TEST_TMPDIR/$table"
    done
    (cd "$BATS_TEST_TMPDIR" && python3 "$LIVE/../same_as_json.py" lines event ledger datagrams)
    whole_tables "$*"
}

# Every row that another table names is there, and each call is one row.
whole_tables() { # PROGRAM
    same "events without their conversation: $1" 0 \
        "$(sql 'SELECT count(*) FROM event WHERE conn NOT IN (SELECT id FROM conn)')"
    same "events without their socket: $1" 0 \
        "$(sql 'SELECT count(*) FROM event WHERE sid NOT IN (SELECT sid FROM sock)')"
    same "segments: $1" 0 "$(sql "SELECT (SELECT count(*) FROM event WHERE kind = 'segment') -
        (SELECT count(*) FROM segment JOIN event ON event = id)")"
    same "states: $1" 0 "$(sql "SELECT (SELECT count(*) FROM event WHERE kind = 'state') -
        (SELECT count(*) FROM state JOIN event ON event = id)")"
    same "entries of calls: $1" 0 "$(sql "SELECT (SELECT count(*) FROM event WHERE kind IN ('call', 'gai')
        AND phase <> 'exit') - (SELECT count(*) FROM call)")"
    same "returns of calls: $1" 0 "$(sql "SELECT count(*) FROM event e WHERE kind IN ('call', 'gai')
        AND phase = 'exit' AND ret IS NOT NULL AND NOT EXISTS (SELECT 1 FROM call c WHERE c.return_id = e.id
        AND c.ret = e.ret AND c.errno IS e.errno AND c.fd IS e.fd AND c.t_ns = e.t_ns)")"
    same "a residual: $1" 0 "$(sql 'SELECT count(*) FROM ledger WHERE residual <> 0')"
    same "evidence that is no event: $1" 0 \
        "$(sql 'SELECT count(*) FROM verdict_evidence WHERE event NOT IN (SELECT id FROM event)')"
}

@test "tables say what --json says, of every kind of program" {
    same_as_json "$PROGS/pair" v4
    same_as_json "$PROGS/pair" bulk
    same_as_json "$PROGS/forking"
    same_as_json "$PROGS/udp" drop
    [ "$(sql 'SELECT sum(dropped) FROM datagrams')" -gt 0 ]
    same_as_json "$PROGS/closing" unread
    same_as_json "$PROGS/unix" pass
    same_as_json "$PROGS/threads" share
    same_as_json "$PROGS/waiting" epoll
}

@test "the ledger of a connection adds up to what its calls returned" {
    record "$PROGS/pair" bulk
    same "sums of calls less the ledger" 0 "$(sql "SELECT sum(abs(l.written - (SELECT total(c.ret) FROM call c
        WHERE c.conn = l.conn AND c.role = l.sender AND c.ret > 0 AND c.name IN ('send', 'write', 'sendto'))))
        FROM ledger l" | sed 's/\.0$//')"
    [ "$(sql 'SELECT max(written) FROM ledger')" -gt 100000 ]
}

@test "a check of a real run is decided, with its lines" {
    record "$PROGS/pair" v4
    cat >"$BATS_TEST_TMPDIR/checks.sql" <<'SQL'
-- check: everything was read
-- pass: all {written} bytes were read
-- fail: {missing} bytes were not read
SELECT sum(written - read) = 0 AND count(*) = 2 AS pass, sum(written) AS written,
       sum(written - read) AS missing FROM ledger;
-- check: EOF by a FIN
-- pass: the FIN came before recv() returned 0
-- fail: no FIN came before recv() returned 0
SELECT count(*) > 0 AS pass, group_concat(s.event || ',' || c.return_id) AS evidence
FROM call c JOIN segment s ON s.conn = c.conn AND s.fin AND s.sender <> c.role AND s.event < c.return_id
WHERE c.eof = 1;
-- check: a FIN is no RST
-- pass: {n} RST
-- fail: no RST
SELECT count(*) > 0 AS pass, count(*) AS n FROM segment WHERE rst;
SQL
    status=0
    "$TRACE" check "$(REC)" "$BATS_TEST_TMPDIR/checks.sql" >"$BATS_TEST_TMPDIR/said" || status=$?
    cat "$BATS_TEST_TMPDIR/said"
    same status 1 "$status"
    grep -q '^pass   everything was read$' "$BATS_TEST_TMPDIR/said"
    grep -q '^pass   EOF by a FIN$' "$BATS_TEST_TMPDIR/said"
    grep -q '^FAIL   a FIN is no RST$' "$BATS_TEST_TMPDIR/said"
    grep -Eq 'recv\([0-9]+, [0-9]+\) = 0' "$BATS_TEST_TMPDIR/said"
    grep -q '2 of 3 checks passed' "$BATS_TEST_TMPDIR/said"
}

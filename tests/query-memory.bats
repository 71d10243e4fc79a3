#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# trace query by what it may take of the machine; apart, because sanitizers are slow with so much memory.
# Beside others: it looks at a recording.

bats_require_minimum_version 1.5.0

load cmd-helper

@test "query: a SELECT that needs too much memory is one sentence" {
    refute_works "more than 256 MiB" "$TRACE" query "$RECORDING" \
        'SELECT a.id, zeroblob(4000000) AS z FROM event a, event b ORDER BY random(), z'
}

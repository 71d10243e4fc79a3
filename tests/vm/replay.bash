# SPDX-License-Identifier: MIT
# Live tests over recordings made elsewhere: $STORIES is a folder that tests/vm/stories and split.py filled. A test
# that only runs a scenario under the tracer is given that scenario's recording and asserts on it as ever; one
# that needs the machine itself is skipped, with a reason that tests/vm/run knows.

setup() {
    if grep -q '^# No recording stands for it: ' "$BATS_TEST_FILENAME"; then
        needs_the_machine
    fi
    OUT=$BATS_TEST_TMPDIR/out.json
    export LIVE_PATH=/tmp/scenario.s # see progs/scenarios.c
}

teardown() {
    if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -s "$OUT" ]; then
        echo "--- the run, as traced:"
        python3 "$LIVE/story.py" "$OUT" || tail -3 "$OUT"
    fi
}

needs_the_machine() {
    skip "needs the machine itself"
}

# As the live one: trace_run calls it with --json -o "$OUT" in front.
trace_raw() {
    local name word
    if [ "$1 $2 $3 $4" != "--json -o $OUT --" ] || [[ $5 != "$PROGS"/* ]] || [ -n "${LIVE_PORT-}" ]; then
        needs_the_machine
    fi
    name=${5##*/}
    for word in "${@:6}"; do
        name+=-$word
    done
    if [ ! -f "$STORIES/$name.rec" ]; then
        needs_the_machine
    fi
    status=$(awk -v n="$name" '$1 == n { print $4 }' "$STORIES/index")
    cp "$STORIES/$name.out" "$BATS_TEST_TMPDIR/stdout"
    cp "$STORIES/$name.err" "$BATS_TEST_TMPDIR/stderr"
    "$TRACE" show --json "$STORIES/$name.rec" >"$OUT"
}

for verb in trace_spawn background in_ns in_there second_namespace joined_namespace public_dir hold ip nsenter; do
    eval "$verb() { needs_the_machine; }"
done
unset verb

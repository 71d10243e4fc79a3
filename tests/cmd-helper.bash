# SPDX-License-Identifier: MIT
# What the tests of the command line share: a recording made by hand, a copy of ./trace that anybody may run.

setup_file() {
    local top
    top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    export TRACE=${TRACE:-$top/trace}
    export MAN=$top/src/man/trace.8
    export MAKE_RECORDING=$BATS_TEST_DIRNAME/make_recording.py
    # `nobody` must get at what is in here, which bats' own folders do not allow.
    FOR_ALL=$(mktemp -d /tmp/socklens-cmd.XXXXXX)
    export FOR_ALL RECORDING=$FOR_ALL/recording
    chmod 755 "$FOR_ALL"
    export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C
    if [ ! -x "$TRACE" ]; then
        echo "$TRACE is not there: run make first" >&2
        return 1
    fi
    python3 "$MAKE_RECORDING" >"$RECORDING"
    cp "$TRACE" "$FOR_ALL/trace"
    chmod 755 "$FOR_ALL/trace"
    chmod 644 "$RECORDING"
}

teardown_file() {
    rm -rf "$FOR_ALL"
}

setup() {
    load asserts
    cd "$BATS_TEST_TMPDIR" || return
    TRACE_PID=
}

teardown() {
    if [ -n "$TRACE_PID" ]; then
        kill -KILL "$TRACE_PID" 2>/dev/null || true
    fi
}

nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
}

# No line of $output is longer.
assert_width() { # COLUMNS
    run awk -v max="$1" 'length > max' <<<"$output"
    assert_output ''
}

# One sentence, ours, and the status of our own failures.
refute_works() { # PATTERN COMMAND...
    local pattern=$1
    shift
    run "$@"
    assert_failure 125
    assert_equal "${#lines[@]}" 1
    assert_output --regexp "^trace: .*$pattern"
}

# A shell whose mounts nobody else sees; in a plain chroot / is no mount point and cannot be told so.
with_mounts() { # SCRIPT
    unshare --mount --propagation unchanged bash -c 'mount --make-rprivate / 2>/dev/null; '"$1"
}

# Long and short options as --help lists them.
options_of() { # SUB-COMMAND...
    "$TRACE" "$@" --help | grep -oE '^ +(-[a-zA-Z](, )?)?(--[a-z-]+)?' | grep -oE -- '--?[a-zA-Z][a-z-]*' | sort -u
}

# SPDX-License-Identifier: MIT
# What holds other kernels' recordings against this one's must find a difference, and find none where there is none.
# Beside others: its recordings are made by hand.

load asserts

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    VM=$TOP/tests/vm
    export DIFFERENCES=$BATS_TEST_TMPDIR/differences.md GRANTED=$BATS_TEST_TMPDIR/granted PYTHONDONTWRITEBYTECODE=1
    cd "$BATS_TEST_TMPDIR" || return
    mkdir here there
}

# A table of one row and no more.
grant() { # WHAT WHERE HOW
    printf '## Stories\n\n| what | where | how | why |\n| --- | --- | --- | --- |\n' >"$DIFFERENCES"
    [ $# = 0 ] || printf "| \`%s\` | \`%s\` | \`%s\` | so it is |\n" "$@" >>"$DIFFERENCES"
}

# One scenario's story here and there, a fact a word.
told() { # HERE THERE
    tr ' ' '\n' <<<"$1" >here/x.story
    tr ' ' '\n' <<<"$2" >there/x.story
    run "$VM/same.py" stories old fentry here there
}

@test "equal stories are the same" {
    grant
    told "SYN FIN" "SYN FIN"
    assert_success
    assert_output "# old, fentry: 1 stories, 1 the same, 0 but for what is granted, 0 others"
}

@test "a difference that no row grants is shown and fails" {
    grant
    told "SYN FIN" "SYN RST"
    assert_failure 1
    assert_line "# -FIN"
    assert_line "# +RST"
    assert_line --partial "1 others"
}

@test "a story that was not told, and a folder without any, fail" {
    grant
    echo SYN >here/x.story
    run "$VM/same.py" stories old fentry here there
    assert_failure 1
    assert_line "# old, fentry: x was not told"
    rm here/x.story
    run "$VM/same.py" stories old fentry here there
    assert_failure 1
}

@test "what differs once and not the second time is the same; twice is a difference" {
    grant
    mkdir again
    echo SYN >again/x.story
    told SYN RST
    run "$VM/same.py" stories old fentry here there again
    assert_success
    assert_output --partial "1 the same"
    echo FIN >again/x.story
    run "$VM/same.py" stories old fentry here there again
    assert_failure 1
    assert_line "# +RST"
    mkdir here.again
    echo FIN >here.again/x.story
    run "$VM/same.py" stories old fentry here there again
    assert_success
}

@test "a row grants lines, changes or the rest, and not more" {
    grant x old 'without ^level'
    told "SYN level=1 FIN" "SYN FIN"
    assert_success
    assert_output --partial "0 the same, 1 but for what is granted"
    told "SYN level=1 FIN" "SYN RST"
    assert_failure 1
    grant x old 's/RST:[A-Z]+$/RST/'
    told "SYN RST:STATE" "SYN RST"
    assert_success
    told "SYN RST:STATE" "SYN FIN"
    assert_failure 1
    grant x old 'only ^(SYN|FIN)$'
    told "SYN one FIN" "SYN two three FIN"
    assert_success
    told "SYN one FIN" "SYN two"
    assert_failure 1
    grant x old any
    told "SYN" "RST"
    assert_success
}

@test "a row grants nothing elsewhere" {
    grant y old any
    told SYN RST
    assert_failure 1
    grant x 'new,newer' any
    told SYN RST
    assert_failure 1
    grant x 'old tracepoint' any
    told SYN RST
    assert_failure 1
    grant x 'new,ol* tracepoint,fen*' any
    told SYN RST
    assert_success
}

@test "a row that nothing needed fails when all was run" {
    grant x old any
    told SYN SYN
    : >>"$GRANTED"
    run "$VM/same.py" stale
    assert_failure 1
    assert_output "# differences.md:5: nothing differs so any more: x on old"
    run "$VM/same.py" stale old
    assert_success
    told SYN RST
    run "$VM/same.py" stale
    assert_success
}

@test "a row of several names is needed by each of them" {
    grant 'x\|y' old any
    told SYN RST
    assert_success
    run "$VM/same.py" stale
    assert_failure 1
    assert_output "# differences.md:5: nothing differs so any more: y on old"
}

@test "a live test that fails on a recording is shown, unless it is granted; none at all is a failure" {
    grant
    printf '%s\n' 1..3 'ok 1 rst: one' 'not ok 2 rst: two' '# what it said' 'ok 3 rst: three # skip needs the machine' >tap
    run "$VM/same.py" tests old tap
    assert_failure 1
    assert_line "# # what it said"
    assert_line "# old: 1 tests hold on its recordings, 0 fail as granted, 1 fail"
    sed -i 's/^## Stories/## Tests/; $a| `rst: t*` | `old` | `any` | so it is |' "$DIFFERENCES"
    run "$VM/same.py" tests old tap
    assert_success
    sed -i 's/^1\.\.3/1..4/' tap
    run "$VM/same.py" tests old tap
    assert_failure 1
    assert_output --partial "4 tests were planned, 3 reported"
    printf '%s\n' 1..1 'ok 1 rst: three # skip needs the machine' >tap
    run "$VM/same.py" tests old tap
    assert_failure 1
}

@test "a kernel that nobody knows is no reason to pass" {
    run "$VM/run" 6.99
    assert_failure 125
    assert_output --partial 'There is no kernel "6.99" here; there are:'
}

# The frames of the lab's recording again, each record passed through EXPRESSION: `r` is its bytes, None leaves it out.
again() { # EXPRESSION FILE
    PYTHONPATH=$VM python3 - "$TOP/labs/09-eof/run.rec" "$1" >"$2" <<'END'
import struct, sys
from split import BATCH, FRAME, HEADER, frames, padded, records
from story import enters

def slower(r, times):
    """From the run's beginning on all takes so many times as long."""
    new = bytearray(r)
    for at in (8, 24) if enters(r) else (8,):
        struct.pack_into("<Q", new, at, began + (struct.unpack_from("<Q", r, at)[0] - began) * times)
    return bytes(new)

data = open(sys.argv[1], "rb").read()
words = data.split(b"\0")
began = int(words[words.index(b"start_boot_ns") + 1])
out = [data[:HEADER.unpack_from(data)[3]]]
for kind, payload in frames(data):
    if kind == BATCH:
        payload = b"".join(r for r in (eval(sys.argv[2]) for r in records(payload)) if r is not None)
    out.append(FRAME.pack(kind, len(payload)) + payload.ljust(padded(len(payload)), b"\0"))
sys.stdout.buffer.write(b"".join(out))
END
}

@test "a story is the same however long all took, and another when something is missing" {
    "$VM/story.py" "$TOP/labs/09-eof/run.rec" >story
    run grep -c . story
    assert [ "$output" -gt 50 ]
    run grep -E '[0-9]\.[0-9]{3}|[0-9] (ms|us|s)\b' story
    assert_failure 1
    again 'r' plain.rec
    cmp plain.rec "$TOP/labs/09-eof/run.rec"
    again 'slower(r, 3)' slower.rec
    run cmp slower.rec plain.rec
    assert_failure 1
    "$VM/story.py" slower.rec | cmp - story
    again 'None if r[2] == 3 else r' less.rec
    run bash -c "'$VM/story.py' less.rec | diff - story"
    assert_failure 1
}

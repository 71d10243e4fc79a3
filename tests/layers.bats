# SPDX-License-Identifier: MIT
# The layers of src/ hold, and tests/check-layers would say so if they did not.
# Beside others: it reads sources.

load asserts

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
}

# A tree with one breach: the lines go into the file, which may include headers of every folder.
breach() { # FILE LINE...
    local file=$1 tree=$BATS_TEST_TMPDIR/tree
    shift
    rm -rf "$tree"
    mkdir -p "$tree/bpf" "$tree/$(dirname "$file")"
    for header in src/util/log src/event/names src/model/model src/record/frame src/record/record \
        src/render/render src/capture/capture src/cmd/cmd bpf/event bpf/kernel; do
        mkdir -p "$tree/$(dirname "$header")"
        touch "$tree/$header.h"
    done
    printf '%s\n' "$@" >"$tree/$file"
    run "$TOP/tests/check-layers" "$tree"
}

@test "the tree keeps its layers" {
    run "$TOP/tests/check-layers" "$TOP"
    assert_output ""
    assert_success
}

@test "a forbidden include is found, however it is written" {
    breach src/model/a.c '#include "../render/render.h"'
    assert_failure
    assert_output "src/model/a.c:1: model may not include render/render.h"
    breach src/model/a.c '' '#  include "capture/capture.h"'
    assert_output "src/model/a.c:2: model may not include capture/capture.h"
    breach src/event/a.c '#include "../model/model.h"'
    assert_output "src/event/a.c:1: event may not include model/model.h"
    breach src/record/a.c '#include "model/model.h"'
    assert_output --partial "record may not include model/model.h"
    breach src/util/a.c '#include "event.h"'
    assert_output --partial "util may not include bpf/event.h"
    breach src/render/a.c '#include "record/record.h"'
    assert_output --partial "render may not include record/record.h"
    breach src/capture/a.c '#include "kernel.h"'
    assert_output --partial "capture may not include bpf/kernel.h"
}

@test "a forbidden library is found" {
    breach src/model/a.c '#include <bpf/libbpf.h>'
    assert_output --partial "model may not include libbpf"
    breach src/render/a.c '#include "trace.skel.h"'
    assert_output --partial "render may not include the BPF skeleton"
    breach src/render/a.c '#include <sqlite3.h>'
    assert_output --partial "render may not include SQLite"
    breach src/util/a.c '#include <netinet/tcp.h>'
    assert_output --partial "util knows nothing of the network"
}

@test "printing below the renderers is found" {
    breach src/model/a.c 'void f(void) { printf("x"); }'
    assert_output --partial "model may not print"
    breach src/event/a.c '	fputs(s, stderr);'
    assert_output --partial "event may not write messages"
    breach src/capture/a.c '	exit(1);'
    assert_output --partial "only a command may end the process"
}

@test "comments, strings and look-alikes are no breach" {
    breach src/model/a.c '/* printf("x") and' ' * stdout */ int a; // exit(1)' \
        "char q = '\"'; char *s = \"printf(\\\"x\\\")\"; snprintf(b, n, \"stderr\"); f_exit(1);" \
        '__attribute__((format(printf, 1, 2))) void g(const char *, ...);' '#include "event/names.h"' \
        '#include <string.h>' '#include "event.h"'
    assert_output ""
    assert_success
}

@test "an include that is nowhere and a folder without a rule are found" {
    breach src/model/a.c '#include "gone.h"'
    assert_output "src/model/a.c:1: includes gone.h, which is nowhere"
    breach src/misc/a.c 'int a;'
    assert_output --partial "src/misc has no row"
}

# SPDX-License-Identifier: MIT
# What this kernel's verifier lets pass, older ones may refuse: the stack of each program is counted their way.
# Beside others: it compiles.

load asserts

setup() {
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    cd "$BATS_TEST_TMPDIR" || return
}

compiled() { # SOURCE
    clang -O2 -target bpf -mcpu=v3 -x c -c - -o a.o <<<"$1"
}

@test "every BPF program keeps within the stack of older kernels" {
    run "$TOP/tests/bpf-stack.py" "$TOP/.output/trace.bpf.o"
    assert_output --regexp '^[1-9][0-9]* programs, 0 that older kernels refuse$'
    assert_success
}

@test "a chain of functions that needs too much is found" {
    compiled '
        static __attribute__((noinline)) int f(int n) { volatile char a[264]; a[n & 7] = n; return a[3]; }
        __attribute__((section("probe"))) int p(int *c) { volatile char b[240]; b[*c & 7] = 1; return f(*c) + b[2]; }'
    run "$TOP/tests/bpf-stack.py" a.o
    assert_failure
    assert_output --partial "p: 544 bytes of stack, 2 deep: p 240 > f 264"
}

# Functions that nest so deep, with the program at their top. static: no relocation tells of their calls to each other.
nested() { # DEEP [static]
    local source='#define NO __attribute__((noinline))' i
    source+=$'\n'"${2-} NO int f1(int n) { volatile int a = n; return a; }"
    for ((i = 2; i < $1; i++)); do
        source+=$'\n'"${2-} NO int f$i(int n) { volatile int a = f$((i - 1))(n); return a; }"
    done
    compiled "$source"$'\n'"__attribute__((section(\"probe\"))) int p(int *c) { return f$((i - 1))(*c) + 1; }"
}

@test "functions that nest too deep are found" {
    local kind
    for kind in '' static; do
        nested 8 $kind
        run "$TOP/tests/bpf-stack.py" a.o
        assert_success
        nested 9 $kind
        run "$TOP/tests/bpf-stack.py" a.o
        assert_failure
        assert_output --partial "9 deep"
    done
}

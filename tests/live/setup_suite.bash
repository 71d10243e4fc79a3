# SPDX-License-Identifier: MIT
# Once per run: look for what the tests need and build the small programs.

setup_suite() {
    local live top prog
    live=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    top=$(cd "$live/../.." && pwd)

    # The system's own programs: a shim in front of python3 would add its own processes to a trace.
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
    export PYTHONDONTWRITEBYTECODE=1
    export LC_ALL=C
    export TRACE=${TRACE:-$top/trace}
    export LIVE=$live
    export PROGS=${LIVE_PROGS:-$top/.output/tests/live}
    export WITNESSES=${LIVE_WITNESSES:-$top/.output/tests/live/witness}
    export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60}

    if [ "$(id -u)" -ne 0 ]; then
        echo "the live tests trace the kernel: run them as root (sudo make test)" >&2
        return 1
    fi
    if [ ! -x "$TRACE" ]; then
        echo "$TRACE is not there: run make first" >&2
        return 1
    fi
    if [ ! -x "$WITNESSES/count" ]; then
        echo "$WITNESSES/count is not there: run make test-programs first" >&2
        return 1
    fi
    for prog in ip nsenter python3 strace tcpdump ss curl nc socat timeout bpftool nft; do
        if ! command -v "$prog" >/dev/null; then
            echo "the live tests need $prog" >&2
            return 1
        fi
    done

    mkdir -p "$PROGS"
    for prog in "$live"/progs/*.c; do
        top=${prog##*/}
        build_prog "$prog" "$PROGS/${top%.c}" || return 1
    done

    export ASK=$BATS_SUITE_TMPDIR/ask # see ask() of helper.bash
    mkfifo "$ASK"
    setpriv --pdeathsig TERM python3 -S "$live/answer.py" "$ASK" </dev/null >/dev/null 3>&- &
    ANSWERING=$!
}

teardown_suite() {
    [ -z "${ANSWERING-}" ] || kill "$ANSWERING"
}

build_prog() { # SOURCE PROGRAM
    local input fresh=1
    for input in "$1" "${1%/*}"/*.h; do
        [ "$2" -nt "$input" ] || fresh=0
    done
    if [ "$fresh" = 0 ] && ! command -v gcc >/dev/null; then
        echo "the live tests need gcc to build $2" >&2
        return 1
    fi
    if [ "$fresh" = 0 ]; then
        gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -pthread -o "$2" "$1"
    fi
}

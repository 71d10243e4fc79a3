#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Files that ./trace makes where others can write: nobody leads it elsewhere, nothing planted is used.
# The invoking user is 65534; 65533 is somebody else.
# Beside others: what it traces is of no account.

bats_require_minimum_version 1.5.0

load cmd-helper

# Two directories in $DIR that the tests play in: all, as /tmp is, and home, the invoking user's alone.
setup() {
    load asserts
    DIR=$(mktemp -d "$FOR_ALL/files.XXXXXX")
    chmod 755 "$DIR"
    mkdir -m 1777 "$DIR/all"
    mkdir -m 755 "$DIR/home"
    chown 65534:65534 "$DIR/home"
    cd "$DIR" || return
    echo precious >home/precious
    chown 65534:65534 home/precious
    chmod 600 home/precious
    TRACE_PID=
}

teardown() {
    rm -rf "$DIR"
}

as_other() {
    setpriv --reuid 65533 --regid 65533 --clear-groups -- "$@"
}

# The invoking user behind sudo; its own recording of a file that is given.
write_to() { # FILE
    env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -q -w "$1" -- true
}

refuted() { # PATTERN FILE
    refute_works "$1" write_to "$2"
    assert_equal "$(cat home/precious)" precious
}

is_private() { # FILE
    assert_equal "$(stat -c '%u:%g %a' "$1")" '65534:65534 600'
    "$TRACE" show "$1" >/dev/null
}

export_to() { # FORMAT FILE [OPTION]
    nobody "$FOR_ALL/trace" export "$RECORDING" --to "$1" -o "$2" ${3:+"$3"}
}

@test "files: a link where everybody can write is not followed, whoever made it" {
    as_other ln -s "$DIR/home/precious" all/by-other
    nobody ln -s "$DIR/home/precious" all/by-self
    ln -s "$DIR/home/precious" all/by-root
    for name in by-other by-self by-root; do
        refuted "'all/$name': a symbolic link.*others can write; name the file itself" "all/$name"
        [ -h "all/$name" ]
    done
    as_other ln -s "$DIR/home/new" all/dangling
    refuted "symbolic link" all/dangling
    [ ! -e home/new ]
}

@test "files: nor is a link on the way to the file" {
    mkdir home/sub
    chown 65534 home/sub
    as_other ln -s "$DIR/home" all/evil
    refuted "'all/evil/sub/x': a symbolic link" all/evil/sub/x
    [ ! -e home/sub/x ]
    # Also where the way leads there through a link that may be followed.
    nobody ln -s "$DIR/all/evil/sub" home/lead
    refuted "'home/lead/x': a symbolic link" home/lead/x
    refuted "'home/../all/evil/sub/x'" home/../all/evil/sub/x
    [ ! -e home/sub/x ]
}

@test "files: -o and --json go the same way as -w" {
    as_other ln -s "$DIR/home/precious" all/link
    refute_works "symbolic link" env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" -o all/link -- true
    refute_works "symbolic link" env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" --json -o all/link -- true
    assert_equal "$(cat home/precious)" precious
}

@test "files: links in one's own directories are followed, on the way and at the end" {
    mkdir home/far
    nobody true
    chown 65534 home/far
    nobody ln -s far home/near
    nobody ln -s near/there home/link
    write_to home/near/here
    is_private home/far/here
    write_to home/link
    is_private home/far/there
    [ -h home/link ]
}

@test "files: where a group can write, only links of one's own and of root are followed" {
    mkdir -m 2775 home/group
    chown 65534:65533 home/group
    as_other ln -s "$DIR/home/precious" home/group/by-other
    nobody ln -s "$DIR/home/new" home/group/by-self
    refuted "symbolic link" home/group/by-other
    write_to home/group/by-self
    is_private home/new
}

@test "files: in somebody else's directory, only links of one's own and of root are followed" {
    mkdir -m 755 theirs
    chown 65533 theirs
    as_other ln -s "$DIR/home/precious" theirs/link
    refuted "symbolic link" theirs/link
    refute_works "symbolic link" "$TRACE" -q -w theirs/link -- true # root knows no better
}

@test "files: what somebody else planted where others can write is not used" {
    as_other touch all/file
    as_other chmod 666 all/file
    as_other mkfifo -m 666 all/pipe
    mknod -m 666 all/null c 1 3
    for name in file pipe null; do
        refuted "'all/$name': in a directory where others can write.*choose another name" "all/$name"
    done
    refute_works "where others can write" "$TRACE" -q -w all/file -- true # nor by root
    assert_equal "$(stat -c '%u %a %s' all/file)" '65533 666 0'
}

@test "files: a file of one's own that has a second name is not used where others can write" {
    ln home/precious all/hard
    refuted "'all/hard': in a directory where others can write" all/hard
    # In a directory of one's own it is one's own affair.
    ln home/precious home/twin
    write_to home/twin
    is_private home/precious
}

@test "files: one's own file where others can write is used again, and closed to them" {
    nobody touch all/mine
    nobody chmod 666 all/mine
    write_to all/mine
    is_private all/mine
    write_to all/new
    is_private all/new
    write_to "$DIR//all/./new"
    is_private all/new
}

@test "files: a loop of links, a file as a directory, a directory as a file" {
    nobody ln -s loop home/loop
    refuted "'home/loop': a symbolic link" home/loop
    refuted "'home/precious/x': Not a directory" home/precious/x
    for name in home home/ home/. home/.. / ''; do
        refute_works "" write_to "$name"
    done
    refuted "'home/': is a directory" home/
}

@test "files: standard output and a shell's pipe by their names" {
    run bash -c '"$TRACE" -q -w /dev/stdout -- true | "$TRACE" show - >shown'
    assert_success
    [ -s shown ]
    run bash -c '"$TRACE" -q -w >("$TRACE" show - >shown2; touch done) -- true; echo "status $?"'
    assert_line 'status 0'
    until [ -e "done" ]; do :; done
    [ -s shown2 ]
}

@test "files: a pipe's reader that the shell leaves us as a child is not waited for, what COMMAND leaves behind is" {
    mkfifo go
    (
        until [ -s pid ] && [ ! -e "/proc/$(cat pid)" ]; do :; done
        echo >go
    ) 3>&- &
    # The shell becomes the tracer: whoever reads the recording is then its child, and reads until its end.
    run timeout 30 bash -c 'exec "$TRACE" -q -w >("$TRACE" show --json - >shown; touch done) -- \
        bash -c "(read -r x <go; exec ip link show lo >after) & echo \$\$ >pid"'
    assert_success
    until [ -e "done" ]; do :; done
    [ -s after ]
    grep -q '"comm":"ip".*"call":"close"' shown
}

@test "files: an export follows no link and replaces nothing of others" {
    as_other ln -s "$DIR/home/new" all/link
    for format in jsonl sqlite; do
        refute_works "exists; --force" export_to "$format" all/link
        refute_works "no file that could be replaced" export_to "$format" all/link --force
        [ ! -e home/new ]
        as_other ln -sfn "$DIR/home" all/evil
        refute_works "symbolic link.*others can write" export_to "$format" all/evil/x
        run export_to "$format" all/mine --force
        assert_success
        assert_equal "$(stat -c '%u:%g %a' all/mine)" '65534:65534 600'
    done
    as_other touch all/theirs
    refute_works "all/theirs" export_to sqlite all/theirs --force
    assert_equal "$(find all home -name '*.??????')" ''
}

@test "files: no export where anybody may swap the file while it is written" {
    mkdir -m 777 wild
    for format in jsonl sqlite; do
        refute_works "anybody may swap.*directory of your own" export_to "$format" wild/out
    done
    assert_equal "$(find wild -type f)" ''
}

@test "files: an export as root behind sudo is the invoking user's" {
    run env SUDO_UID=65534 SUDO_GID=65534 "$TRACE" export "$RECORDING" --to sqlite -o home/out.db
    assert_success
    assert_equal "$(stat -c '%u:%g %a' home/out.db)" '65534:65534 600'
    refute_works "you may not write there" env SUDO_UID=65534 SUDO_GID=65534 \
        "$TRACE" export "$RECORDING" --to sqlite -o "$FOR_ALL/out.db"
}

@test "files: a read-only file system is told, nothing runs" {
    mkdir ro
    run with_mounts 'mount --bind "$PWD/ro" "$PWD/ro" && mount -o remount,bind,ro "$PWD/ro" &&
        "$TRACE" -w ro/rec -- touch "$PWD/ran"; echo "status $?"'
    assert_line --partial "'ro/rec': you may not write there; choose another file"
    assert_line 'status 125'
    [ ! -e ran ]
}

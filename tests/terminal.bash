# SPDX-License-Identifier: MIT
# A terminal for tests.

# COMMAND on a terminal of its own. A bare system has no /dev/pts: then one is mounted, for this command alone.
on_terminal() { # COMMAND /dev/null
    if [ -e /dev/pts/ptmx ]; then
        script -qec "$1" "$2"
    else
        unshare --mount --propagation unchanged sh -c '
            mkdir -p /dev/pts && mount -t devpts -o ptmxmode=666 devpts /dev/pts && exec script -qec "$0" "$1"' "$1" "$2"
    fi
}

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a command on a terminal of its own, 80 columns wide, and play its user.

usage: terminal.py KEYS SCREEN STATE COMMAND...

What comes through the pipe KEYS is typed; what the terminal shows goes to the file SCREEN. The file STATE says what
became of the command: "PID running", "PID stopped" (a line each time), at last "PID exit N" or "PID signal N".
When the command has ended and the screen shows all of its output, this program ends.
"""
import fcntl, os, pty, select, signal, struct, sys, termios

END = b"[the command has ended]"
keys_path, screen_path, state_path, *command = sys.argv[1:]

# A bare system has no /dev/pts: then it is there for this command alone.
if not os.path.exists("/dev/pts/ptmx"):
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c",
                          'mkdir -p /dev/pts && mount -t devpts -o ptmxmode=666 devpts /dev/pts && exec "$0" "$@"',
                          sys.executable, *sys.argv])



def say(pid, text):
    with open(state_path, "a") as f:
        f.write(f"{pid} {text}\n")


def run_command():
    """In front on this terminal, in a process group of its own, as a shell runs it."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        for number in signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU:
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)
    say(pid, "running")
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)
        if os.WIFSTOPPED(status):
            say(pid, "stopped")
        elif os.WIFCONTINUED(status):
            say(pid, "running")
        elif os.WIFEXITED(status):
            return say(pid, f"exit {os.WEXITSTATUS(status)}")
        else:
            return say(pid, f"signal {os.WTERMSIG(status)}")


leader, terminal = pty.fork()
if leader == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    run_command()
    os.write(1, END)
    signal.pause()  # a terminal without a leader forgets what it has not shown

keys = os.open(keys_path, os.O_RDWR)
tail = b""
with open(screen_path, "wb", buffering=0) as screen:
    while END not in tail:
        ready, _, _ = select.select([keys, terminal], [], [])
        if terminal in ready:
            data = os.read(terminal, 65536)
            screen.write(data)
            tail = (tail + data)[-100:]
        elif keys in ready:
            os.write(terminal, os.read(keys, 100))
os.kill(leader, signal.SIGKILL)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the scripts that tests ask again and again: started once, it forks where python3 would start anew.

    answer.py FIFO      until it is ended

A request is a line of FIFO, with 0x1f between its parts: the directory to run in, a FIFO for the answer, the script and its
arguments. The answer is a line with the exit status and the number of bytes that follow: what the script printed.
"""
import argparse  # noqa: F401  for the scripts: what is imported here need not be there
import contextlib
import io
import json  # noqa: F401
import os
import runpy
import signal
import sys
import traceback

SECONDS = 300  # who asked is gone by then


def status_of(script):
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code)
            return 1
        return end.code or 0
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def answer(directory, reply, script, *args):
    printed = io.StringIO()
    os.chdir(directory)
    sys.argv = [script, *args]
    sys.path.insert(0, os.path.dirname(script))
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = status_of(script)
    text = printed.getvalue().encode()
    with open(reply, "wb") as out:
        out.write(b"%d %d\n" % (status, len(text)) + text)


def main(fifo):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with open(fifo, "r+b", buffering=0) as requests:
        for line in io.TextIOWrapper(io.BufferedReader(requests), newline="\n"):
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.alarm(SECONDS)
                answer(*line.rstrip("\n").split("\x1f"))
                os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])

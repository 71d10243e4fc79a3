#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""calls.py STRACE JSON: the calls on sockets, per thread, as strace printed them and as traced."""
import os
import sys
from collections import defaultdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import strace_log
from differ import report
from q import load


NO_FD = {"socket", "socketpair"} | strace_log.WAITS


def row(e):
    # A line without a descriptor is about -1, which nothing is ever open as.
    fd = "-" if e["call"] in NO_FD else e.get("fd", -1 if e.get("errno") == "EBADF" else "-")
    if e.get("ret") is None:
        result = "?"
    elif e["ret"] < 0:
        result = f"-1 {e.get('errno')}"
    else:
        result = e["ret"]
    return f"{e['call']} {fd} {result}"


def traced(events):
    """tid -> rows, by time of return: a socket's early calls may stand late in the file."""
    rows = defaultdict(list)
    calls = [e for e in events if e.get("kind") == "call" and e.get("phase") == "exit"]
    for e in sorted(calls, key=lambda e: (e["t_ns"], e["id"])):
        rows[e["tid"]].append(row(e))
    return dict(rows)


def main():
    events = load(sys.argv[2])
    processes = {e["tid"]: e["pid"] for e in events if e.get("tid")}
    with open(sys.argv[1], encoding="utf-8", errors="replace") as f:
        theirs = strace_log.read(f.read(), processes)
    return report(theirs, traced(events), "strace")


if __name__ == "__main__":
    sys.exit(main())

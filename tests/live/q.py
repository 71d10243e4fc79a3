#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask a file of JSON lines: print or count the lines that fit every condition.

    q.py FILE [-v] [-c] [-o KEY,KEY] [-u] [-w SECONDS] [CONDITION ...]

Sockets keep one number (see load). Verdicts are left out; -v asks among them and nothing else.
A condition is KEY=VALUE, KEY!=VALUE, KEY~REGEX, KEY<N, KEY>N, KEY (present) or !KEY (absent); a dot
reaches into an object (ledger.read). An absent key is printed as "-", a list as A,B. -u prints each distinct row
once, in order of appearance; -w waits until a line fits, and fails after that many seconds.
"""
import argparse
import json
import operator
import re
import signal
import sys
import time

CONDITION = re.compile(r"^(!?)([\w.]+)(?:(!=|=|~|<|>)(.*))?$", re.S)
NUMERIC = {"<": operator.lt, ">": operator.gt}


def get(event, key):
    for part in key.split("."):
        if not isinstance(event, dict) or part not in event:
            return None
        event = event[part]
    return event


def word(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(word, value))
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def condition(text):
    match = CONDITION.match(text)
    if not match:
        sys.exit(f"q.py: not a condition: {text}")
    absent, key, op, want = match.groups()
    if absent:
        return lambda e: get(e, key) is None
    if op is None:
        return lambda e: get(e, key) is not None
    if op == "=":
        return lambda e: word(get(e, key)) == want
    if op == "!=":
        return lambda e: word(get(e, key)) != want
    if op == "~":
        return lambda e: re.search(want, word(get(e, key))) is not None
    return lambda e: get(e, key) is not None and NUMERIC[op](get(e, key), float(want))


def lines(path, needed=()):
    """The lines of a file that are whole and have all that is needed, or tell of a socket's identity.

    A file still being written may end in a piece.
    """
    with open(path, encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f if line.endswith("\n") and line.strip()
                and (all(n in line for n in needed) or '"kind":"sock"' in line)]


def needed_by(conditions):
    """What a line must have as it stands to fit: most of a long file need not be parsed."""
    plain = (re.fullmatch(r"(kind|type|call|phase)=(\w+)", c) for c in conditions)
    return [f'"{m.group(1)}":"{m.group(2)}"' for m in plain if m]


def load(path, verdicts=False, needed=()):
    """As lines(), with one number for each socket; without the verdicts, or those alone.

    Before the kernel gives a socket its cookie it goes by another number; the lines about its identity
    (kind sock) show both with the same inode.
    """
    events, latest, number = lines(path, needed), {}, {}
    for e in events:
        if e.get("kind") == "sock" and e.get("ino"):
            latest[e["ino"]] = e["sock"]
    for e in events:
        if e.get("kind") == "sock" and e.get("ino"):
            number[e["sock"]] = latest[e["ino"]]
    for e in events:
        for key in ("sock", "sock2"):
            if e.get(key) in number:
                e[key] = number[e[key]]
    return [e for e in events if (e.get("kind") == "verdict") == verdicts]


def select(path, conditions, verdicts=False):
    tests = [condition(c) for c in conditions]
    return [e for e in load(path, verdicts, needed_by(conditions)) if all(t(e) for t in tests)]


def wait(path, conditions, seconds, verdicts=False):
    end = time.monotonic() + seconds
    while not (found := select(path, conditions, verdicts)):
        if time.monotonic() > end:
            sys.exit(f"q.py: no line fits after {seconds} s: {' '.join(conditions)}")
        time.sleep(0.01)
    return found


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader may want the first line only
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("file")
    p.add_argument("-c", action="store_true", help="print the number of lines that fit")
    p.add_argument("-o", metavar="KEYS", help="print these values instead of the line")
    p.add_argument("-u", action="store_true", help="each distinct row once")
    p.add_argument("-v", action="store_true", help="verdicts instead of steps")
    p.add_argument("-w", metavar="SECONDS", type=float, help="wait until a line fits")
    p.add_argument("conditions", nargs="*")
    a = p.parse_intermixed_args()
    found = (wait(a.file, a.conditions, a.w, a.v) if a.w
             else select(a.file, a.conditions, a.v))
    if a.c:
        print(len(found))
        return
    rows = [" ".join(word(get(e, k)) for k in a.o.split(",")) if a.o
            else json.dumps(e, separators=(",", ":")) for e in found]
    for row in dict.fromkeys(rows) if a.u else rows:
        print(row)


if __name__ == "__main__":
    main()

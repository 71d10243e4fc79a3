#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds stories and tests of one kernel against another's; grants what differences.md lists and nothing else.

    same.py stories KERNEL BACKEND REFERENCE DIR [AGAIN]   each NAME.story of two folders, line by line; what differs
                                                   in DIR may be the same in AGAIN, or as in REFERENCE.again
    same.py tests KERNEL TAP                       tests that failed there
    same.py stale [KERNEL...]                      rows that nothing needed since the list was begun; with KERNELs
                                                   only a part was run, and nothing can be said

What was granted is kept in .output/vm/granted. Ends with 1 if there is something that no row grants.
"""
import difflib
import os
import re
import sys
from fnmatch import fnmatchcase

HERE = os.path.dirname(os.path.abspath(__file__))
LIST = os.environ.get("DIFFERENCES", f"{HERE}/differences.md")
GRANTED = os.environ.get("GRANTED", f"{HERE}/../../.output/vm/granted")
SHOWN = 24  # lines of one difference


class Row:
    """One pattern of a row of the table: `scenario` | `kernel backend` | `how` | why."""

    def __init__(self, number, what, where, how):
        self.number, self.what, self.where, self.how = number, what, where, how

    def fits(self, name, kernel, backend):
        kernels, _, backends = self.where.partition(" ")
        return (fnmatchcase(name, self.what) and any(fnmatchcase(kernel, k) for k in kernels.split(","))
                and any(fnmatchcase(backend, b) for b in (backends or "*").split(",")))

    def alike(self, lines):
        """The lines without what may differ."""
        if self.how == "any":
            return []
        if self.how.startswith("without "):
            pattern = self.how[len("without "):]
            return [line for line in lines if not re.search(pattern, line)]
        if self.how.startswith("only "):
            pattern = self.how[len("only "):]
            return [line for line in lines if re.search(pattern, line)]
        _, pattern, text, _ = re.split(r"(?<!\\)/", self.how)
        return re.sub(pattern, text, "\n".join(lines), flags=re.M).split("\n") if lines else lines


def rows(kind):
    """The rows of the table below the heading "## KIND"."""
    found, inside = [], False
    with open(LIST, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                inside = line.strip().lower() == f"## {kind}"
            cells = re.match(r"\| `(.+?)` \| `(.+?)` \| `(.+?)` \| .+\|$", line)
            if inside and cells:
                what, where, how = (c.replace("\\|", "|") for c in cells.groups())
                found += [Row(number, one, where, how) for one in what.split("|")]
    return found


def grant(used):
    os.makedirs(os.path.dirname(GRANTED), exist_ok=True)
    with open(GRANTED, "a", encoding="utf-8") as out:
        out.writelines(f"{row.number} {row.what}\n" for row in used)


def read_story(path):
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def without_differences(table, a, b):
    """Both stories after all rows, and the rows that brought them nearer."""
    used = []
    for row in table:
        if a == b:
            break
        na, nb = row.alike(a), row.alike(b)
        if (na, nb) != (a, b):
            used.append(row)
        a, b = na, nb
    return a, b, used


def told_in(folders, file):
    return [read_story(f"{folder}/{file}") for folder in folders if os.path.exists(f"{folder}/{file}")]


def compared(table, references, folders, file):
    """Of the stories there and here the first two that are alike, or the very first; and the rows used."""
    told = [(a == b, *without_differences(table, a, b)) for a in told_in(references, file) for b in told_in(folders, file)]
    return next((t for t in told if t[1] == t[2]), told[0] if told else None)


def stories(kernel, backend, reference, *folders):
    table, bad, equal, granted = rows("stories"), 0, 0, 0
    references = [reference, f"{reference}.again"]  # that is told twice, too, where two programs may change places
    names = sorted(n for n in os.listdir(reference) if n.endswith(".story"))
    for file in names:
        name = file[:-len(".story")]
        found = compared([r for r in table if r.fits(name, kernel, backend)], references, folders, file)
        if not found:
            print(f"# {kernel}, {backend}: {name} was not told")
            bad += 1
            continue
        same, a, b, used = found
        equal += same
        grant(used)
        granted += a == b and bool(used)
        if a != b:
            bad += 1
            diff = list(difflib.unified_diff(a, b, f"{name} here", f"{name} by {kernel}, {backend}", "", "", 1, ""))
            print("\n".join(f"# {line}" for line in diff[:SHOWN]))
    print(f"# {kernel}, {backend}: {len(names)} stories, {equal} the same, {granted} but for what is granted, {bad} others")
    return 1 if bad or not names else 0


def said_of(lines, name):
    """The line of a test that failed, and what it printed below."""
    at = next(i for i, line in enumerate(lines) if line.startswith("not ok") and line.endswith(name))
    more = [i for i, line in enumerate(lines) if i > at and not line.startswith("# ")]
    return lines[at:min(more + [at + SHOWN])]


def tests(kernel, tap):
    table, bad, granted = rows("tests"), 0, 0
    with open(tap, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    failed = [m.group(1) for m in (re.match(r"not ok \d+ (.*)", line) for line in lines) if m]
    passed = sum(bool(re.match(r"ok \d+ ", line)) and "# skip" not in line for line in lines)
    planned = sum(int(m.group(1)) for m in (re.match(r"1\.\.(\d+)$", line) for line in lines) if m)
    told = sum(bool(re.match(r"(not )?ok \d+ ", line)) for line in lines)
    if told != planned:
        bad += 1
        print(f"# {kernel}: {planned} tests were planned, {told} reported")
    for name in failed:
        used = [r for r in table if r.fits(name, kernel, "auto")]
        grant(used)
        granted += bool(used)
        if not used:
            bad += 1
            print("\n".join(f"# {line}" for line in said_of(lines, name)))
    print(f"# {kernel}: {passed} tests hold on its recordings, {granted} fail as granted, {bad} fail")
    return 1 if bad or not passed else 0


def stale(kernels):
    if kernels:
        return 0
    with open(GRANTED, encoding="utf-8") as f:
        used = set(f.read().splitlines())
    left = [r for kind in ("stories", "tests") for r in rows(kind) if f"{r.number} {r.what}" not in used]
    for row in left:
        print(f"# differences.md:{row.number}: nothing differs so any more: {row.what} on {row.where}")
    return 1 if left else 0


def main(args):
    if args[:1] == ["stories"] and len(args) in (5, 6):
        return stories(*args[1:])
    if args[:1] == ["tests"] and len(args) == 3:
        return tests(*args[1:])
    if args[:1] == ["stale"]:
        return stale(args[1:])
    print(__doc__, file=sys.stderr)
    return 125


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

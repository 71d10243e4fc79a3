# SPDX-License-Identifier: MIT
"""Compare two accounts of one run, list by list, and print where they part."""
import difflib


def compare(theirs, ours, name):
    """Two dicts: key -> list of printable rows. Returns the lines that differ, [] if none do."""
    out = []
    for key in sorted(set(theirs) | set(ours), key=str):
        a, b = ([str(row) for row in side.get(key, [])] for side in (theirs, ours))
        if a != b:
            out.append(f"{key}: {len(a)} in {name}, {len(b)} traced")
            out += difflib.unified_diff(a, b, name, "traced", lineterm="", n=2)
    return out


def report(theirs, ours, name, least=1):
    """Print the outcome; the exit status. `least`: fewer rows than that prove nothing."""
    rows = sum(len(v) for v in theirs.values())
    if rows < least:
        print(f"{name} saw only {rows} rows: nothing was compared")
        return 1
    differences = compare(theirs, ours, name)
    for line in differences[:200]:
        print(line)
    if not differences:
        print(f"equal: {rows} rows in {len(theirs)} lists")
    return 1 if differences else 0

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What must hold for every verdict: python3 evidence.py FILE.

It is told under a step of the run, has evidence, every piece of it is a step of the run, its texts are there,
and an inference says from what.
"""
import sys

from q import load


def complaints(verdict, ids):
    name = f"verdict {verdict['verdict']} ({verdict['rule']})"
    if verdict["event"] not in ids:
        yield f"{name}: no step {verdict['event']}"
    if not verdict["evidence"]:
        yield f"{name}: no evidence"
    for step in verdict["evidence"]:
        if step not in ids:
            yield f"{name}: evidence {step} is no step of the run"
    if verdict["evidence"] != sorted(set(verdict["evidence"])):
        yield f"{name}: evidence not in order: {verdict['evidence']}"
    for key in ("question", "cause"):
        if not verdict[key] or "\n" in verdict[key]:
            yield f"{name}: {key} is {verdict[key]!r}"
    if (verdict["certainty"] == "inferred") != bool(verdict.get("basis")):
        yield f"{name}: {verdict['certainty']}, from {verdict.get('basis')!r}"


def main(path):
    ids = {e["id"] for e in load(path) if "id" in e}
    bad = [c for v in load(path, verdicts=True) for c in complaints(v, ids)]
    print("\n".join(bad), end="\n" if bad else "")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

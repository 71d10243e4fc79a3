#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What BPF keeps in the kernel: programs, links, maps, pinned files.

usage: left.py                 list all, a line each: "prog 12 name"
       left.py BEFORE          list what is there now, was not in that list, and belongs to no living process
Exits 1 if the second one lists anything.
"""
import glob, json, os, subprocess, sys


def objects():
    found = set()
    for kind in "prog", "link", "map":
        listed = subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True, check=True)
        found |= {f"{kind} {o['id']} {o.get('name', o.get('type', ''))}" for o in json.loads(listed.stdout or "[]")}
    for folder, _, names in os.walk("/sys/fs/bpf"):
        found |= {f"pinned {folder}/{name}" for name in names}
    return found


def held():
    """The same, of every process that lives: other tests, other tracers."""
    ids = set()
    for info in glob.glob("/proc/[0-9]*/fdinfo/*"):
        try:
            lines = open(info).read().splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition(":")
            if key in ("prog_id", "link_id", "map_id"):
                ids.add(f"{key[:-3]} {value.strip()}")
    return ids


now = objects()
if len(sys.argv) > 1:
    alive = held()
    before = set(open(sys.argv[1]).read().splitlines())
    now = {o for o in now - before if " ".join(o.split()[:2]) not in alive}
print("\n".join(sorted(now)))
sys.exit(len(sys.argv) > 1 and bool(now))

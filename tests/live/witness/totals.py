#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""totals.py SS JSON: what `ss -tinHO` says of every connection, and the ledger at that moment.

Both describe the same instant only if nothing moves: sample while the program stands still.
"""
import os
import re
import sys
from collections import defaultdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from differ import report
from q import load

NUMBER = re.compile(r"\b(\w+):(\d+)\b")


def row(sent, acked, received, unread, unacked):
    return (f"sent {sent} acknowledged {acked} received {received} unread {unread} "
            f"not yet acknowledged {unacked}")


def sampled(text, clients):
    """src -> [row]. The kernel counts a client's SYN as one byte acknowledged."""
    rows = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 5 or words[0] == "LISTEN":
            continue
        n = {k: int(v) for k, v in NUMBER.findall(" ".join(words[5:]))}
        src = words[3]
        acked = n.get("bytes_acked", 0)
        if src in clients and acked:
            acked -= 1
        rows[src] = [row(n.get("bytes_sent", 0) - n.get("bytes_retrans", 0), acked,
                         n.get("bytes_received", 0), int(words[1]), int(words[2]))]
    return rows


def is_end(e):
    """A line about one end of a connection, with that end's own address (a segment has its sender's)."""
    return (e.get("role") in ("client", "server") and e.get("src") and e.get("dst") and e.get("conn")
            and e["kind"] != "segment")


def standing(out, into):
    waiting = out["unsent"] + out["in_flight"]
    return row(out["written"] - out["unsent"], out["written"] - waiting, into["rcvq"] + into["read"],
               into["rcvq"], waiting)


def traced(events):
    """src -> [row]. Each line tells of both directions, and so of both ends of its connection."""
    own, ends, rows = {}, defaultdict(set), {}
    for e in filter(is_end, events):
        own[e["sock"]] = e["src"]
        ends[e["conn"]].add(e["sock"])
    for e in events:
        out, into = e.get("ledger"), e.get("ledger_in")
        if not out or not into or e.get("sock") not in own:
            continue
        for sock in ends[e["conn"]]:
            mine = sock == e["sock"]
            rows[own[sock]] = [standing(out, into) if mine else standing(into, out)]
    return rows


def main():
    events = load(sys.argv[2])
    clients = {e["src"] for e in events if is_end(e) and e["role"] == "client"}
    with open(sys.argv[1], encoding="utf-8") as f:
        return report(sampled(f.read(), clients), traced(events), "ss")


if __name__ == "__main__":
    sys.exit(main())

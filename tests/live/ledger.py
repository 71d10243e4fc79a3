#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare what programs say their calls returned with the ledgers of a trace.

    ledger.py WITNESS TRACE SEED

WITNESS holds the lines converse printed, TRACE is JSON lines. What the calls returned is compared with written
and read, what the segments of the trace tell (ledger_wire.py) with all other places, at the end and on every
line before it, and what the kernel said of its queues with the line of that moment. The ledger must balance on
every line, and what was written must not shrink. A conversation in whose time events were lost does not count,
and one lost event touches all that are open then; more than a few are too many.
"""
import os
import re
import sys

import sound
from ledger_wire import ENDS, Wire, final, looked, within
from q import load

END = r"(\d+) sent (\d+)\.\.(\d+) got (\d+)\.\.(\d+) queues (\S+)"
LINE = re.compile(rf"conversation (\d+) (\S+) client {END} server {END}$")
PARTS = ("unsent", "in_flight", "rcvq", "read", "destroyed", "discarded", "unacked")
LOST_MOST = int(os.environ.get("LOST_MOST", 5))  # events
LATE_SHARE = 100  # in so many conversations one line may tell what comes after it
BAD_LINES_TOLD = 3  # of a conversation
LAST_WORDS = 24  # lines of its end that are shown
PLACES_LEFT = ("unsent", "in_flight", "rcvq")  # nothing may be there when all is over


class Said:
    """One conversation as its programs tell it."""

    def __init__(self, match):
        n = match.groups()
        self.number, self.kind = int(n[0]), n[1]
        ends = [list(map(int, e[:5])) for e in (n[2:8], n[8:14])]
        self.ports = ends[0][0], ends[1][0]
        self.sent = ends[0][1:3], ends[1][1:3]
        self.got = ends[0][3:5], ends[1][3:5]
        self.queues = [None if q == "-" else list(map(int, q.split("/"))) for q in (n[7], n[13])]
        if "alone" in self.kind:
            self.ports = self.ports[0], self.ports[0]


def said(path):
    with open(path, encoding="utf-8") as f:
        return [Said(m) for m in map(LINE.match, f.read().splitlines()) if m]


def summaries(lines):
    """By the two ports; the trailer."""
    found = {}
    for s in lines:
        if s.get("kind") == "summary" and s.get("protocol") == "TCP":
            ports = tuple(int(s[end]["addr"].rsplit(":", 1)[1]) for end in ("client", "server"))
            found.setdefault(ports, []).append(s)
    return found, lines[-1]


def direction(name, l, sent, got, way):
    if not l:
        return [] if not sent[0] and not got[0] else [f"{name}: no ledger, {sent[0]} sent, {got[0]} got"]
    bad = out_of_sight(l, sent, got)
    if l["tx_seen"]:
        bad += within("written", l["written"], sent, "its program")
    if l["rx_seen"]:
        bad += within("read", l["read"] + l["reread"], got, "its program")
    if l["tx_seen"] and l["rx_seen"] and l["written"] != sum(l[k] for k in PARTS):
        bad.append(f"written {l['written']} is not what is placed, {sum(l[k] for k in PARTS)}")
    bad += [f"{l[k]} B still {k}" for k in PLACES_LEFT if l[k]]
    if l.get("residual", 0):
        bad.append(f"a residual of {l['residual']}")
    if l["partial"]:
        bad.append("counted from later than the start")
    bad += final(l, way, got)
    return [f"{name}: {b}" for b in bad] + ([f"{name}: {l}"] if bad else [])


def out_of_sight(l, sent, got):
    """An end may have no stream only if it took no part: no socket was made of the SYN, as the listener
    went or the third segment of the handshake was dropped; or a client was killed before its connect() ended."""
    bad = []
    if not l["tx_seen"] and sent[0]:
        bad.append("the writer was not seen")
    if not l["rx_seen"] and (got[0] or l["unacked"] + l["destroyed"] != l["written"]):
        bad.append("the reader was not seen")
    return bad


def compare(c, s, wire):
    ways, bad = wire.ways[s["conn"]], []
    if s["how"] == "open":
        bad.append("it never ended")
    for name, way, a, b in (("->", "client_to_server", 0, 1), ("<-", "server_to_client", 1, 0)):
        if "alone" in c.kind:
            b = a
            if way == "server_to_client":
                continue
        bad += direction(name, s.get(way), c.sent[a], c.got[b], ways[a])
    for end, queues in zip(ENDS, c.queues):
        if queues:
            bad += [f"{end}: {b}" for b in looked(queues, wire.looks.get((s["conn"], end)))]
    return bad + wire.bad[s["conn"]][:BAD_LINES_TOLD]


def of_ports(found, ports):
    """A client that was killed may not have told its port; the server's is its own."""
    if ports[0]:
        return found.get(ports, [])
    return [s for key in found if key[1] == ports[1] for s in found[key]]


def last_words(lines, these):
    """How such a conversation ended, in raw numbers."""
    mine = [e for e in lines[1:-1] if these and e.get("conn") == these[0]["conn"] and e["kind"] != "summary"]
    for e in mine[-LAST_WORDS:]:
        if e["kind"] == "segment":
            words = e["from"], e["direction"], "+".join(e["flags"]), e["seq_raw"], e.get("ack_raw"), e["len"]
        else:
            words = e.get("role"), e.get("call", e["kind"]), e["phase"], e.get("ret"), e.get("new_state")
        print("      ", e["id"], *words)


def judge(c, these, wire):
    """None: it does not count; else what is wrong."""
    if not these and not any(x[0] for x in c.sent + c.got):
        return None  # nothing ever left: no listener any more, or the client was killed before
    if len(these) != 1:
        return [f"{len(these)} summaries for ports {c.ports}"]
    if these[0]["lost"]:
        return None
    return compare(c, these[0], wire)


def main():
    witness, trace, seed = sys.argv[1:4]
    lines = load(trace)
    talks, (found, trailer) = said(witness), summaries(lines)
    failed = counted = lossy = 0
    wire = Wire(lines[1:-1])
    live = [] if trailer["lost"] else sound.ledgers(lines[1:-1])
    print("\n".join(live[:20]))
    for c in talks:
        these = of_ports(found, c.ports)
        lossy += any(s["lost"] for s in these)
        bad = judge(c, these, wire)
        counted += bad is not None
        if bad:
            failed += 1
            print(f"SEED={seed} FIRST={c.number} COUNT=1, {c.kind}, ports {c.ports}:")
            print("\n".join("    " + b for b in bad))
            print("    sent", c.sent, "got", c.got, "how", these[0]["how"] if these else "-")
            last_words(lines, these)
    print(f"{len(talks)} conversations, {counted} compared, {failed} failed; {lossy} lost events; ids of lines before "
          f"their time: {wire.late()}; {trailer}")
    late = len(wire.late()) > 1 + len(talks) // LATE_SHARE
    return 1 if failed or live or late or trailer["lost"] > LOST_MOST or not counted else 0


if __name__ == "__main__":
    sys.exit(main())

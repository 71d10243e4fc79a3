#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare what programs say their calls returned with the ledgers of a trace.

    ledger.py WITNESS TRACE SEED
    ledger.py --selftest

WITNESS holds the lines converse printed, TRACE is JSON lines. A conversation in whose time events were
lost does not count, and one lost event touches all that are open then; more than a few are too many. Between beginning and end the ledger must balance on
every line, and what was written must not shrink.
"""
import re
import sys

import sound
from q import load

LINE = re.compile(r"conversation (\d+) (\S+) client (\d+) sent (\d+)\.\.(\d+) got (\d+)\.\.(\d+) "
                  r"server (\d+) sent (\d+)\.\.(\d+) got (\d+)\.\.(\d+)$")
PARTS = ("unsent", "in_flight", "rcvq", "read", "destroyed", "discarded", "unacked")
PLACES_LEFT = ("unsent", "in_flight", "rcvq")  # nothing may be there when all is over


class Said:
    """One conversation as its programs tell it."""

    def __init__(self, match):
        n = match.groups()
        self.number, self.kind = int(n[0]), n[1]
        rest = list(map(int, n[2:]))
        self.ports = rest[0], rest[5]
        self.sent = rest[1:3], rest[6:8]
        self.got = rest[3:5], rest[8:10]
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


def within(what, value, bounds):
    if bounds[0] <= value <= bounds[1]:
        return []
    told = str(bounds[0]) if bounds[0] == bounds[1] else f"{bounds[0]} to {bounds[1]}"
    return [f"{what} {value}, the program's calls say {told}"]


def direction(name, l, sent, got):
    if not l:
        return [] if not sent[0] and not got[0] else [f"{name}: no ledger, {sent[0]} sent, {got[0]} got"]
    bad = out_of_sight(l, sent, got)
    if l["tx_seen"]:
        bad += within("written", l["written"], sent)
    if l["rx_seen"]:
        bad += within("read", l["read"] + l.get("reread", 0), got)
    if l["tx_seen"] and l["rx_seen"] and l["written"] != sum(l[k] for k in PARTS):
        bad.append(f"written {l['written']} is not what is placed, {sum(l[k] for k in PARTS)}")
    bad += [f"{l[k]} B still {k}" for k in PLACES_LEFT if l[k]]
    if l.get("residual", 0):
        bad.append(f"a residual of {l['residual']}")
    if l["partial"]:
        bad.append("counted from later than the start")
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


def compare(c, s):
    bad = []
    if s["how"] == "open":
        bad.append("it never ended")
    for name, way, a, b in (("->", "client_to_server", 0, 1), ("<-", "server_to_client", 1, 0)):
        if "alone" in c.kind:
            b = a
            if way == "server_to_client":
                continue
        bad += direction(name, s.get(way), c.sent[a], c.got[b])
    return bad


def of_ports(found, ports):
    """A client that was killed may not have told its port; the server's is its own."""
    if ports[0]:
        return found.get(ports, [])
    return [s for key in found if key[1] == ports[1] for s in found[key]]


LOST_MOST = 5  # events


def judge(c, these):
    """None: it does not count; else what is wrong."""
    if not these and not any(x[0] for x in c.sent + c.got):
        return None  # nothing ever left: no listener any more, or the client was killed before
    if len(these) != 1:
        return [f"{len(these)} summaries for ports {c.ports}"]
    if these[0]["lost"]:
        return None
    return compare(c, these[0])


def main():
    if sys.argv[1] == "--selftest":
        return selftest()
    witness, trace, seed = sys.argv[1:4]
    lines = load(trace)
    talks, (found, trailer) = said(witness), summaries(lines)
    failed = counted = lossy = 0
    live = [] if trailer["lost"] else sound.ledgers(lines[1:-1])
    print("\n".join(live[:20]))
    for c in talks:
        these = of_ports(found, c.ports)
        lossy += any(s["lost"] for s in these)
        bad = judge(c, these)
        counted += bad is not None
        if bad:
            failed += 1
            print(f"SEED={seed} FIRST={c.number} COUNT=1, {c.kind}, ports {c.ports}:")
            print("\n".join("    " + b for b in bad))
            print("    sent", c.sent, "got", c.got, "how", these[0]["how"] if these else "-")
    print(f"{len(talks)} conversations, {counted} compared, {failed} failed; {lossy} lost events; {trailer}")
    return 1 if failed or live or trailer["lost"] > LOST_MOST or not counted else 0


def selftest():
    """One conversation as it should be, then each way to be wrong."""
    def whole():
        l = dict.fromkeys(PARTS + ("calls_wrote", "calls_read", "reread", "residual"), 0)
        l.update(written=10, read=7, discarded=3, tx_seen=True, rx_seen=True, partial=False)
        empty = {k: (0 if isinstance(v, int) and not isinstance(v, bool) else v) for k, v in l.items()}
        return {"how": "fin", "lost": 0,
                "client_to_server": l, "server_to_client": empty}

    c = Said(LINE.match("conversation 5 v4 client 40000 sent 10..10 got 0..0 server 10005 sent 0..0 got 7..9"))
    wrong = [("client_to_server", "written", 11), ("client_to_server", "written", 9),
             ("client_to_server", "read", 6), ("client_to_server", "read", 10),
             ("client_to_server", "discarded", 2), ("client_to_server", "rcvq", 1),
             ("client_to_server", "residual", 1), ("client_to_server", "partial", True),
             ("client_to_server", "rx_seen", False), ("server_to_client", "read", 1)]
    bad = [] if judge(c, [whole()]) == [] else ["the good one is found wrong"]
    for way, key, value in wrong:
        s = whole()
        s[way][key] = value
        if not judge(c, [s]):
            bad.append(f"{way}.{key} = {value} passes")
    for s in ([], [whole(), whole()], [dict(whole(), how="open")]):
        if not judge(c, s):
            bad.append(f"{len(s)} summaries pass")
    if judge(c, [dict(whole(), lost=1)]) is not None:
        bad.append("one with lost events counts")
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""What the segments of a trace tell about a ledger. The model has no part in it but for whose they are.

A segment that leaves says how far its sender has sent, and by its acknowledgement how far that sender has
taken in what came the other way: a kernel always acknowledges all it has, also by the RST of a socket that
is closed. So behind an end's last word it can only have taken in what reached its device after that; and
when that word was an RST, nothing. What fills no gap, finds no room or is dropped behind the device shows
in the words that follow. Numbers are raw ones, counted from the SYN; FIN and SYN are no data.
"""
from collections import defaultdict

ENDS = ("client", "server")
UNSENT = ("unsent", "destroyed")
NOT_TAKEN = ("in_flight", "unacked")


def offset(raw, isn):
    """Of a number in the data; behind or before it by less than 2 GiB."""
    return (raw - isn - 1 + (1 << 31)) % (1 << 32) - (1 << 31)


class Way:
    """One direction of one conversation. Positions count bytes of data from its start."""

    def __init__(self):
        self.isn = None
        self.sent = 0  # behind the last byte that ever left
        self.urgent = 0  # segments with a mark
        self.arrived = 0  # behind the last byte that reached the receiver's device
        self.arrivals = []  # (id of the line, first, behind, raw acknowledgement): where the receiver is
        self.acked = 0  # behind the last byte the receiver said it has
        self.told = 0  # the same without what was said of a FIN, and to a sender that had reset
        self.deaf = False
        self.fin = 0  # 1: it has left. rcv_nxt counts it a moment before the kernel marks that it has come
        self.since = 0  # id of a line: what arrived before it is in the receiver's last word
        self.ended = None  # bounds of what was taken in, when the receiver takes no more
        self.ahead = [0, 0]  # sent, taken in: told before its time, see look_ahead()
        self.late = []  # ids of such lines that are not a call's entry

    def moves(self, e, out):
        if "SYN" in e["flags"] and out:
            self.isn = e["seq_raw"]
        self.deaf |= "RST" in e["flags"] and out
        self.fin |= "FIN" in e["flags"] and out
        if self.isn is None or "RST" in e["flags"]:
            return
        self.urgent += out and "URG" in e["flags"]
        first = offset(e["seq_raw"], self.isn) + ("SYN" in e["flags"])
        behind = first + e["len"]
        if not e["len"]:
            return
        if out:
            self.sent = max(self.sent, behind)
        else:
            self.arrivals.append((e["id"], first, behind, e.get("ack_raw")))
            self.arrived = max(self.arrived, behind)

    def answered(self, e, since, alive):
        """The receiver lets a segment go. alive: it had a socket once."""
        if self.isn is None or self.ended:
            return
        reset, ack = "RST" in e["flags"], "ACK" in e["flags"]
        at = offset(e["ack_raw"], self.isn) if ack else None
        if reset and not ack:
            self.ended = self.acked, self.reach(self.caused(e))
        elif reset and alive:
            self.ended = (min(at, self.sent),) * 2
        elif not reset and ack and at >= self.acked:
            self.acked, self.since = min(at, self.sent), since
            self.told = self.told if self.deaf or at > self.sent else at

    def caused(self, reset):
        """How many segments with data had arrived before the one that is answered by an RST without ACK:
        such an RST takes its number from it."""
        for i in range(len(self.arrivals) - 1, -1, -1):
            if self.arrivals[i][3] == reset["seq_raw"]:
                return i
        return len(self.arrivals)

    def reach(self, stop=None):
        """How far the receiver can have got: something new must touch what it has said it has."""
        come, at = self.arrivals[:stop], self.acked
        if not any(i >= self.since and first <= at < behind for i, first, behind, _ in come):
            return at
        for _, first, behind, _ in sorted(come, key=lambda a: a[1]):
            if first <= at:
                at = max(at, behind)
        return at

    def live(self, e, l):
        """A line in the middle of it all."""
        sent = l["written"] - sum(l[k] for k in UNSENT)
        now = sent, sent - sum(l[k] for k in NOT_TAKEN)
        if e["kind"] != "segment":
            self.look_ahead(e, now)
        most = [max(m) + self.fin for m in zip(self.most(), self.ahead)]
        return (within("sent", now[0], (self.sent, most[0]), "the wire") +
                within("taken in", now[1], (self.told, most[1]), "the wire"))

    def look_ahead(self, e, now):
        """A line may show what comes next: a call that is found waiting is looked at later than it began, and
        that may take long. All others are looked at in their own moment, but for an interrupt in between."""
        if all(n <= max(m) + self.fin for n, *m in zip(now, self.most(), self.ahead)):
            return
        self.ahead = list(map(max, self.ahead, now))
        if e["kind"] != "call" or e["phase"] != "enter":
            self.late.append(e["id"])

    def most(self):
        return self.sent, self.arrived

    def caught_up(self):
        return all(a <= m for a, m in zip(self.ahead, self.most()))

    def taken(self):
        """Bounds of what the receiver took in, when all is over."""
        return self.ended or (self.acked, self.reach())


def within(what, value, bounds, who):
    if bounds[0] <= value <= bounds[1]:
        return []
    told = str(bounds[0]) if bounds[0] == bounds[1] else f"{bounds[0]} to {bounds[1]}"
    return [f"{what} {value}, {who} says {told}"]


def final(l, way, got):
    """Where the bytes ended, against the wire and what the reader's calls returned."""
    low, high = way.taken()
    bad = []
    if l["tx_seen"]:
        unsent = l["written"] - way.sent
        bad += within("destroyed", l["destroyed"], (unsent, unsent), "the wire")
        bad += within("unacked", l["unacked"], (way.sent - high, way.sent - low), "the wire")
        bad += within("sent, before its time,", way.ahead[0], (0, way.sent + way.fin), "the wire")
        bad += within("taken in, before its time,", way.ahead[1], (0, high + way.fin), "the wire")
    if l["rx_seen"]:
        again = l["reread"]
        bad += within("reread", again, (0, way.urgent), "the wire")
        bad += within("discarded", l["discarded"], (low - got[1] + again, high - got[0] + again), "the wire")
    return bad


class Wire:
    """All of a trace, line by line."""

    def __init__(self, lines):
        self.ways = defaultdict(lambda: (Way(), Way()))  # by conversation; from the client, from the server
        self.looks = {}  # by conversation and end: the line on which it looked at its queues
        self.bad = defaultdict(list)  # by conversation: complaints about the ledger on a line
        self.inside = defaultdict(dict)  # socket -> thread -> id of the entry
        for e in lines:
            if e["kind"] == "call":
                self.call(e)
            if e.get("conn") and e["kind"] == "segment" and e.get("type") != "dgram":
                self.segment(e)
            if e.get("conn") and e.get("role") in ENDS:
                self.line(e, self.ways[e["conn"]], ENDS.index(e["role"]))

    def late(self):
        return [i for pair in self.ways.values() for way in pair for i in way.late]

    def call(self, e):
        if e["phase"] == "enter":
            self.inside[e["sock"]][e["tid"]] = e["id"]
        elif e["phase"] == "exit":
            self.inside[e["sock"]].pop(e["tid"], None)

    def segment(self, e):
        pair, end = self.ways[e["conn"]], ENDS.index(e["from"])
        there, back = pair[end], pair[not end]
        if e["src"] == e["dst"]:
            there = back = pair[0]
        out = e["direction"] == "out"
        there.moves(e, out)
        if out:
            # A socket in a call takes in what arrived meanwhile only when the call lets go of it.
            since = min([e["id"], *self.inside[e["sock"]].values()])
            back.answered(e, since, there.isn is not None)

    def line(self, e, pair, end):
        sides = [("ledger", pair[end]), ("ledger_in", pair[not end])]
        if "src" in e and e["src"] == e.get("dst"):  # its own peer: what it sends is what it receives
            sides = [("ledger", pair[0])] * 2
        for key, way in sides:
            l = e.get(key)
            if l and l["tx_seen"] and not l["partial"]:
                self.bad[e["conn"]] += [f"id {e['id']}: {key}: {b}: {l}" for b in way.live(e, l)]
        if e["kind"] == "call" and e["phase"] == "exit" and e.get("option") == "TCP_INFO":
            self.looks[e["conn"], e["role"]] = [Look(e.get(key), way) for key, way in sides]


class Look:
    """One direction, when the program asked the kernel for its queues."""

    def __init__(self, ledger, way):
        self.ledger = ledger
        self.exact = way.caught_up()
        self.urgent = way.urgent
        self.fin = way.fin


CLOSE = 7  # of linux/tcp_states.h
HANDSHAKES = 2, 3  # SYN_SENT, SYN_RECV: all queues are told as empty
FIN_WAITS = 4, 9, 11  # FIN_WAIT1, LAST_ACK, CLOSING


def looked(queues, look):
    """What the kernel said was in an end's queues, against the account of that moment."""
    state, unread, unacked, unsent = queues
    if not look:
        return ["its look at the queues was not seen"]
    out, back = look
    bad = []
    if state in HANDSHAKES:
        return bad
    if state in FIN_WAITS:  # the FIN is the last in the queue
        unacked, unsent = unacked - 1, max(0, unsent - 1)
    if back.exact and not back.urgent:  # an urgent byte ends what SIOCINQ counts
        l = back.ledger
        bad += within("rcvq", l["rcvq"] + l["discarded"], (unread, unread + back.fin), "the kernel")
    if out.exact and state != CLOSE:
        l = out.ledger
        bad += within("unsent", l["unsent"] + l["destroyed"], (unsent, unsent), "the kernel")
        bad += within("in flight", l["in_flight"] + l["unacked"], (0, unacked - unsent), "the kernel")
    return bad

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison of ledger.py must be able to fail: a conversation as it should be, then each way to be wrong.

The client writes 100 bytes and 60 of them leave. 40 reach the server, the others are dropped behind its
device. The server reads 30, closes, and so resets the connection.
"""
import copy
import unittest

from ledger import LINE, PARTS, Said, judge
from ledger_wire import Way, Wire, offset

SAID = ("conversation 5 v4 client 40000 sent 100..100 got 0..0 queues 1/0/60/40 "
        "server 10005 sent 0..0 got 30..30 queues 1/10/0/0")
CLIENT, SERVER = "127.0.0.1:40000", "127.0.0.1:10005"
ISN = {"client": 0xfffffff0, "server": 7000}  # the client's numbers wrap
EMPTY = dict(dict.fromkeys(PARTS + ("calls_wrote", "calls_read", "reread", "residual"), 0),
             written=0, tx_seen=True, rx_seen=True, partial=False)


def ledger(written=0, sent=0, taken=0, read=0, over=False):
    unsent, in_flight, rcvq = written - sent, sent - taken, taken - read
    l = dict(EMPTY, written=written, read=read, calls_wrote=written, calls_read=read)
    if over:
        return dict(l, destroyed=unsent, unacked=in_flight, discarded=rcvq)
    return dict(l, unsent=unsent, in_flight=in_flight, rcvq=rcvq)


def raw(end, byte):
    return (ISN[end] + 1 + byte) % (1 << 32)


def segment(end, way, flags, first, length, ack, *where):
    """first, ack: bytes of data; -1 is the SYN. where: see ledger()."""
    other = "server" if end == "client" else "client"
    e = {"kind": "segment", "from": end, "direction": way, "role": end if way == "out" else other,
         "src": CLIENT if end == "client" else SERVER, "dst": SERVER if end == "client" else CLIENT,
         "type": "stream", "flags": flags.split(), "len": length, "seq_raw": raw(end, first), "where": where}
    if "ACK" in flags:
        e["ack_raw"] = raw(other, ack)
    return e


def call(end, name, phase, *where, **more):
    return {"kind": "call", "call": name, "phase": phase, "role": end, "where": where, **more}


def placed(lines):
    """Put sockets, ids and ledgers to the lines: each says in `where` how far the client's bytes have come."""
    for i, e in enumerate(lines):
        e.update(id=i + 1, conn=1, sock=1 if e["role"] == "client" else 2, tid=1 if e["role"] == "client" else 2)
        there, back = ("ledger", "ledger_in") if e["role"] == "client" else ("ledger_in", "ledger")
        e[there], e[back] = ledger(*e.pop("where")), dict(EMPTY)
    return lines


def story():
    look = {"option": "TCP_INFO"}
    return placed([
        segment("client", "out", "SYN", -1, 0, None),
        segment("client", "in", "SYN", -1, 0, None),
        segment("server", "out", "SYN ACK", -1, 0, 0),
        segment("server", "in", "SYN ACK", -1, 0, 0),
        segment("client", "out", "ACK", 0, 0, 0),
        segment("client", "in", "ACK", 0, 0, 0),
        call("client", "write", "enter"),
        segment("client", "out", "PSH ACK", 0, 40, 0, 40, 40, 0),
        segment("client", "in", "PSH ACK", 0, 40, 0, 40, 40, 0),
        segment("server", "out", "ACK", 0, 0, 40, 40, 40, 40),
        segment("server", "in", "ACK", 0, 0, 40, 40, 40, 40),
        segment("client", "out", "PSH ACK", 40, 20, 0, 60, 60, 40),
        segment("client", "in", "PSH ACK", 40, 20, 0, 60, 60, 40),
        call("client", "write", "exit", 100, 60, 40),
        call("server", "read", "enter", 100, 60, 40),
        call("server", "read", "exit", 100, 60, 40, 30),
        call("client", "getsockopt", "exit", 100, 60, 40, 30, **look),
        call("server", "getsockopt", "exit", 100, 60, 40, 30, **look),
        call("server", "close", "enter", 100, 60, 40, 30),
        segment("server", "out", "RST ACK", 0, 0, 40, 100, 60, 40, 30),
        segment("server", "in", "RST ACK", 0, 0, 40, 100, 60, 40, 30, True),
        call("server", "close", "exit", 100, 60, 40, 30, True),
    ])


def summary():
    return {"how": "rst", "lost": 0, "conn": 1, "client_to_server": ledger(100, 60, 40, 30, True),
            "server_to_client": dict(EMPTY)}


def verdict(lines=None, end=None, said=SAID):
    return judge(Said(LINE.match(said)), [end or summary()], Wire(lines or story()))


def move(l, source, target):
    l[target] += l[source]
    l[source] = 0


# --- a model that is wrong: every ledger goes through one of these ---

def all_sent_is_acknowledged(l):
    move(l, "in_flight", "rcvq")
    move(l, "unacked", "discarded")


def acknowledgements_are_ignored(l):
    if not l["read"]:
        move(l, "rcvq", "in_flight")


def destroyed_is_unacked(l):
    move(l, "destroyed", "unacked")


def discarded_is_read(l):
    move(l, "discarded", "read")


def unread_is_read(l):
    move(l, "rcvq", "read")


def unsent_is_in_flight(l):
    move(l, "unsent", "in_flight")


MODELS = (all_sent_is_acknowledged, acknowledgements_are_ignored, destroyed_is_unacked, discarded_is_read,
          unread_is_read, unsent_is_in_flight)


class Story(unittest.TestCase):
    def test_good(self):
        self.assertEqual(verdict(), [])

    def test_every_key_counts(self):
        for key, value in (("written", 101), ("written", 99), ("read", 29), ("read", 31), ("discarded", 9), ("rcvq", 1),
                           ("residual", 1), ("partial", True), ("rx_seen", False), ("tx_seen", False),
                           ("reread", 1)):
            end = summary()
            end["client_to_server"][key] = value
            self.assertTrue(verdict(end=end), (key, value))
        end = summary()
        end["server_to_client"]["read"] = 1
        self.assertTrue(verdict(end=end))

    def test_read_twice(self):
        end = summary()
        end["client_to_server"]["reread"] = 1
        self.complains(verdict(end=end, said=SAID.replace("got 30..30", "got 31..31")), "reread 1")

    def test_a_sum_that_is_right_is_not_enough(self):
        for a in PARTS:
            for b in PARTS:
                end = summary()
                l = end["client_to_server"]
                if a != b and l[a]:
                    l.update({a: l[a] - 1, b: l[b] + 1})
                    self.assertTrue(verdict(end=end), (a, b))

    def test_wrong_models(self):
        for model in MODELS:
            lines, end = story(), summary()
            for e in lines:
                model(e["ledger" if e["role"] == "client" else "ledger_in"])
            model(end["client_to_server"])
            self.assertTrue(verdict(lines, end), model)

    def test_wrong_before_the_end_only(self):
        for model, word in ((all_sent_is_acknowledged, "taken in 60"), (acknowledgements_are_ignored, "taken in 0"),
                            (destroyed_is_unacked, "sent, before its time, 100"),
                            (unsent_is_in_flight, "sent, before its time, 100"),
                            (unread_is_read, "rcvq 0, the kernel")):
            lines = story()
            for e in lines:
                model(e["ledger" if e["role"] == "client" else "ledger_in"])
            self.complains(verdict(lines), word)

    def test_wrong_at_the_end_only(self):
        for model, words in ((all_sent_is_acknowledged, ("unacked 0", "discarded 30")),
                             (destroyed_is_unacked, ("destroyed 0", "unacked 60")),
                             (discarded_is_read, ("discarded 0", "read 40"))):
            end = summary()
            model(end["client_to_server"])
            for word in words:
                self.complains(verdict(end=end), word)

    def complains(self, bad, word):
        self.assertTrue([b for b in bad if f" {word}" in b and " says " in b], (word, bad))

    def test_summaries(self):
        c = Said(LINE.match(SAID))
        for these in ([], [summary(), summary()], [dict(summary(), how="open")]):
            self.assertTrue(judge(c, these, Wire(story())))
        self.assertIsNone(judge(c, [dict(summary(), lost=1)], Wire(story())))

    def test_queues(self):
        for right, wrong in (("1/0/60/40", "1/1/60/40"), ("1/0/60/40", "1/0/60/41"), ("1/0/60/40", "1/0/59/40"),
                             ("1/10/0/0", "1/9/0/0"), ("1/10/0/0", "7/11/5/5"), ("1/0/60/40", "4/0/60/40")):
            self.assertTrue(verdict(said=SAID.replace(right, wrong)), wrong)
        self.assertEqual(verdict(said=SAID.replace("1/0/60/40", "4/0/61/41")), [])  # a FIN waits, too
        self.assertEqual(verdict(said=SAID.replace("1/10/0/0", "7/10/5/5")), [])
        self.assertEqual(verdict(said=SAID.replace("1/0/60/40", "3/0/0/0")), [])  # not told yet
        self.assertTrue(verdict([e for e in story() if "option" not in e]))

    def test_a_fin_is_a_byte_for_a_moment(self):
        lines = story()
        for e in lines[11:13]:
            e["flags"].append("FIN")
        lines[12]["ledger_in"] = ledger(61, 61, 61)
        self.assertEqual(verdict(lines), [])
        lines[12]["ledger_in"] = ledger(62, 62, 62)
        self.complains(verdict(lines), "sent 62")

    def test_a_call_that_is_seen_late(self):
        lines = story()
        ahead = ledger(100, 60, 40)
        for e in lines[6:9]:  # its entry shows what the writer has come to since
            e["ledger" if e["role"] == "client" else "ledger_in"] = copy.copy(ahead)
        self.assertEqual(verdict(lines), [])
        self.assertEqual(Wire(lines).late(), [])
        self.assertTrue(verdict(lines[:6] + lines[7:]))
        lines[6]["ledger"] = ledger(100, 61, 40)
        self.complains(verdict(lines), "sent, before its time, 61")

    def test_other_lines_are_counted(self):
        lines = story()
        lines[6]["phase"] = "exit"
        lines[6]["ledger"] = ledger(100, 60, 40)
        self.assertEqual(Wire(lines).late(), [7])


class OneWay(unittest.TestCase):
    """What the receiver took in, from its acknowledgements and what arrived."""

    def way(self, *segments):
        """client: 100 bytes have left. An arrival is (first, behind, ACK); what the server says is flags, ACK."""
        w = Way()
        w.moves(segment("client", "out", "SYN", -1, 0, None), True)
        w.moves(segment("client", "out", "ACK", 0, 100, 0), True)
        for i, s in enumerate(segments):
            if isinstance(s[0], int):
                w.moves(dict(segment("client", "in", "ACK", s[0], s[1] - s[0], s[2]), id=i), False)
            else:
                w.answered(dict(segment("server", "out", s[0], s[2], 0, s[1]), id=i), i, True)
        return w.taken()

    def test_acknowledged(self):
        self.assertEqual(self.way((0, 50, 0), ("ACK", 50, 0)), (50, 50))
        self.assertEqual(self.way((0, 100, 0), ("ACK", 101, 0)), (100, 100))  # with its FIN

    def test_not_yet_acknowledged(self):
        self.assertEqual(self.way((0, 50, 0)), (0, 50))
        self.assertEqual(self.way((0, 50, 0), ("ACK", 50, 0), (50, 60, 0)), (50, 60))

    def test_dropped_behind_the_device(self):
        self.assertEqual(self.way((0, 50, 0), (50, 60, 0), (60, 70, 0), ("ACK", 50, 0)), (50, 50))
        self.assertEqual(self.way((0, 50, 0), (50, 60, 0), ("ACK", 50, 0), (60, 70, 0)), (50, 50))

    def test_a_gap_is_filled(self):
        self.assertEqual(self.way((50, 100, 0), ("ACK", 0, 0), (0, 50, 0)), (0, 100))

    def test_reset_by_the_socket(self):
        self.assertEqual(self.way((0, 50, 0), ("RST ACK", 50, 0)), (50, 50))
        self.assertEqual(self.way((0, 50, 0), ("RST ACK", 50, 0), (50, 60, 0)), (50, 50))

    def test_reset_in_answer(self):
        self.assertEqual(self.way((0, 50, 0), (50, 60, 7), ("RST", None, 7)), (0, 50))
        self.assertEqual(self.way((0, 50, 3), ("RST", None, 7), (50, 60, 7)), (0, 50))

    def test_the_answer_to_a_syn_nobody_wanted(self):
        w = Way()
        w.moves(dict(segment("client", "out", "SYN", -1, 30, None)), True)
        w.answered(segment("server", "out", "RST ACK", -1, 0, 30), 1, False)
        self.assertEqual((w.sent, w.taken()), (30, (0, 0)))

    def test_a_sender_that_has_reset_hears_nothing(self):
        w = Way()
        w.moves(segment("client", "out", "SYN", -1, 0, None), True)
        w.moves(segment("client", "out", "ACK", 0, 50, 0), True)
        w.moves(segment("client", "out", "RST ACK", 50, 0, 0), True)
        w.answered(dict(segment("server", "out", "ACK", 0, 0, 50)), 1, True)
        self.assertEqual((w.told, w.taken()), (0, (50, 50)))

    def test_numbers_wrap(self):
        self.assertEqual([offset(5, 0xfffffffe), offset(0xffffffff, 0), offset(0, 0)], [6, -2, -1])


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparators must be able to fail: feed them accounts that agree and accounts that do not."""
import copy
import json
import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import calls
import pcap
import q
import segments
import sound
import strace_log
import totals
from differ import compare, report

STRACE = """\
70  socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<socket:[10]>
70  read(4</etc/hosts>, ""..., 4096) = 120
70  connect(3<socket:[10]>, {sa_family=AF_INET, sin_port=htons(9)}, 16 <unfinished ...>
71  accept4(5<socket:[11]>,  <unfinished ...>
70  <... connect resumed>)            = -1 EINPROGRESS (Operation now in progress)
71  <... accept4 resumed>NULL, NULL, SOCK_CLOEXEC) = 6<socket:[12]>
70  poll([{fd=3<socket:[10]>, events=POLLOUT}], 1, -1) = 1 ([{fd=3, revents=POLLOUT}])
70  poll([{fd=4<pipe:[9]>, events=POLLIN}], 1, -1) = 1 ([{fd=4, revents=POLLIN}])
70  fcntl(3<socket:[10]>, F_GETFL)   = 0x802 (flags O_RDWR|O_NONBLOCK)
70  epoll_wait(7<anon_inode:[eventpoll]>, [], 1, 0) = 0
70  epoll_ctl(7<anon_inode:[eventpoll]>, EPOLL_CTL_ADD, 3<socket:[10]>, {events=EPOLLIN}) = 0
70  epoll_wait(7<anon_inode:[eventpoll]>, [{events=EPOLLIN}], 1, 0) = 1
70  splice(8<pipe:[9]>, NULL, 3<socket:[10]>, NULL, 5000, 0) = 5000
70  dup2(4</etc/hosts>, 3<socket:[10]>) = 3</etc/hosts>
70  --- SIGCHLD {si_signo=SIGCHLD} ---
71  recvfrom(6<socket:[12]>, 0x7ff, 9, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
71  recvfrom(6<socket:[12]>,  <unfinished ...>
70  close(3</etc/hosts>)              = 0
71  <... recvfrom resumed> <unfinished ...>) = ?
71  +++ killed by SIGKILL +++
70  recvfrom(6<socket:[12]>,  <unfinished ...>
"""

ROWS = {
    70: ["socket - 3", "connect 3 -1 EINPROGRESS", "poll - 1", "fcntl 3 2050", "epoll_ctl 3 0",
         "epoll_wait 7 1", "splice 3 5000", "dup2 4 3", "recvfrom 6 ?"],
    71: ["accept4 5 6", "recvfrom 6 -1 ERESTARTSYS", "recvfrom 6 ?"],
}


def tcp(sport, dport, seq, ack, flags, payload=0):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + payload, 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 512, 0, 0)
    return b"\0" * 12 + b"\x08\0" + ip + head


def capture(frames):
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for f in frames:
        data += struct.pack("<IIII", 0, 0, len(f), len(f)) + f
    return data


def segment(src, dst, seq, ack, length, flags, way):
    return {"kind": "segment", "src": src, "dst": dst, "seq": seq, "ack": ack, "len": length,
            "flags": flags.split(","), "win_raw": 512, "direction": way, "type": "stream"}


def account(ledger_read=5, ret=5, lost=0):
    """A trace of one socket that received five bytes."""
    seen = {"tx_seen": True, "rx_seen": True, "partial": False}
    ledger = {"written": 0, "unsent": 0, "in_flight": 0, "rcvq": 0, "read": 0, **seen}
    into = dict(ledger, written=5, rcvq=5 - ledger_read, read=ledger_read)
    call = {"kind": "call", "layer": "app", "call": "recvfrom", "tid": 7, "sock": 1, "fd": 3}
    return [
        {"type": "header"},
        dict(call, id=1, t_ns=10, phase="enter"),
        dict(call, id=2, t_ns=30, phase="exit", enter_id=1, ret=ret, took_ns=20, family="inet", type="stream",
             ledger=ledger, ledger_in=into),
        {"type": "trailer", "events": 2, "lost": lost},
    ]


class Strace(unittest.TestCase):
    def test_rows(self):
        self.assertEqual(strace_log.read(STRACE), ROWS)

    def test_misuse(self):
        log = ("70  recvfrom(3, 0x7ff, 1, 0, NULL, NULL) = -1 EBADF (Bad file descriptor)\n"
               "70  write(3, \"x\", 1)             = -1 EBADF (Bad file descriptor)\n"
               "70  close(3)                      = -1 EBADF (Bad file descriptor)\n"
               "70  fcntl(3, F_GETFL)             = -1 EBADF (Bad file descriptor)\n"
               "70  sendto(5<pipe:[9]>, \"x\", 1, 0, NULL, 0) = -1 ENOTSOCK (Socket operation on non-socket)\n"
               "70  read(5<pipe:[9]>, \"\", 1)     = -1 EAGAIN (Resource temporarily unavailable)\n")
        self.assertEqual(strace_log.read(log), {70: ["recvfrom 3 -1 EBADF", "write 3 -1 EBADF", "close 3 -1 EBADF",
                                                     "sendto 5 -1 ENOTSOCK"]})

    def test_threads_share_an_epoll(self):
        log = STRACE + "72  epoll_wait(7<anon_inode:[eventpoll]>, [], 1, 0) = 0\n"
        self.assertNotIn(72, strace_log.read(log))
        self.assertEqual(strace_log.read(log, {72: 70})[72], ["epoll_wait 7 0"])

    def test_equal_and_not(self):
        events = [
            {"kind": "call", "phase": "enter", "call": "socket", "tid": 1, "t_ns": 1, "id": 1},
            {"kind": "call", "phase": "exit", "call": "close", "tid": 1, "t_ns": 9, "id": 2, "fd": 3, "ret": -1,
             "errno": "EBADF"},
            {"kind": "call", "phase": "exit", "call": "socket", "tid": 1, "t_ns": 2, "id": 3, "ret": 3},
        ]
        ours = calls.traced(events)
        self.assertEqual(ours, {1: ["socket - 3", "close 3 -1 EBADF"]})
        self.assertEqual(compare({1: ["socket - 3", "close 3 -1 EBADF"]}, ours, "x"), [])
        self.assertTrue(compare({1: ["socket - 4", "close 3 -1 EBADF"]}, ours, "x"))
        self.assertTrue(compare({1: ["socket - 3"]}, ours, "x"))
        self.assertTrue(compare({2: ["socket - 3", "close 3 -1 EBADF"]}, ours, "x"))


class Pcap(unittest.TestCase):
    FRAMES = [tcp(5, 6, 1000, 0, 2), tcp(6, 5, 77, 1001, 18), tcp(5, 6, 1001, 78, 24, 14),
              tcp(6, 9, 0, 0, 4)]
    A, B = "127.0.0.1:5", "127.0.0.1:6"

    def theirs(self, cut=0):
        with tempfile.NamedTemporaryFile() as f:
            data = capture(self.FRAMES)
            f.write(data[:len(data) - cut])
            f.flush()
            return segments.captured(pcap.read(f.name))

    def ours(self, **change):
        events = [segment(self.A, self.B, 0, "-", 0, "SYN", "out"),
                  segment(self.B, self.A, 0, 1, 0, "SYN,ACK", "out"),
                  dict(segment(self.A, self.B, 1, 1, 14, "PSH,ACK", "out"), **change),
                  segment(self.B, "127.0.0.1:9", "-", "-", 0, "RST", "out"),
                  segment(self.A, self.B, 0, "-", 0, "SYN", "in")]
        return segments.traced(events, "out")

    def test_equal(self):
        self.assertEqual(compare(self.theirs(), self.ours(), "x"), [])

    def test_each_field_counts(self):
        for change in ({"seq": 2}, {"ack": 2}, {"len": 13}, {"flags": ["ACK"]}, {"win_raw": 1}, {"direction": "in"}):
            self.assertTrue(compare(self.theirs(), self.ours(**change), "x"), change)

    def test_half_written_packet(self):
        self.assertTrue(compare(self.theirs(cut=1), self.ours(), "x"))

    def test_nothing_is_not_equal(self):
        self.assertEqual(report({}, {}, "nobody"), 1)


class Totals(unittest.TestCase):
    SS = ("ESTAB 9 0 127.0.0.1:6 127.0.0.1:5 cubic bytes_sent:14 bytes_acked:14 bytes_received:14 segs_out:2\n"
          "ESTAB 0 0 127.0.0.1:5 127.0.0.1:6 cubic bytes_sent:16 bytes_retrans:2 bytes_acked:15 "
          "bytes_received:14\n")

    def ours(self, read):
        def ledger(unread):
            return {"written": 14, "unsent": 0, "in_flight": 0, "rcvq": unread, "read": 14 - unread}
        return totals.traced([
            {"kind": "call", "sock": 1, "conn": 1, "role": "client", "src": "127.0.0.1:5", "dst": "127.0.0.1:6",
             "ledger": ledger(9), "ledger_in": ledger(0)},
            {"kind": "call", "sock": 2, "conn": 1, "role": "server", "src": "127.0.0.1:6", "dst": "127.0.0.1:5",
             "ledger": ledger(0), "ledger_in": ledger(14 - read)}])

    def test_equal_and_not(self):
        theirs = totals.sampled(self.SS, {"127.0.0.1:5"})
        self.assertEqual(compare(theirs, self.ours(5), "ss"), [])
        self.assertTrue(compare(theirs, self.ours(6), "ss"))


class Sound(unittest.TestCase):
    def test_good(self):
        self.assertEqual(sound.complaints(account()), [])

    def test_under_way(self):
        """A call that has not returned may have moved more; one on another socket has not."""
        for sock, good in ((1, True), (2, False)):
            trace = account(ledger_read=4)
            trace.insert(3, dict(trace[1], id=3, t_ns=40, sock=sock))
            self.assertEqual(sound.totals(trace[1:-1]) == [], good)

    def test_bad(self):
        self.assertTrue(sound.complaints(account(lost=1)))
        self.assertEqual(sound.complaints(account(lost=1), lossy=True), [])
        self.assertTrue(sound.complaints(account(ledger_read=4)))
        self.assertTrue(sound.complaints(account(ret=4)))
        self.assertTrue(sound.complaints(account()[1:]))
        self.assertTrue(sound.complaints(account()[:-1]))

    def test_every_rule_can_fail(self):
        def broken(index, **change):
            lines = copy.deepcopy(account())
            lines[index].update(change)
            return sound.complaints(lines)

        self.assertTrue(broken(2, id=1))
        self.assertTrue(broken(2, took_ns=19))
        self.assertTrue(broken(2, call="read"))
        self.assertTrue(broken(2, sock=2))
        self.assertTrue(broken(1, phase="point"))
        unbalanced = dict(account()[2]["ledger_in"], written=6)
        self.assertTrue(broken(2, ledger_in=unbalanced))


class Questions(unittest.TestCase):
    def test_conditions(self):
        event = {"a": 1, "b": {"c": "xyz"}, "d": True}
        for good in ("a=1", "a!=2", "b.c~^x", "a>0", "a<2", "b.c", "!e", "d=true", "e=-"):
            self.assertTrue(q.condition(good)(event), good)
        for wrong in ("a=2", "a!=1", "b.c~^y", "a>1", "a<1", "e", "!a", "d=false", "e>0"):
            self.assertFalse(q.condition(wrong)(event), wrong)

    def test_piece_of_a_line(self):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(json.dumps({"id": 1}) + "\n" + '{"id": 2')
            f.flush()
            self.assertEqual(q.load(f.name), [{"id": 1}])


if __name__ == "__main__":
    unittest.main()

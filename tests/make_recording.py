#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a small recording by hand: a client and a server on loopback, "Hello, Server!" and its echo.

Knows the format from src/record/FORMAT.md and bpf/event.h only, so that it also tells when those change.

usage: make_recording.py [--repeat N] [--lost N] [--no-end] [--version N] [--layers BITS] [--hostile HEX] >FILE

--hostile: these bytes are in the names of processes and in all that is said of the kernel, and the server is reset
for a reason of such a name.
"""

import argparse
import socket
import struct
import sys

START = 100_000_000_000  # boot clock, ns
UNIX = 1_700_000_000_000_000_000
CLIENT, SERVER = 4001, 4000
CALL, PROC, SOCK, FLOW, SEGMENT, STATE, RST_SENT = 1, 2, 3, 4, 7, 8, 15
SOCKET, BIND, LISTEN, CONNECT, ACCEPT, SENDTO, RECVFROM, CLOSE = 1, 3, 4, 5, 6, 8, 15, 21
FIN, SYN, PSH, ACK = 1, 2, 8, 16
OUT, IN, FROM_B = 1, 2, 4
ESTABLISHED, SYN_SENT, SYN_RECV, TCP_CLOSE, CLOSE_WAIT, LISTENING = 1, 2, 3, 7, 8, 10


def head(kind, size, sid, t, pid, flags=0):
    return struct.pack("<HBBIQII", size, kind, flags, sid, START + t, pid, pid)


def addr(port):
    return struct.pack("<HH", 2, port) + socket.inet_aton("127.0.0.1") + bytes(12)


def levels(state, tcp=(0, 0, 0, 0, 0, 0), backlog=(0, 0)):
    write_seq, snd_nxt, snd_una, rcv_nxt, copied, memory = tcp
    flags = 1 | (2 if write_seq else 0) | (4 if state == LISTENING else 0) | (8 if state == CLOSE_WAIT else 0)
    return struct.pack(
        "<13IBBBBII", write_seq, snd_nxt, snd_una, 65536, rcv_nxt, copied, 65536, 0, memory,
        87040, 131072, *backlog, state, 0, flags, 0, 0, 0)


def call(sid, t, took, pid, number, fd, ret, length=0, x=(0, 0, 0, 0), sid2=0, tail=b"", lv=None, cflags=0):
    kind = 1 if tail else 0
    return (head(CALL, 144 + len(tail), sid, t + took, pid)
            + struct.pack("<QqQ4IiIHBBHH", START + t, ret, length, *x, fd, sid2, number, cflags, kind,
                          len(tail), 16 if tail else 0)
            + (lv or bytes(64)) + tail)


def sockaddr(port):
    return struct.pack("<H", 2) + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + bytes(8)


def proc(pid, comm):
    return head(PROC, 64, 0, 0, pid) + struct.pack("<6I16s", 1, 0, 1, 1000, 0, 0, comm)


def sock(sid, t, pid, cookie, state, src, dst, sflags=0, parent=0):
    return (head(SOCK, 288, sid, t, pid)
            + struct.pack("<QIIHHBBBBIIII", cookie, 4026531840, 1000 + sid, 2, 6, 1, state, sflags, 0,
                          0, 0, parent, 0)
            + addr(src) + addr(dst) + levels(state) + struct.pack("<H6x112x", 0))


def flow(fid, t, a, b):
    return (head(FLOW, 80, 0, t, 0) + struct.pack("<IIH6x", fid, 4026531840, 6) + addr(a) + addr(b))


def segment(sid, t, pid, fid, seq, ack, length, flags, sflags):
    return (head(SEGMENT, 56, sid, t, pid)
            + struct.pack("<4IHBBBBHII", fid, seq, ack, length, 512, flags, sflags | 16, 0, 0, 0, 1, 4026531840))


def state(sid, t, pid, old, new, lv):
    return head(STATE, 104, sid, t, pid) + struct.pack("<4I", old, new, 0, 0) + lv


def reset(sid, t, pid, reason):
    """This socket sends an RST for a reason that the kernel has a name for."""
    return head(RST_SENT, 104, sid, t, pid) + struct.pack("<4I", reason, 1, 0, 0) + levels(ESTABLISHED)


def frame(number, payload):
    return struct.pack("<II", number, len(payload)) + payload + bytes(-len(payload) % 8)


def meta(pairs):
    return frame(1, b"".join(k + b"\0" + v + b"\0" for k, v in pairs))


def tick(t):
    return frame(3, struct.pack("<Q", START + t))


def loss(t, lost):
    return frame(4, struct.pack("<Q64Q", START + t, *([0] * 32), 0, lost, *([0] * 30)))


def opening(t, s, port, cport, isn):
    """socket, bind, listen; socket, connect; accept: s, s + 1 and s + 2 are listener, client, child."""
    c, k, fid = s + 1, s + 2, s
    up = levels(ESTABLISHED, (isn + 1, isn + 1, isn + 1, isn + 1, isn + 1, 0))
    return [
        sock(s, t + 10_000, SERVER, 0x100 + s, TCP_CLOSE, 0, 0),
        call(s, t + 10_000, 8_000, SERVER, SOCKET, 3, 3, x=(2, 1, 0, 0)),
        call(s, t + 60_000, 7_000, SERVER, BIND, 3, 0, tail=sockaddr(port)),
        call(s, t + 90_000, 6_000, SERVER, LISTEN, 3, 0, x=(128, 0, 0, 0),
             lv=levels(LISTENING, backlog=(0, 128))),
        sock(c, t + 2_800_000, CLIENT, 0x100 + c, TCP_CLOSE, 0, 0),
        call(c, t + 2_800_000, 9_000, CLIENT, SOCKET, 3, 3, x=(2, 1, 0, 0)),
        state(c, t + 2_900_000, CLIENT, TCP_CLOSE, SYN_SENT, levels(SYN_SENT)),
        sock(c, t + 2_901_000, CLIENT, 0x100 + c, SYN_SENT, cport, port),
        flow(fid, t + 2_902_000, cport, port),
        segment(c, t + 2_903_000, CLIENT, fid, isn, 0, 0, SYN, OUT),
        segment(s, t + 2_904_000, SERVER, fid, isn, 0, 0, SYN, IN),
        segment(s, t + 2_905_000, SERVER, fid, isn, isn + 1, 0, SYN | ACK, OUT | FROM_B),
        segment(c, t + 2_906_000, CLIENT, fid, isn, isn + 1, 0, SYN | ACK, IN | FROM_B),
        state(c, t + 2_910_000, CLIENT, SYN_SENT, ESTABLISHED, up),
        segment(c, t + 2_911_000, CLIENT, fid, isn + 1, isn + 1, 0, ACK, OUT),
        segment(s, t + 2_912_000, SERVER, fid, isn + 1, isn + 1, 0, ACK, IN),
        sock(k, t + 2_913_000, SERVER, 0x100 + k, SYN_RECV, port, cport, sflags=1, parent=s),
        state(k, t + 2_914_000, SERVER, SYN_RECV, ESTABLISHED, up),
        call(c, t + 2_890_000, 60_000, CLIENT, CONNECT, 3, 0, tail=sockaddr(port), lv=up),
        call(s, t + 100_000, 2_900_000, SERVER, ACCEPT, 3, 4, sid2=k, tail=sockaddr(cport),
             lv=levels(LISTENING, backlog=(0, 128))),
    ]


def one_way(t, fid, sender, receiver, seq, ack, length, sflags):
    """sender and receiver: (sid, pid, fd). One send, its segment, one recv."""
    sent = levels(ESTABLISHED, (seq + length, seq + length, seq, ack, ack, 0))
    read = levels(ESTABLISHED, (ack, ack, ack, seq + length, seq + length, 0))
    return [
        segment(sender[0], t + 10_000, sender[1], fid, seq, ack, length, PSH | ACK, OUT | sflags),
        segment(receiver[0], t + 11_000, receiver[1], fid, seq, ack, length, PSH | ACK, IN | sflags),
        call(sender[0], t, 40_000, sender[1], SENDTO, sender[2], length, length, lv=sent),
        call(receiver[0], t + 50_000, 20_000, receiver[1], RECVFROM, receiver[2], length, 1024, lv=read),
    ]


def closing(t, fid, client, child, seq):
    return [
        call(client[0], t, 30_000, client[1], CLOSE, client[2], 0, cflags=64),
        segment(client[0], t + 10_000, client[1], fid, seq, seq, 0, FIN | ACK, OUT),
        segment(child[0], t + 11_000, child[1], fid, seq, seq, 0, FIN | ACK, IN),
        state(child[0], t + 12_000, child[1], ESTABLISHED, CLOSE_WAIT,
              levels(CLOSE_WAIT, (seq, seq, seq, seq + 1, seq, 0))),
        call(child[0], t + 60_000, 10_000, child[1], RECVFROM, child[2], 0, 1024,
             lv=levels(CLOSE_WAIT, (seq, seq, seq, seq + 1, seq + 1, 0))),
    ]


def conversation(t, n):
    s, port, cport, isn = 1 + 3 * n, 65430, 40000 + n, 1000
    client, child = (s + 1, CLIENT, 3), (s + 2, SERVER, 4)
    seq = isn + 1
    return (opening(t, s, port, cport, isn)
            + one_way(t + 3_100_000, s, client, child, seq, seq, 14, 0)
            + one_way(t + 3_300_000, s, child, client, seq, seq + 14, 14, FROM_B)
            + closing(t + 4_000_000, s, client, child, seq + 14))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--repeat", type=int, default=1)
    p.add_argument("--lost", type=int, default=0)
    p.add_argument("--no-end", action="store_true")
    p.add_argument("--version", type=int, default=1)
    p.add_argument("--layers", default="7")
    p.add_argument("--hostile", type=bytes.fromhex, default=b"")
    a = p.parse_args()
    out = sys.stdout.buffer
    evil = a.hostile.replace(b"\0", b"")
    records = [proc(SERVER, b"server" + evil), proc(CLIENT, (evil or b"client\x1b[31m")[:15])]
    out.write(b"\xb5lens\r\n\x1a" + struct.pack("<IIII", a.version, 1 if a.no_end else 0, 24, 0))
    out.write(meta([
        (b"version", b"0.1.0" + evil), (b"kernel", b"6.1.0\x1b]0;evil\x07" + evil), (b"machine", b"x86_64"),
        (b"backend", b"tracepoint" + evil), (b"start_boot_ns", b"%d" % START), (b"start_unix_ns", b"%d" % UNIX),
        (b"scope", b"everything" + evil), (b"layers", a.layers.encode()), (b"probe.state", b"tp_btf/inet_sock_set_state"),
        (b"rst_reason.14", b"x" + evil if evil else b"TCP_STATE"), (b"from.tomorrow", b"1")]
        + ([(b"probe." + evil, b"missing: " + evil), (b"command", evil)] if evil else [])))
    total = 0
    for n in range(a.repeat):
        t = n * 10_000_000
        records += conversation(t, n)
        if evil:
            records.append(reset(3 + 3 * n, t + 4_100_000, SERVER, 14))
        out.write(frame(2, b"".join(records)))
        total += len(records)
        records = []
        if a.lost and n == 0:
            out.write(loss(t + 4_050_000, a.lost))
        out.write(tick(t + 9_000_000))
    if not a.no_end:
        out.write(frame(5, struct.pack("<QQQ", START + a.repeat * 10_000_000, total, a.lost)))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A reader of pcap files as tcpdump writes them on lo: Ethernet, IPv4 and IPv6, TCP and UDP.

    pcap.py --until PORT SECONDS FILE    wait until a datagram to that port was written
"""
import socket
import struct
import sys
import time
from collections import namedtuple

Segment = namedtuple("Segment", "proto src dst seq ack len flags win")
TCP, UDP = 6, 17


def address(family, raw, port):
    host = socket.inet_ntop(family, raw)
    return f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"


def packets(data):
    """The captured bytes of each whole packet of a file (a file still being written may end in a piece)."""
    if len(data) < 24:
        return
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link, at = struct.unpack_from(order + "I", data, 20)[0], 24
    if link != 1:
        raise ValueError(f"link type {link}, not Ethernet")
    while at + 16 <= len(data):
        kept = struct.unpack_from(order + "I", data, at + 8)[0]
        if at + 16 + kept > len(data):
            return
        yield data[at + 16:at + 16 + kept]
        at += 16 + kept


def network(frame):
    """(family, source, destination, protocol, transport bytes kept, length on the wire) or None."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800:
        head, total = (frame[14] & 15) * 4, struct.unpack_from("!H", frame, 16)[0]
        return (socket.AF_INET, frame[26:30], frame[30:34], frame[23], frame[14 + head:], total - head)
    if kind == 0x86DD:
        length = struct.unpack_from("!H", frame, 18)[0]
        return (socket.AF_INET6, frame[22:38], frame[38:54], frame[20], frame[54:], length)
    return None


def segment(frame):
    """A TCP segment or UDP datagram, None for anything else."""
    net = network(frame)
    if net is None or net[3] not in (TCP, UDP):
        return None
    family, src, dst, proto, body, length = net
    sport, dport = struct.unpack_from("!HH", body, 0)
    ends = address(family, src, sport), address(family, dst, dport)
    if proto == UDP:
        return Segment("udp", *ends, 0, 0, length - 8, 0, 0)
    seq, ack, offset, flags, win = struct.unpack_from("!IIBBH", body, 4)
    return Segment("tcp", *ends, seq, ack, length - (offset >> 4) * 4, flags, win)


def read(path):
    with open(path, "rb") as f:
        return [s for s in map(segment, packets(f.read())) if s]


def until(port, seconds, path):
    end = time.monotonic() + seconds
    while not any(s.proto == "udp" and s.dst.endswith(f":{port}") for s in read(path)):
        if time.monotonic() > end:
            sys.exit(f"{path}: no datagram to port {port} after {seconds} s")
        time.sleep(0.01)


if __name__ == "__main__":
    until(int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])

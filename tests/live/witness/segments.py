#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""segments.py PCAP JSON: what crossed lo, per sender and receiver, as tcpdump captured it and as traced.

The traced segments are compared twice: those that left and those that arrived.
"""
import os
import sys
from collections import defaultdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import pcap
from differ import report
from q import load

FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")  # bit 0 first
MARKER_PORT = ":9"  # the datagram that ends a capture
ACK, SYN = 16, 2


def relative(number, base):
    return "-" if base is None else (number - base) & 0xFFFFFFFF


def flag_words(flags):
    return ",".join(word for bit, word in enumerate(FLAGS) if flags >> bit & 1) or "-"


def captured(segments):
    """(src -> dst) -> rows, with sequence numbers relative to each sender's SYN."""
    rows, isn = defaultdict(list), {}
    for s in segments:
        key = f"{s.src} -> {s.dst}"
        if s.proto == "udp":
            if not s.dst.endswith(MARKER_PORT):
                rows[key].append(f"udp len {s.len}")
            continue
        if s.flags & SYN:
            isn[s.src, s.dst] = s.seq
        seq = relative(s.seq, isn.get((s.src, s.dst)))
        ack = relative(s.ack, isn.get((s.dst, s.src))) if s.flags & ACK else "-"
        rows[key].append(f"tcp seq {seq} ack {ack} len {s.len} {flag_words(s.flags)} win {s.win}")
    return dict(rows)


def traced(events, way):
    rows = defaultdict(list)
    for e in events:
        if e.get("kind") != "segment" or e.get("direction") != way:
            continue
        key = f"{e['src']} -> {e['dst']}"
        if e.get("type") == "dgram":
            if not e["dst"].endswith(MARKER_PORT):
                rows[key].append(f"udp len {e['len']}")
            continue
        flags = ",".join(w for w in FLAGS if w in e["flags"]) or "-"
        ack = e.get("ack", "-") if "ACK" in e["flags"] else "-"
        rows[key].append(f"tcp seq {e.get('seq', '-')} ack {ack} len {e['len']} {flags} "
                         f"win {e['win_raw']}")
    return dict(rows)


def main():
    theirs = captured(pcap.read(sys.argv[1]))
    events = load(sys.argv[2])
    return max(report(theirs, traced(events, way), f"tcpdump ({way})") for way in ("out", "in"))


if __name__ == "__main__":
    sys.exit(main())

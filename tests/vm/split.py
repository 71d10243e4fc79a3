#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cut one recording of many scenarios into a recording of each: split.py DIR

DIR holds all.rec and index ("NAME START_NS END_NS STATUS" a line, boot clock, one after the other, see
progs/scenarios.c). Writes DIR/NAME.rec: what happened between START and END, as a recording of its own.
Knows the format from src/record/FORMAT.md only. Ends with 1 if events were lost or the recording has no end.
"""
import struct
import sys
from bisect import bisect_right

META, BATCH, TICK, LOSS, END = 1, 2, 3, 4, 5
PROC, SOCK_CLOSED = 2, 25  # enum event_kind
FORK = 2  # enum proc_what
HEADER = struct.Struct("<8sIIII")
FRAME = struct.Struct("<II")


def padded(n):
    return (n + 7) & ~7


def frames(data):
    """Yields (type, payload)."""
    at = HEADER.unpack_from(data)[3]
    while at + FRAME.size <= len(data):
        kind, length = FRAME.unpack_from(data, at)
        at += FRAME.size
        yield kind, data[at:at + length]
        at += padded(length)


def records(batch):
    at = 0
    while at < len(batch):
        size = struct.unpack_from("<H", batch, at)[0]
        yield batch[at:at + size]
        at += size


def moment(record):
    return struct.unpack_from("<Q", record, 8)[0]


def sock(record):
    return struct.unpack_from("<I", record, 4)[0]


class Part:
    """One scenario's recording in the making."""

    def __init__(self, name, start, end):
        self.name, self.start, self.end = name, start, end
        self.frames, self.events, self.seen, self.socks = [], 0, [0] * 32, set()

    def add(self, record):
        if self.is_own_birth(record) or self.is_late_end(record):
            return
        self.socks.add(sock(record))
        self.events += 1
        self.seen[record[2]] += 1
        if self.frames and self.frames[-1][0] == BATCH:
            self.frames[-1][1].append(record)
        else:
            self.frames.append((BATCH, [record]))

    def is_own_birth(self, record):
        """The fork of the program that starts all scenarios."""
        return not self.events and record[2] == PROC and struct.unpack_from("<I", record, 24)[0] == FORK

    def is_late_end(self, record):
        """Of a socket of an earlier scenario: what no call closes is told when the tracer finds it gone."""
        return record[2] == SOCK_CLOSED and sock(record) not in self.socks

    def write(self, path, head, meta):
        loss = struct.pack("<Q32Q32Q", self.end, *self.seen, *([0] * 32))
        end = struct.pack("<QQQ", self.end, self.events, 0)
        own = meta.replace(*self.anchor(meta))
        with open(path, "wb") as out:
            out.write(head)
            for kind, parts in [(META, [own])] + self.frames + [
                    (TICK, [struct.pack("<Q", self.end)]), (LOSS, [loss]), (END, [end])]:
                payload = b"".join(parts)
                out.write(FRAME.pack(kind, len(payload)) + payload.ljust(padded(len(payload)), b"\0"))

    def anchor(self, meta):
        """The run's beginning on the boot clock becomes this part's."""
        words = meta.split(b"\0")
        old = words[words.index(b"start_boot_ns") + 1]
        return b"start_boot_ns\0" + old + b"\0", b"start_boot_ns\0%d\0" % self.start


def read_index(path):
    with open(path) as lines:
        return [(name, int(start), int(end)) for name, start, end, _ in map(str.split, lines)]


def main(folder):
    with open(f"{folder}/all.rec", "rb") as f:
        data = f.read()
    parts = [Part(*line) for line in read_index(f"{folder}/index")]
    starts = [p.start for p in parts]
    metas, lost, ended = [], 0, False

    def part_at(t):
        i = bisect_right(starts, t) - 1
        return parts[i] if i >= 0 and t <= parts[i].end else None

    for kind, payload in frames(data):
        if kind == META:
            metas.append(payload)
        elif kind == BATCH:
            for record in records(payload):
                part = part_at(moment(record))
                if part:
                    part.add(record)
        elif kind == TICK:
            part = part_at(struct.unpack_from("<Q", payload)[0])
            if part:
                part.frames.append((TICK, [payload]))
        elif kind == END:
            ended, lost = True, struct.unpack_from("<QQQ", payload)[2]
    magic, version, _, _, _ = HEADER.unpack_from(data)
    for part in parts:
        part.write(f"{folder}/{part.name}.rec", HEADER.pack(magic, version, 0, HEADER.size, 0), b"".join(metas))
    if lost or not ended:
        print(f"{folder}/all.rec: {'no end' if not ended else f'{lost} events lost'}")
    return 1 if lost or not ended else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A recording as its canonical story: what happened, in which order, without what differs from run to run.

    story.py RECORDING         prints it
    story.py FOLDER [NAME...]  makes NAME.story of each NAME.rec in it

Times become ranks: each moment is ten microseconds after the one before, however long it took, so that a slow
machine has the same lines. Looks at calls in progress depend on when the tracer looked and are left out,
unless the call never returned. In the text that ./trace makes of that, process numbers, ports and cookies
become names in order of appearance, durations <t>; and each fact is a line of its own.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile

from split import BATCH, END, FRAME, HEADER, LOSS, META, TICK, frames, padded, records

TRACE = os.environ.get("TRACE", os.path.join(os.path.dirname(__file__), "../../trace"))
CALL, GAI, DOORBELL, LEVELS = 1, 6, 24, 26  # enum event_kind
PENDING = 1  # CALLF_PENDING
STEP_NS = 10_000
COLUMNS = "200"  # so many that no line is broken: where it would be depends on the digits of process numbers and ports
DURATION = r"\b\d+(?:\.\d+)? ?(?:ns|us|ms|s)\b"


def enters(record):
    """The entry of a call or a look-up, None of other records."""
    if record[2] in (CALL, GAI):
        return struct.unpack_from("<Q", record, 24)[0]
    return None


def is_look(record):
    """A look at a call in progress."""
    if record[2] == CALL:
        return record[86] & PENDING
    return record[2] == GAI and record[56] & PENDING


def thread_call(record):
    return record[2], record[20:24], enters(record)


def what_happened(recs):
    """Without looks at what is known from its end, and only the last look at what never ended."""
    ended = {thread_call(r) for r in recs if enters(r) and not is_look(r)}
    last = {thread_call(r): i for i, r in enumerate(recs) if is_look(r)}
    for i, r in enumerate(recs):
        if r[2] in (DOORBELL, LEVELS):
            continue
        if is_look(r) and (thread_call(r) in ended or last[thread_call(r)] != i):
            continue
        yield r


def ranked(recs, start):
    """The same records with ranks for times."""
    times = sorted({struct.unpack_from("<Q", r, 8)[0] for r in recs} | {enters(r) for r in recs if enters(r)})
    rank = {t: start + (i + 1) * STEP_NS for i, t in enumerate(times)}
    out = []
    for r in recs:
        new = bytearray(r)
        struct.pack_into("<Q", new, 8, rank[struct.unpack_from("<Q", r, 8)[0]])
        if enters(r):
            struct.pack_into("<Q", new, 24, rank[enters(r)])
        out.append(bytes(new))
    return out, start + (len(times) + 2) * STEP_NS


def canonical_recording(data):
    metas, recs = [], []
    for kind, payload in frames(data):
        if kind == META:
            metas.append(payload)
        elif kind == BATCH:
            recs += records(payload)
    words = metas[0].split(b"\0")
    start = int(words[words.index(b"start_boot_ns") + 1])
    recs, end = ranked(list(what_happened(recs)), start)
    out = [data[:HEADER.unpack_from(data)[3]]]
    for kind, payload in [(META, m) for m in metas] + [
            (BATCH, b"".join(recs)), (TICK, struct.pack("<Q", end)), (LOSS, struct.pack("<Q64Q", end, *[0] * 64)),
            (END, struct.pack("<QQQ", end, len(recs), 0))]:
        out.append(FRAME.pack(kind, len(payload)) + payload.ljust(padded(len(payload)), b"\0"))
    return b"".join(out)


def show(data):
    with tempfile.NamedTemporaryFile(suffix=".rec") as f:
        f.write(data)
        f.flush()
        return subprocess.run([TRACE, "show", "--color", "never", f.name], capture_output=True, text=True, check=True,
                              env={**os.environ, "COLUMNS": COLUMNS}).stdout


def names(text):
    """Numbers that only this run has, and what they are called in the story."""
    known = {}
    for number in re.findall(r"(?:process|thread|forks) (\d+)", text):
        known.setdefault(number, f"P{len(known) + 1}")
    ports = 0
    for number in re.findall(r"(?:\d|\]):(\d{4,5})\b", text):
        if number not in known:
            ports += 1
            known[number] = f"PORT{ports}"
    return known


def canonical_text(text):
    known = names(text)
    for line in text.splitlines():
        line = re.sub(r"^ *\d+\.\d{3}(?= )", "*  ", line)
        line = re.sub(f", after {DURATION}", "", line)
        line = re.sub(DURATION, "<t>", line)
        line = re.sub(r"^\d+ events, ", "events, ", line)  # before: so many may be some process's number
        line = re.sub(r"\d+", lambda m: known.get(m.group(), m.group()), line)
        line = re.sub(r"(#\d+)  +", r"\1 ", line)
        line = re.sub(r"\[(#*) *\]", r"[\1]", line)
        yield from (fact for fact in re.split(r"  +", line) if fact not in ("", "*"))


def story(path):
    with open(path, "rb") as f:
        data = f.read()
    return "\n".join(canonical_text(show(canonical_recording(data)))) + "\n"


def main(args):
    if not os.path.isdir(args[0]):
        sys.stdout.write(story(args[0]))
        return 0
    wanted = args[1:] or sorted(f[:-4] for f in os.listdir(args[0]) if f.endswith(".rec") and f != "all.rec")
    for name in wanted:
        with open(f"{args[0]}/{name}.story", "w", encoding="utf-8") as out:
            out.write(story(f"{args[0]}/{name}.rec"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

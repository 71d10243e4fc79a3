#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Looks at output that was made of hostile names, by rules written apart from src/.

usage: clean.py text|terminal|csv|json FILE              nothing in it steers a terminal; the format is right
       clean.py json FILE KEY=HEX...                     and it tells the bytes of these, each in some object
       clean.py column FILE HEX                          a column of CSV: one row has this text
KEY=HEX: the value of KEY, as bytes, is HEX in at least one object; KEY^HEX: it begins with HEX.
"""
import csv
import io
import json
import sys


def refuse(why, at, data):
    sys.exit(f"{sys.argv[2]}: {why} at {at}: {data[max(0, at - 60):at + 60]!r}")


def harmful(c):
    n = ord(c)
    return (n < 0x20 and c != "\n") or 0x7F <= n < 0xA0 or n in (0x61C, 0x200E, 0x200F) or \
        0x202A <= n <= 0x202E or 0x2066 <= n <= 0x2069


def clean(data):
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as e:
        refuse("no UTF-8", e.start, data)
    for at, c in enumerate(text):
        if harmful(c):
            refuse(f"U+{ord(c):04X}", at, text)
    return text


def no_constant(word):
    raise ValueError(word + " is no JSON")


def no_duplicates(pairs):
    assert len(dict(pairs)) == len(pairs), [k for k, _ in pairs]
    return dict(pairs)


def objects(text):
    assert text.endswith("\n")
    return [json.loads(line, parse_constant=no_constant, object_pairs_hook=no_duplicates)
            for line in text[:-1].split("\n")]


def value(o, key):
    """The bytes of a name, as the manual says they are told."""
    if key + "_hex" in o:
        return bytes.fromhex(o[key + "_hex"])
    return o[key].encode() if key in o else None


def expect(rows, condition):
    exact = "=" in condition
    key, want = condition.split("=" if exact else "^")
    want = bytes.fromhex(want)
    values = {value(o, key) for o in rows} - {None}
    if exact and want not in values or not exact and not any(v.startswith(want) for v in values):
        sys.exit(f"{sys.argv[2]}: no {condition}; there are {values}")


def main():
    kind, path = sys.argv[1:3]
    data = open(path, "rb").read()
    if not data:
        sys.exit(path + " is empty")
    if kind == "terminal":  # which turns each line feed into two characters
        data = data.replace(b"\r\n", b"\n")
    if kind == "column":
        want = bytes.fromhex(sys.argv[3]).decode()
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
        if not any(want in row for row in rows):
            sys.exit(f"{path}: no {want!r} in {rows}")
        return
    if kind == "csv":  # rows end in CR LF; tabs and line feeds are text, within quotes
        clean(data.replace(b"\r\n", b"\n").replace(b"\t", b" "))
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
        if len({len(row) for row in rows}) != 1:
            sys.exit(f"{path}: rows of different length")
        return
    text = clean(data)
    if kind == "json":
        rows = objects(text)
        for condition in sys.argv[3:]:
            expect(rows, condition)


main()

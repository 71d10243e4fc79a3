#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the SQL tables say what the lines of `trace show --json` say? Prints the first differences.

usage: same_as_json.py LINES EVENT [LEDGER DATAGRAMS]    each: trace query --json FILE 'SELECT * FROM ...'
"""
import json
import sys

SAME = ["id", "t_ns", "kind", "layer", "phase", "pid", "tid", "comm", "sock", "conn", "role", "call", "fd",
        "ret", "errno", "eof", "reason", "sndbuf", "rcvbuf"]
LEVELS = ["written", "unsent", "in_flight", "rcvq", "read"]
UNKNOWN = {"pid": 0, "tid": 0, "sock": 0, "conn": 0, "comm": "", "role": "", "eof": False}


def plain(key, value):
    """A value of JSON as SQL has it."""
    if key in UNKNOWN and value == UNKNOWN[key]:
        return None
    return int(value) if isinstance(value, bool) else value


def number(value):
    return None if value is None else int(value)


class Levels:
    """What the rows say of where bytes are: a row without levels says that nothing moved."""

    def __init__(self):
        self.of = {}  # conversation -> {side: levels}

    def differ(self, line, row):
        ends = {"client": {"out": "c", "in": "s"}, "server": {"out": "s", "in": "c"}}.get(row["role"])
        if not ends or not row["conn"]:
            return []
        known = self.of.setdefault(row["conn"], {})
        for way, sender in ends.items():
            if row[way + "_written"] is not None:
                known[sender] = [row[f"{way}_{key}"] for key in LEVELS]
        found = []
        for way, key in (("out", "ledger"), ("in", "ledger_in")):
            if key not in line:
                continue
            wanted = [number(line[key][k]) for k in LEVELS]
            if known.get(ends[way]) != wanted:
                found.append((key, wanted, known.get(ends[way])))
        return found


def compare(line, row, levels):
    if line["kind"] == "gai":
        line["call"] = "getaddrinfo"
    found = [(key, plain(key, line.get(key)), row[key]) for key in SAME
             if plain(key, line.get(key)) != row[key]]
    if line.get("accept_queue", {}).get("depth") != row["accept_depth"]:
        found.append(("accept_queue", line.get("accept_queue"), row["accept_depth"]))
    if "len" in line and line["kind"] in ("call", "segment") and line["phase"] != "enter":
        if number(line["len"]) != row["len"]:
            found.append(("len", line["len"], row["len"]))
    return found + levels.differ(line, row)


def read(path, key):
    with open(path, encoding="utf-8") as f:
        return [line for line in map(json.loads, f) if key in line]


def events(lines, rows):
    if len(lines) != len(rows):
        sys.exit(f"{len(lines)} lines and {len(rows)} rows")
    levels = Levels()
    for line, row in zip(lines, rows):
        for difference in compare(line, row, levels):
            yield f"event {row['id']} ({line['kind']})", difference


def directions(lines, rows, keys):
    """Rows of one table against the objects of the summaries that say the same."""
    by_key = {(row["conn"], row["sender"]): row for row in rows}
    for line in lines:
        for sender, key in keys.items():
            if key not in line:
                continue
            row = by_key.get((line["conn"], sender), {})
            for name, wanted in line[key].items():
                parts = {name: wanted}
                if isinstance(wanted, dict):
                    parts = {name: wanted["n"], name + "_bytes": wanted["bytes"]}
                for column, value in parts.items():
                    value = plain(column, value)
                    if row.get(column) != value and not (row.get(column) is None and value == 0):
                        yield f"conversation {line['conn']} {key}", (column, value, row.get(column))


def main():
    lines = read(sys.argv[1], "phase")
    found = list(events(lines, read(sys.argv[2], "id")))
    if len(sys.argv) > 3:
        ends = [line for line in lines if line["kind"] == "summary"]
        found += directions(ends, read(sys.argv[3], "conn"),
                            {"client": "client_to_server", "server": "server_to_client"})
        found += directions(ends, read(sys.argv[4], "conn"),
                            {"client": "client_datagrams", "server": "server_datagrams"})
    for where, (key, wanted, got) in found[:10]:
        print(f"{where}: {key} is {got!r} and not {wanted!r}")
    sys.exit(1 if found else 0)


main()

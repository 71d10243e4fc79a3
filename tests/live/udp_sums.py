#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The ledgers of a traced udp_random against its own account: python3 udp_sums.py TRACE.json ACCOUNT.

Every datagram must be in one place, and each place must hold what the program and its kernel say.
"""
import sys
from collections import defaultdict

from q import load

PLACES = ("in_flight", "queued", "read", "discarded", "dropped", "nobody", "lost")


def port(end):
    return int(end["addr"].rpartition(":")[2])


def pair(sums, key):
    return sums[key]["n"], sums[key]["bytes"]


def same(name, what, want, got):
    if want != got:
        yield f"{name}: {what}: expected {want}, got {got}"


def balance(name, sums):
    n = sum(sums[k]["n"] for k in PLACES)
    size = sum(sums[k]["bytes"] for k in PLACES) + sums["truncated"]["bytes"]
    yield from same(name, "placed", pair(sums, "sent"), (n, size))
    for key in ("residual", "in_flight", "lost", "nobody"):
        yield from same(name, key, (0, 0), pair(sums, key))


def one_pair(name, there, back, said):
    yield from same(name, "sent", said[0:2], pair(there, "sent"))
    yield from same(name, "read", said[2:4], pair(there, "read"))
    yield from same(name, "truncated", said[4:6], pair(there, "truncated"))
    yield from same(name, "answers sent", said[6:8], pair(back, "sent"))
    yield from same(name, "answers read", said[6:8], pair(back, "read"))
    yield from balance(name, there)
    yield from balance(name, back)


def read_account(path):
    pairs, servers, drops = {}, defaultdict(list), None  # a port may be had twice, one after the other
    for line in open(path, encoding="ascii"):
        word, *rest = line.split()
        numbers = tuple(map(int, rest))
        if word == "pair" and (numbers[2] or numbers[8]):  # it sent, or was answered unasked
            pairs[numbers[:2]] = numbers[2:]
        elif word == "server":
            servers[numbers[0]].append(numbers[1])
        elif word == "drops":
            drops = numbers[0]
    return pairs, servers, drops


def complaints(trace, account):
    pairs, servers, drops = read_account(account)
    dropped, told = defaultdict(int), defaultdict(int)
    for e in load(trace):
        if e.get("kind") != "summary" or e.get("protocol") != "UDP":
            continue
        ends, sums = (port(e["client"]), port(e["server"])), ("client_datagrams", "server_datagrams")
        if ends[1] not in servers:  # which end is the client may be anybody's guess
            ends, sums = ends[::-1], sums[::-1]
        there, back = e[sums[0]], e[sums[1]]
        if ends not in pairs:
            if there["sent"]["n"] or back["sent"]["n"]:
                yield f"{ends}: the program knows of no such pair: {there}"
            continue
        yield from one_pair(f"{ends[0]} -> {ends[1]}", there, back, pairs.pop(ends))
        dropped[ends[1]] += there["dropped"]["n"]
        told[ends[1]] = max(told[ends[1]], there["drop_counter"])
    for ends in pairs:
        yield f"{ends}: not in the trace"
    for at, n in servers.items():
        yield from same(f"server {at}", "drops", sum(n), dropped[at])
        yield from same(f"server {at}", "drops as the kernel told us", max(n), told[at])
    yield from same("all", "drops", drops, sum(dropped.values()))


def main():
    bad = list(complaints(*sys.argv[1:3]))
    print("\n".join(bad[:40]), end="\n" if bad else "")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()

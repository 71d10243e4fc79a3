#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What must hold for every trace, whatever was traced: python3 sound.py FILE [--lossy].

The file has its header and trailer and lost nothing; ids go up; every exit has its entry; the byte
ledger balances on every line; and at the end the ledger equals the sum of the calls' results.
"""
import sys
from collections import defaultdict

from q import load

SENDS = {"sendto", "sendmsg", "sendmmsg", "write", "writev"}
RECEIVES = {"recvfrom", "recvmsg", "recvmmsg", "read", "readv"}
ALWAYS = ("id", "t_ns", "kind", "layer")
PARTS = ("unsent", "in_flight", "rcvq", "read", "destroyed", "discarded", "unacked", "cut_off")


def frame(lines, lossy):
    """Header first, trailer last, what is between; complaints."""
    if not lines or lines[0].get("type") != "header":
        return [], ["the first line is not the header"]
    if lines[-1].get("type") != "trailer":
        return lines[1:], ["the last line is not the trailer"]
    events, trailer, bad = lines[1:-1], lines[-1], []
    if trailer.get("lost") != 0 and not lossy:
        bad.append(f"events were lost: {trailer}")
    return events, bad


def ids(events):
    bad, last = [], 0
    for e in events:
        missing = [k for k in ALWAYS if k not in e]
        if missing:
            bad.append(f"line without {','.join(missing)}: {e}")
        elif e["id"] <= last:
            bad.append(f"id {e['id']} after {last}")
        last = e.get("id", last)
    return bad


def pairs(events):
    """Per thread and kind, entries and exits alternate and agree; nothing returns before it began."""
    bad, inside = [], {}
    for e in events:
        key = (e.get("tid"), e["kind"])
        if e.get("phase") == "enter":
            if key in inside:
                bad.append(f"id {e['id']}: enters {e.get('call')} inside {inside[key].get('call')}")
            inside[key] = e
        elif e.get("phase") == "exit":
            begin = inside.pop(key, None)
            if begin is None:
                bad.append(f"id {e['id']}: {e.get('call', e['kind'])} returns, but never began")
            elif begin.get("call") != e.get("call"):
                bad.append(f"id {e['id']}: {e.get('call')} returns, {begin.get('call')} began")
            elif e.get("sock") != begin.get("sock") and begin.get("sock"):
                bad.append(f"id {e['id']}: {e.get('call')} began on socket {begin['sock']}, returns on "
                           f"{e.get('sock')}")
            elif e["t_ns"] - begin["t_ns"] != e.get("took_ns"):
                bad.append(f"id {e['id']}: took_ns {e.get('took_ns')} is not the exit minus the entry, "
                           f"{e['t_ns'] - begin['t_ns']}")
    return bad


def balance(e, key):
    """One direction of one line."""
    ledger = e.get(key)
    if not ledger or not ledger["tx_seen"] or not ledger["rx_seen"]:
        return None
    left = ledger["written"] - sum(ledger.get(k) or 0 for k in PARTS)
    if left != 0 or any((ledger.get(k) or 0) < 0 for k in PARTS):
        return f"id {e['id']}: {key} does not balance by {left}: {ledger}"
    return None


def ledgers(events):
    bad, written = [], defaultdict(int)
    for e in events:
        for key in ("ledger", "ledger_in"):
            complaint = balance(e, key)
            if complaint:
                bad.append(complaint)
        ledger = e.get("ledger")
        now = ledger["written"] if ledger and ledger["tx_seen"] else None
        if now is not None and e.get("sock"):
            way = e["sock"], e.get("conn")  # a datagram socket may be in several conversations
            if now < written[way]:
                bad.append(f"id {e['id']}: written shrinks from {written[way]} to {now}")
            written[way] = now
    return bad


def under_way(events):
    """Sockets in a call when tracing ended, which may have moved more; without the calls, all that were not closed."""
    calls = {e["id"]: e.get("sock") for e in events if e["kind"] == "call" and e.get("phase") == "enter"}
    returned = {e.get("enter_id") for e in events if e["kind"] == "call"}
    if calls:
        return {sock for number, sock in calls.items() if number not in returned}
    return {e[end]["sock"] for e in events if e["kind"] == "summary" and e["how"] == "open" for end in ("client", "server")
            if end in e}


def moved(events):
    """Per TCP socket the sums of what the calls returned: (sent, received), None = cannot be told. Without the
    calls, of what the kernel said of each (kinds sent and received)."""
    sent, received, unclear = defaultdict(int), defaultdict(int), under_way(events)
    for e in events:
        if e["kind"] in ("sent", "received"):
            (sent if e["kind"] == "sent" else received)[e["sock"]] += max(e["ret"], 0)
        if e["kind"] != "call" or e.get("phase") != "exit" or not isinstance(e.get("ret"), int):
            continue
        if e["call"] in ("sendfile", "splice"):
            unclear.add(e.get("sock"))
        if e["ret"] < 0:
            continue
        amount = e["len"] if e["call"] in ("sendmmsg", "recvmmsg") else e["ret"]
        if e["call"] in SENDS:
            sent[e["sock"]] += amount
        elif e["call"] in RECEIVES and "MSG_PEEK" not in str(e.get("flags", "")).split("|"):
            received[e["sock"]] += amount
    return sent, received, unclear


def totals(events):
    """The last ledger of every TCP socket against those sums."""
    bad, last = [], {}
    for e in events:
        if e.get("sock") and e.get("type") == "stream" and e.get("family") in ("inet", "inet6"):
            for key in ("ledger", "ledger_in"):
                seen = "tx_seen" if key == "ledger" else "rx_seen"
                if key in e and e[key][seen] and not e[key]["partial"]:
                    last[e["sock"], key] = e[key]
    sent, received, unclear = moved(events)
    for (sock, key), ledger in last.items():
        name, calls = ("written", sent) if key == "ledger" else ("read", received)
        if sock not in unclear and ledger[name] != calls[sock]:
            bad.append(f"socket {sock}: the calls moved {calls[sock]} bytes, {key}.{name} says "
                       f"{ledger[name]}")
    return bad


def complaints(lines, lossy=False):
    events, bad = frame(lines, lossy)
    bad += ids(events)
    if bad:
        return bad
    return pairs(events) + ledgers(events) + totals(events)


def main():
    bad = complaints(load(sys.argv[1]), "--lossy" in sys.argv[2:])
    for line in bad[:20]:
        print(line)
    if len(bad) > 20:
        print(f"... and {len(bad) - 20} more")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

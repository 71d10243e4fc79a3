#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Show a file of JSON lines as a short table: what a failed test prints about the run."""
import sys

from q import load

SKIP = {"id", "t_ns", "kind", "layer", "phase", "pid", "tid", "comm", "sock", "conn", "role", "call",
        "family", "type", "netns", "ifindex", "loopback", "flow", "sender", "arrival", "relative",
        "seq_raw", "ack_raw", "win_raw", "win_scaled", "wscale", "mss", "sndbuf", "rcvbuf"}


def short(number, names):
    """Sockets in order of appearance: s1, s2, ... of this table."""
    return f"s{names.setdefault(number, len(names) + 1)}" if number else "-"


def line(e, names):
    rest = " ".join(f"{k}={v}" for k, v in e.items()
                    if k not in SKIP and not isinstance(v, dict) and v is not False)
    ledgers = " ".join(f"{k}:" + "/".join(str(n) for n in e[k].values() if not isinstance(n, bool))
                       for k in ("ledger", "ledger_in") if isinstance(e.get(k), dict))
    return (f"{e.get('id', '-'):>5} {e.get('t_ns', 0) / 1e6:10.3f} {e.get('tid', 0):>7} "
            f"{e.get('role') or '-':6} {short(e.get('sock'), names):3} c{e.get('conn', '-')} "
            f"{e.get('call') or e.get('kind', e.get('type'))}:{e.get('phase', '-')} {rest} {ledgers}")


def main():
    events = load(sys.argv[1])
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    names = {}
    for e in events[:limit]:
        print(line(e, names)[:240])
    if len(events) > limit:
        print(f"... {len(events) - limit} more")


if __name__ == "__main__":
    main()

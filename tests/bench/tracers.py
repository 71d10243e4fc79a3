# SPDX-License-Identifier: MIT
"""Who traces: ./trace in its modes, and its peers by the scripts of peers/. What each says it saw."""
import json
import os
import re
import subprocess
from typing import Callable, NamedTuple, Optional

BENCH = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(BENCH))
TRACE = os.path.join(TOP, "trace")
CALLS = ("socket", "connect", "accept", "sendto", "recvfrom")  # those that progs/work.c counts


class Seen(NamedTuple):
    events: Optional[int] = None
    lost: Optional[int] = None
    calls: Optional[int] = None


class Tracer(NamedTuple):
    name: str
    options: tuple = ()  # of ./trace; FILE stands for the output
    ready: Optional[str] = None  # a peer's message, on standard error; None: it says nothing, and polls perf events
    each: bool = False  # the message comes once for each process
    count: Callable = lambda file, said, calls: Seen()
    linger_s: float = 0  # it drops what it has not read when it is told to end


def number(pattern, text, default=None):
    found = re.search(pattern, text)
    return int(found.group(1).replace(",", "")) if found else default


def lines_of(file, pattern):
    with open(file, encoding="utf-8", errors="replace") as lines:
        return sum(1 for line in lines if re.search(pattern, line))


# --- what they say ---

def of_recording(file, said, calls):
    names = ", ".join(f"'{name}'" for name in CALLS)
    seen = None
    if calls:
        answer = subprocess.run([TRACE, "query", "--csv", file, f"SELECT count(*) FROM call WHERE syscall IN "
                                 f"({names})"], check=True, capture_output=True, text=True)
        seen = int(answer.stdout.split()[-1])
    return Seen(number(r"recorded (\d+) events", said), number(r"(\d+) lost", said), seen)


def of_recording_without_calls(file, said, calls):
    return of_recording(file, said, False)


def of_text(file, said, calls):
    with open(file, encoding="utf-8", errors="replace") as text:
        text.seek(max(0, os.path.getsize(file) - 300))
        last = text.read()
    return Seen(number(r"(\d+) events", last), number(r"(\d+) lost", last))


def of_json(file, said, calls):
    with open(file, encoding="utf-8") as lines:
        lines.seek(max(0, os.path.getsize(file) - 2000))
        trailer = json.loads(lines.read().splitlines()[-1])
    names = "|".join(CALLS)
    seen = lines_of(file, rf'"phase":"exit".*"call":"({names})"') if calls else None
    return Seen(trailer["events"], trailer["lost"], seen)


def of_strace(file, said, calls):
    return Seen(lines_of(file, ""), 0, lines_of(file, rf" ({'|'.join(CALLS)})\("))


def of_perf(file, said, calls):
    return Seen(lines_of(file, r"^ *[\d.]+"), number(r"LOST (\d+) events", said, 0),
                lines_of(file, rf"[ :]({'|'.join(CALLS)})\(.*\) += "))


def of_bpftrace(file, said, calls):
    with open(file, encoding="utf-8", errors="replace") as text:
        lost = sum(int(n) for n in re.findall(r"Lost (\d+) events", text.read() + said))
    return Seen(lines_of(file, r"^\d+ "), lost, lines_of(file, rf"sys_exit_({'|'.join(CALLS)}) "))


def of_tcpdump(file, said, calls):
    return Seen(number(r"(\d+) packets? captured", said), number(r"(\d+) packets? dropped by kernel", said))


UNTRACED = ("untraced", "untraced again")

TRACERS = (
    Tracer("trace -w", ("-w", "FILE"), count=of_recording),
    Tracer("trace -w --layer app", ("-w", "FILE", "--layer", "app"), count=of_recording),
    Tracer("trace -w --layer kernel,wire", ("-w", "FILE", "--layer", "kernel,wire"), count=of_recording_without_calls),
    Tracer("trace, text", ("-o", "FILE"), count=of_text),
    Tracer("trace --json", ("--json", "-o", "FILE"), count=of_json),
    Tracer("trace, text and -w", ("-w", "FILE", "--text", "-o", "FILE.txt"), count=of_recording),
    Tracer("strace", ready=r"attached", each=True, count=of_strace),
    Tracer("perf", count=of_perf),
    Tracer("bpftrace", count=of_bpftrace, linger_s=0.3),
    Tracer("tcpdump", ready=r"listening on", count=of_tcpdump, linger_s=1.1),
)


def by_name(name):
    return next(tracer for tracer in TRACERS if tracer.name == name)


def is_peer(tracer):
    return not tracer.options


def argv(tracer, file, pids, ready_fd):
    if is_peer(tracer):
        return [os.path.join(BENCH, "peers", tracer.name), file, *map(str, pids)]
    options = [option.replace("FILE", file) for option in tracer.options]
    targets = [word for pid in pids for word in ("-p", str(pid))]
    return [TRACE, *options, *targets, "--ready-fd", str(ready_fd)]

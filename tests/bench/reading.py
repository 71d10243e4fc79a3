# SPDX-License-Identifier: MIT
"""How long a recording takes to be read, and how much memory."""
import os
import re
import select
import subprocess
import time

from sample import WORK, read_file
from tracers import TRACE, number

SCREEN = 24  # lines


def record(file, operations):
    done = subprocess.run([TRACE, "-w", file, "--", "sh", "-c", f"echo | {WORK} pingpong -n {operations}"],
                          capture_output=True, text=True, check=True)
    return number(r"recorded (\d+) events", done.stderr)


def peak_kb(pid):
    found = re.search(r"VmHWM:\s*(\d+)", read_file(f"/proc/{pid}/status"))
    return int(found.group(1)) if found else 0


def watch(argv):
    """Seconds to the first screen and to the end; the peak of memory, looked at every few milliseconds."""
    began, first, peak, lines, chunk = time.monotonic(), None, 0, 0, None
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        while chunk != b"":
            peak = max(peak, peak_kb(process.pid))
            if not select.select([process.stdout], [], [], 0.005)[0]:
                continue
            chunk = os.read(process.stdout.fileno(), 1 << 20)
            lines += chunk.count(b"\n")
            if first is None and (lines >= SCREEN or not chunk):
                first = time.monotonic() - began
    return {"first_s": first, "whole_s": time.monotonic() - began, "peak_mb": peak / 1024}


def cost(scratch, operations):
    file = os.path.join(scratch, "recording")
    events = record(file, operations)
    every = "SELECT id, t_ns, kind, pid, sock FROM event"
    return {"events": events, "bytes": os.path.getsize(file),
            "show": watch([TRACE, "show", file]),
            "query, one row": watch([TRACE, "query", file, "SELECT count(*) FROM event"]),
            "query, every row": watch([TRACE, "query", "--csv", file, every])}

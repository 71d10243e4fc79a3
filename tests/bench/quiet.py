# SPDX-License-Identifier: MIT
"""Other tracers on the machine tax what is measured here: wait for their end, but not for ever."""
import json
import subprocess
import time

KINDS = ("tracing", "raw_tracepoint", "perf_event")  # of links
ONE_WAIT_S = 5
ALL_WAITS_S = 120


def tracers_attached():
    """Only asked while none of ours runs."""
    shown = subprocess.run(["bpftool", "-j", "link", "show"], capture_output=True, text=True, check=False)
    if shown.returncode or not shown.stdout.strip():
        return False
    return any(link.get("type") in KINDS for link in json.loads(shown.stdout))


class Quiet:
    def __init__(self):
        self.left_s = ALL_WAITS_S
        self.disturbed = 0  # samples kept although another tracer was there

    def wait(self):
        """True when nobody else traces."""
        began = time.monotonic()
        end = began + min(ONE_WAIT_S, self.left_s)
        while tracers_attached() and time.monotonic() < end:
            time.sleep(0.05)
        now = time.monotonic()
        self.left_s -= now - began
        return now < end

    def take(self, sample):
        """What sample() returns, of a moment in which nobody else traced; tried twice."""
        for _ in range(2):
            alone = self.wait()
            took = sample()
            if alone and self.wait():
                return took
        self.disturbed += 1
        return took

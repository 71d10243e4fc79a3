# SPDX-License-Identifier: MIT
"""One sample: a load, begun when a tracer is attached to it, and what both took."""
import os
import re
import signal
import subprocess
import time

from loads import tracer_cpus
from tracers import argv, is_peer

WORK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.output/tests/bench/work")
READY_S = 30  # a tracer that takes longer has failed
END_S = 60
ASK_AGAIN_S = 5  # a signal may come at a moment when a tracer does not listen
CLOCK_TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    pass


def wait_until(what, done, seconds, step=0.001):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise Failed(what)
        time.sleep(step)


def read_file(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Work:
    """A process of progs/work.c that waits for its beginning."""

    def __init__(self, load, ms):
        self.process = subprocess.Popen(
            [WORK, load.mode, "-t", str(ms), "-p", f"{load.cpus[0]},{load.cpus[1]}", *load.args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pids = [int(pid) for pid in self.process.stdout.readline().split()[1:]]

    def run(self):
        answer, _ = self.process.communicate("go\n", timeout=END_S)
        if self.process.returncode:
            raise Failed(f"the load ended with {self.process.returncode}")
        words = answer.split()
        return {name: int(value) for name, value in zip(words[::2], words[1::2])}

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()


def polls_events(pid):
    try:
        fds = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return False
    return any("perf_event" in fd for fd in fds) and "poll" in read_file(f"/proc/{pid}/wchan")


class Tracing:
    """A tracer at work on processes."""

    def __init__(self, tracer, load, pids, scratch):
        self.tracer, self.peak_kb = tracer, 0
        self.file = os.path.join(scratch, "traced")
        self.said = os.path.join(scratch, "said")
        ready, self.ready_fd = os.pipe()
        began = time.monotonic()
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                argv(tracer, self.file, pids, self.ready_fd), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                pass_fds=(self.ready_fd,), preexec_fn=lambda: os.sched_setaffinity(0, tracer_cpus(load)))
        os.close(self.ready_fd)
        try:
            self.wait_ready(ready, pids)
        finally:
            os.close(ready)
        self.start_ms = 1000 * (time.monotonic() - began)
        self.note_peak()

    def wait_ready(self, ready, pids):
        if not is_peer(self.tracer):
            if os.read(ready, 6) != b"ready\n":
                raise Failed(f"{self.tracer.name} did not start: {read_file(self.said)}")
            return
        times = len(pids) if self.tracer.each else 1
        wait_until(f"{self.tracer.name} did not start", lambda: self.peer_ready(times), READY_S)

    def peer_ready(self, times):
        if self.process.poll() is not None:
            raise Failed(f"{self.tracer.name} ended: {read_file(self.said)}")
        if self.tracer.ready is None:
            return polls_events(self.process.pid)
        return len(re.findall(self.tracer.ready, read_file(self.said))) >= times

    def note_peak(self):
        found = re.search(r"VmHWM:\s*(\d+)", read_file(f"/proc/{self.process.pid}/status"))
        self.peak_kb = max(self.peak_kb, int(found.group(1)) if found else 0)

    def cpu_s(self):
        fields = read_file(f"/proc/{self.process.pid}/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICK if fields else 0

    def ended(self):
        self.note_peak()
        return self.process.poll() is not None

    def asked_to_end(self):
        self.process.send_signal(signal.SIGINT)
        try:
            wait_until("", self.ended, ASK_AGAIN_S)
        except Failed:
            return False
        return True

    def stop(self):
        """Ends it, and waits until everything is written."""
        time.sleep(self.tracer.linger_s)
        self.note_peak()
        began = time.monotonic()
        while not self.asked_to_end() and time.monotonic() - began < END_S:
            pass
        if not self.ended():
            raise Failed(f"{self.tracer.name} did not end")
        return {"stop_s": time.monotonic() - began, "peak_mb": self.peak_kb / 1024}

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def cpu_of_all():
    """Seconds that all CPUs were busy since the machine began."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, read_file("/proc/stat").split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / CLOCK_TICK


def measure(work, tracing):
    """The load's own figures, the tracer's CPU time meanwhile, and the share of the CPUs that others had."""
    busy, own, began = cpu_of_all(), tracing.cpu_s() if tracing else 0, time.monotonic()
    took = work.run()
    wall = time.monotonic() - began
    took["tracer_cpu_s"] = tracing.cpu_s() - own if tracing else 0
    others = cpu_of_all() - busy - took["tracer_cpu_s"] - took["cpu_ns"] / 1e9
    took["others"] = max(0, others / wall / os.cpu_count())
    took["wall_s"] = wall
    return took


def traced(tracer, load, work, scratch, ms, count_calls, look):
    target = Work(load._replace(mode="pingpong"), ms) if load.neighbour else None
    tracing = Tracing(tracer, load, target.pids if target else work.pids, scratch)
    try:
        took = measure(work, tracing)
        took["looked"] = look(tracing.process.pid) if look else None
        took.update(tracing.stop(), start_ms=tracing.start_ms)
        seen = tracer.count(tracing.file, read_file(tracing.said), count_calls and not load.neighbour)
        took.update(events=seen.events, lost=seen.lost, calls_seen=seen.calls)
        return took
    finally:
        tracing.close()
        if target:
            target.close()


def take(tracer, load, scratch, ms, count_calls=False, look=None):
    """tracer: None for untraced. look(pid): asked of the tracer after the load, before its end."""
    work = Work(load, ms)
    try:
        return traced(tracer, load, work, scratch, ms, count_calls, look) if tracer else measure(work, None)
    finally:
        work.close()

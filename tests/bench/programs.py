# SPDX-License-Identifier: MIT
"""What a run of each BPF program of the tracer takes: the kernel's own statistics, which cost time themselves."""
import json
import os
import re
import subprocess

import sample

SWITCH = "/proc/sys/kernel/bpf_stats_enabled"


def name_of(prog_id):
    shown = subprocess.run(["bpftool", "-j", "prog", "show", "id", str(prog_id)], capture_output=True, text=True,
                           check=False)
    return json.loads(shown.stdout)["name"] if shown.returncode == 0 else f"program {prog_id}"


def looked(pid):
    """id -> (nanoseconds, runs) of the programs that a process holds."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        info = dict(re.findall(r"^(\w+):\s*(\d+)$", sample.read_file(f"/proc/{pid}/fdinfo/{fd}"), re.MULTILINE))
        if "run_cnt" in info:
            found[int(info["prog_id"])] = (name_of(info["prog_id"]), int(info["run_time_ns"]), int(info["run_cnt"]))
    return found


def cost(tracer, load, scratch, ms):
    """name -> {runs per operation, ns per run}."""
    before = sample.read_file(SWITCH)
    with open(SWITCH, "w", encoding="ascii") as switch:
        switch.write("1")
    try:
        took = sample.take(tracer, load, scratch, ms, look=looked)
    finally:
        with open(SWITCH, "w", encoding="ascii") as switch:
            switch.write(before)
    return {name: {"runs_per_op": runs / took["ops"], "ns": ns / runs}
            for name, ns, runs in took["looked"].values() if runs > took["ops"] / 10}

# SPDX-License-Identifier: MIT
"""What hooks on system calls cost those who make other calls, by arrangement: see progs/hooks.c."""
import os
import subprocess

from tracers import TOP

PROGRAM = os.path.join(TOP, ".output/tests/bench/hooks")
FIGURES = ("hooks", "getppid", "read", "attach_ms", "detach_ms")


def row(line):
    name, *figures = line.split("\t")
    if len(figures) != len(FIGURES):
        return {"name": name, "why_not": figures[0]}
    return {"name": name} | dict(zip(FIGURES, map(float, figures)))


def cost():
    done = subprocess.run([PROGRAM], capture_output=True, text=True, check=True)
    return [row(line) for line in done.stdout.splitlines()]

# SPDX-License-Identifier: MIT
"""What is measured: the loads of progs/work.c, and where they run."""
import os
from typing import NamedTuple

LAST_CPU = min(1, (os.cpu_count() or 1) - 1)


class Load(NamedTuple):
    name: str
    mode: str
    cpus: tuple  # client, server
    args: tuple = ()
    neighbour: bool = False  # the tracer is attached to another process, which does nothing
    quick: bool = True  # also in a short run


LOADS = (
    Load("pingpong, one core", "pingpong", (0, 0)),
    Load("pingpong, two cores", "pingpong", (0, LAST_CPU)),
    Load("bulk 1 KiB", "bulk1k", (0, LAST_CPU)),
    Load("bulk 64 KiB", "bulk64k", (0, LAST_CPU)),
    Load("churn", "churn", (0, LAST_CPU)),
    Load("crowd of 1,000", "crowd", (0, LAST_CPU), ("-c", "1000"), quick=False),
    Load("neighbour getppid", "getppid", (0, 0), neighbour=True),
    Load("neighbour read", "read", (0, 0), neighbour=True),
)

# The same work beside more and more idle connections.
CROWDS = (10, 100, 1000, 10000)


def crowd(connections):
    return Load(f"crowd of {connections:,}", "crowd", (0, LAST_CPU), ("-c", str(connections)))


def tracer_cpus(load):
    """One core is the tracer's own where the load leaves one free."""
    return {LAST_CPU} if load.cpus == (0, 0) else set(range(os.cpu_count() or 1))

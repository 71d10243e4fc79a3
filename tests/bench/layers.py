# SPDX-License-Identifier: MIT
"""What each layer costs, and what is saved by leaving it out: interleaved like the rounds, each choice beside untraced."""
from statistics import median

import figures
import sample
from loads import LOADS
from tracers import by_name

CHOICES = ("app", "kernel", "wire", "app,kernel", "app,wire", "kernel,wire", "app,kernel,wire")
LOADS_SHOWN = ("pingpong, one core", "bulk 64 KiB", "churn")
ROUNDS = 5


def tracer(layers):
    plain = by_name("trace -w")
    return plain._replace(options=(*plain.options, "--layer", layers))


def cost(scratch, ms):
    """layers -> load -> spread of the ratios to untraced; and the median time until attached."""
    loads = [load for load in LOADS if load.name in LOADS_SHOWN]
    found = {layers: {"loads": {load.name: [] for load in loads}, "start_ms": []} for layers in CHOICES}
    for _ in range(ROUNDS):
        for load in loads:
            base = sample.take(None, load, scratch, ms)
            for layers in CHOICES:
                took = sample.take(tracer(layers), load, scratch, ms)
                found[layers]["loads"][load.name].append(figures.per_op(took, "ns") / figures.per_op(base, "ns"))
                found[layers]["start_ms"].append(took["start_ms"])
    return {layers: {"loads": {name: figures.spread(ratios) for name, ratios in f["loads"].items()},
                     "start_ms": median(f["start_ms"])} for layers, f in found.items()}

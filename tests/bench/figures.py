# SPDX-License-Identifier: MIT
"""From samples to figures: the medians of the rounds' ratios, and what else was seen."""
from statistics import mean, median


def per_op(sample, what):
    return sample[what] / sample["ops"]


def spread(values):
    values = list(values)
    return {"median": median(values), "min": min(values), "max": max(values)}


def ratios(rounds, tracer, what):
    """Of each round: traced over the mean of the untraced samples of the same round."""
    return [per_op(r[tracer], what) / mean(per_op(s, what) for s in r["untraced"]) for r in rounds]


def total(samples, what):
    values = [s[what] for s in samples if s.get(what) is not None]
    return sum(values) if values else None


def of_tracer(rounds, tracer):
    rounds = [r for r in rounds if tracer in r]
    samples = [r[tracer] for r in rounds]
    counted = [s for s in samples if s.get("calls_seen") is not None]
    return {
        "ratio": spread(ratios(rounds, tracer, "ns")),
        "cpu_ratio": spread(ratios(rounds, tracer, "cpu_ns")),
        "events": total(samples, "events"),
        "lost": total(samples, "lost"),
        "events_per_s": median((s["events"] or 0) / s["ns"] * 1e9 for s in samples),
        "calls_made": total(counted, "calls"),
        "calls_seen": total(counted, "calls_seen"),
        "start_ms": [s["start_ms"] for s in samples],
        "peak_mb": max(s["peak_mb"] for s in samples),
        "tracer_cpu": median(s["tracer_cpu_s"] / s["wall_s"] for s in samples),
    }


def of_load(rounds, tracers):
    bases = [s for r in rounds for s in r["untraced"]]
    noise = [per_op(r["untraced"][-1], "ns") / per_op(r["untraced"][0], "ns") for r in rounds]
    return {
        "untraced_ns": median(per_op(s, "ns") for s in bases),
        "noise": spread(noise),
        "tracers": {t: of_tracer(rounds, t) for t in tracers if any(t in r for r in rounds)},
    }


def of_tracers(loads):
    """What does not depend on the load: time until attached, memory, lost in all."""
    names = list(dict.fromkeys(t for load in loads.values() for t in load["tracers"]))
    result = {}
    for name in names:
        rows = [load["tracers"][name] for load in loads.values() if name in load["tracers"]]
        result[name] = {
            "start_ms": spread(ms for row in rows for ms in row["start_ms"]),
            "peak_mb": max(row["peak_mb"] for row in rows),
            "events": total(rows, "events"),
            "lost": total(rows, "lost"),
            "calls_made": total(rows, "calls_made"),
            "calls_seen": total(rows, "calls_seen"),
        }
    return result

# SPDX-License-Identifier: MIT
"""The figures as a page of Markdown."""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def ratio(value):
    return f"**{value['median']:.2f}** {value['min']:.2f}–{value['max']:.2f}"


def short(number):
    return "-" if number is None else f"{number:,.0f}"


def ratios(figures, what):
    loads = figures["loads"]
    rows = []
    if what == "ratio":
        rows = [["untraced, ns an operation"] + [f"{load['untraced_ns']:,.0f}" for load in loads.values()],
                ["untraced again (noise)"] + [ratio(load["noise"]) for load in loads.values()]]
    for name in figures["tracers"]:
        rows.append([name] + [ratio(load["tracers"][name][what]) if name in load["tracers"] else "-"
                              for load in loads.values()])
    return table(["", *loads], rows)


def calls(tracer):
    if tracer["calls_seen"] is None:
        return "-"
    return f"{tracer['calls_seen']:,} of {tracer['calls_made']:,}"


def seen(figures):
    rates = next((load for name, load in figures["loads"].items() if name.startswith("bulk 1 KiB")), None)
    rows = []
    for name, t in figures["tracers"].items():
        bulk = rates["tracers"].get(name) if rates else None
        rows.append([name, short(t["events"]), short(t["lost"]), calls(t),
                     short(bulk and bulk["events_per_s"]), f"{100 * bulk['tracer_cpu']:.0f} %" if bulk else "-",
                     f"{t['start_ms']['median']:.0f} ({t['start_ms']['min']:.0f}–{t['start_ms']['max']:.0f})",
                     f"{t['peak_mb']:.1f}"])
    return table(["", "events", "lost", "calls seen, of those made", "events a second, bulk 1 KiB",
                  "its own CPU time there", "until attached, ms", "peak memory, MiB"], rows)


def programs(figures):
    rows = [[name, f"{p['runs_per_op']:.1f}", f"{p['ns']:.0f}"] for name, p in sorted(figures["programs"].items())]
    return table(["program", "runs a round trip", "ns a run"], rows)


def layers(figures):
    loads = next(iter(figures["layers"].values()))["loads"]
    rows = [[name, *(ratio(spread) for spread in f["loads"].values()), f"{f['start_ms']:.0f}"]
            for name, f in figures["layers"].items()]
    return table(["--layer", *loads, "until attached, ms"], rows)


def hooks(figures):
    rows = [[h["name"], f"{h['hooks']:.0f}", f"{h['getppid']:.2f}", f"{h['read']:.2f}", f"{h['attach_ms']:.0f}",
             f"{h['detach_ms']:.0f}"] if "hooks" in h else [h["name"], h["why_not"], "-", "-", "-", "-"]
            for h in figures["hooks"]]
    return table(["an empty program on", "hooks", "getppid", "read of /dev/zero", "attached after, ms",
                  "detached after, ms"], rows)


def crowds(figures):
    rows = [[name, f"{c['untraced_ns']:,.0f}", f"{c['added_ns']:,.0f}"] for name, c in figures["crowds"].items()]
    return table(["", "untraced, CPU ns a round trip", "added by tracing"], rows)


def reading(figures):
    r = figures["reading"]
    rows = [[what, f"{r[what]['first_s']:.2f}", f"{r[what]['whole_s']:.2f}", f"{r[what]['peak_mb']:.0f}"]
            for what in r if isinstance(r[what], dict)]
    return table([f"{r['events']:,} events, {r['bytes'] / 1e6:.0f} MB", "first screen, s", "whole, s",
                  "peak memory, MiB"], rows)


def page(figures):
    m = figures["machine"]
    parts = [
        "# Results\n",
        f"{m['cpu']}, {m['cpus']} CPUs, {m['memory_gb']} GB, Linux {m['kernel']}, {m['date']}; {figures['rounds']} "
        f"rounds of {figures['ms']} ms a sample. Others had {100 * figures['others']['median']:.0f} % of the CPUs "
        f"meanwhile (median; at most {100 * figures['others']['max']:.0f} %), and in {figures['disturbed']} samples "
        "another tracer was at work.\n",
        f"Peers: {'; '.join(m['peers'])}.\n",
        *(f"Failed: {failed}.\n" for failed in figures["failed"]),
        "## Time, over that untraced\n\nMedian and range of the rounds' ratios.\n", ratios(figures, "ratio"),
        "## CPU time of the load itself, over that untraced\n\nNearly free of what others do on the machine, but blind "
        "to waiting: strace and perf cost more than it says.\n", ratios(figures, "cpu_ratio"),
        "## What was seen, and what the tracer itself takes\n", seen(figures),
        "## BPF programs\n\nOne-core pingpong; about 75 ns of each is the empty program and the measuring.\n",
        programs(figures),
    ]
    if figures["layers"]:
        parts += ["## Layers\n\nRecorded with `-w`, over untraced.\n", layers(figures)]
    if figures["hooks"]:
        parts += ["## Hooks on system calls\n\nCPU time of a neighbour's call over that without hooks.\n", hooks(figures)]
    if figures["crowds"]:
        parts += ["## Idle connections beside eight busy ones\n", crowds(figures)]
    if figures["reading"]:
        parts += ["## Reading a recording\n", reading(figures)]
    return "\n".join(parts)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands in handouts do print what stands below them.

In a code block a line "$ COMMAND" is run, from the top of the tree, and the lines below it, up to
an empty one or the end of the block, are its output. A command whose line ends with a backslash
goes on in the next one.

usage: handout.py [--update] FILE...            compare, or write what they print
       handout.py --with RECORDING FILE          compare with another recording in the place of the
                                                 handout's own run.rec, numbers that differ from run
                                                 to run left out
"""
import argparse
import difflib
import os
import re
import subprocess
import sys

INDENT = "    "
# What is never the same twice: times, process numbers, events' ids, ports the kernel chose.
# Where a row of evidence is broken depends on them. How many bytes a row is about does, too: a reader
# that comes a little later finds one segment more, and settle.sql asks what must hold.
VARYING = [
    (re.compile(r"\n {40,}"), " "),
    (re.compile(r"\d+(\.\d+)? (ms|us|ns|s)\b"), "TIME"),
    (re.compile(r"\b(client|server|process) \d+"), r"\1 PID"),
    (re.compile(r"^ +\d+ +(?=TIME)", re.M), " ID "),
    (re.compile(r"127\.0\.0\.1:(?!65430)\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\bseq \d+ ack \d+ win \d+"), "SEQ"),
    (re.compile(r"^ ID TIME .*", re.M), lambda row: re.sub(r"\b\d{4,}\b", "SIZE", row.group())),
    (re.compile(r"[ -]+"), " "),
]


def normal(text):
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text


def blocks(lines):
    """(index of the command's line, index of its output, number of lines of that)"""
    for i, line in enumerate(lines):
        if line.startswith(INDENT + "$ "):
            begin = i + 1
            while begin < len(lines) and lines[begin - 1].endswith("\\"):
                begin += 1
            end = begin
            while end < len(lines) and lines[end].startswith(INDENT) and lines[end].strip() \
                    and not lines[end].startswith(INDENT + "$ "):
                end += 1
            yield i, begin, end - begin


def command_of(lines):
    return "\n".join(line[len(INDENT):] for line in lines)[2:]


def run(command):
    done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.stdout


def indented(text):
    return [(INDENT + line).rstrip() for line in text.splitlines()]


def compare(path, lines, recording):
    """The number of commands that print something else."""
    wrong = 0
    own = os.path.join(os.path.dirname(path), "run.rec")
    for i, begin, n in blocks(lines):
        command = command_of(lines[i:begin])
        stands = lines[begin:begin + n]
        prints = indented(run(command.replace(own, recording) if recording else command))
        if recording:
            stands, prints = normal("\n".join(stands)).split("\n"), normal("\n".join(prints)).split("\n")
        if stands == prints:
            continue
        wrong += 1
        print(f"{path}:{i + 1}: $ {command}")
        print("\n".join(difflib.unified_diff(stands, prints, "handout", "printed", lineterm="", n=1)))
    return wrong


def update(path, lines):
    for i, begin, n in reversed(list(blocks(lines))):
        lines[begin:begin + n] = indented(run(command_of(lines[i:begin])))
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines))


def main():
    args = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    args.add_argument("--update", action="store_true")
    args.add_argument("--with", dest="recording")
    args.add_argument("files", nargs="+")
    args = args.parse_args()
    wrong = 0
    for path in args.files:
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        if args.update:
            update(path, lines)
        else:
            wrong += compare(path, lines, args.recording)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

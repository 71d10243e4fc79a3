#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the BPF object against the verifiers of older kernels: bpf-stack.py OBJECT

A program and the functions it calls have 512 bytes of stack together, and nest eight deep. Before 6.9 (commit
6c17a882d380) each frame counts in steps of 32 bytes, later of 16: what loads on a new kernel may be refused by an old
one. Prints each chain that is too long, ends with 1 if there is one.
"""
import re
import subprocess
import sys

STACK, STEP, DEEP = 512, 32, 8
# How the frame of each function is told: accesses by r10, and copies of r10 that are moved down.
ACCESS = re.compile(r"\(r10 - (\d+)\)")
COPY = re.compile(r"(r\d) = r10$")
MOVE = re.compile(r"(r\d) \+= -(\d+)$")
RELOCATION = re.compile(r"R_BPF_64_32\s+(\S+)$")


def functions(text):
    """name -> [address, section, frame, calls]; a call is a name, or an address in .text."""
    found, current, section, copies, call = {}, None, "", set(), None
    for line in text.splitlines():
        relocation = RELOCATION.search(line)
        if relocation and call is not None:
            name = relocation.group(1)
            current[3].append((call + 1) * 8 if name == ".text" else name)
        if relocation:
            continue
        if line.startswith("Disassembly of section "):
            section = line[len("Disassembly of section "):-1]
        label = re.match(r"([0-9a-f]+) <([^>]+)>:$", line)
        if label and not label.group(2).startswith("LBB"):
            current, copies = [int(label.group(1), 16), section, 0, []], set()
            found[label.group(2)] = current
        code = re.match(r"\s+\d+:\s+(.*)", line)
        if code:
            code = code.group(1)
            for n in ACCESS.findall(code):
                current[2] = max(current[2], int(n))
            move = MOVE.match(code)
            if move and move.group(1) in copies:
                current[2] = max(current[2], int(move.group(2)))
            written = re.match(r"(r\d) ", code)
            if written:
                copies.discard(written.group(1))
            if COPY.match(code):
                copies.add(COPY.match(code).group(1))
            number = re.match(r"call (-?\d+|0x[0-9a-f]+)", code)
            call = int(number.group(1), 0) if number else None
    return found


def longest(name, known, by_address, memo):
    """(bytes, depth, chain) of the worst chain from here by each measure."""
    if name in memo:
        return memo[name]
    _, _, frame, calls = known[name]
    size, deep, chain = 0, 0, []
    for callee in calls:
        callee = by_address.get(callee, callee)
        if callee not in known:
            continue
        s, d, c = longest(callee, known, by_address, memo)
        if s > size:
            size, chain = s, c
        deep = max(deep, d)
    own = (max(frame, 1) + STEP - 1) // STEP * STEP
    memo[name] = (own + size, deep + 1, [f"{name} {frame}"] + chain)
    return memo[name]


def main(path):
    text = subprocess.run(["llvm-objdump", "-dr", "--no-show-raw-insn", path], capture_output=True, text=True,
                          check=True).stdout
    known, bad, memo, programs = functions(text), 0, {}, 0
    by_address = {f[0]: name for name, f in known.items() if f[1] == ".text"}
    for name, (_, section, _, _) in known.items():
        if section == ".text":
            continue
        programs += 1
        size, deep, chain = longest(name, known, by_address, memo)
        if size > STACK or deep > DEEP:
            bad += 1
            print(f"{name}: {size} bytes of stack, {deep} deep: {' > '.join(chain)}")
    print(f"{programs} programs, {bad} that older kernels refuse")
    return 1 if bad or not programs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

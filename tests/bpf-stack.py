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
CODE = re.compile(r"\s+(\d+):\s+((?:[0-9a-f]{2}[ \t])+)\s*(.*)")
CALL = "85 10 "  # of a function of ours, not of a helper
RELOCATION = re.compile(r"R_BPF_64_32\s+(\S+)$")


def call_near(code, call):
    """Adds a call that no relocation tells of: one from .text into .text, counted in instructions from the next one."""
    if call is not None:
        at, number = call
        code[3].append((at + 1 + number) * 8)


def functions(text):
    """name -> [address, section, frame, calls]; a call is a name, or an address in .text."""
    found, current, section, copies, call = {}, None, "", set(), None
    for line in text.splitlines():
        relocation = RELOCATION.search(line)
        if relocation and call is not None:
            name = relocation.group(1)
            current[3].append((call[1] + 1) * 8 if name == ".text" else name)
            call = None
        if relocation or not line.strip():
            continue
        call_near(current, call)
        call = None
        if line.startswith("Disassembly of section "):
            section = line[len("Disassembly of section "):-1]
        label = re.match(r"([0-9a-f]+) <([^>]+)>:$", line)
        if label and not label.group(2).startswith("LBB"):
            current, copies = [int(label.group(1), 16), section, 0, []], set()
            found[label.group(2)] = current
        code = CODE.match(line)
        if code:
            at, raw, code = int(code.group(1)), code.group(2), code.group(3)
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
            if raw.startswith(CALL):
                call = at, int(re.match(r"call (-?\d+|0x[0-9a-f]+)", code).group(1), 0)
    call_near(current, call)
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
    text = subprocess.run(["llvm-objdump", "-dr", path], capture_output=True, text=True,
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

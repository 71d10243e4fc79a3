# SPDX-License-Identifier: MIT
"""What of a Markdown or C file must be found again on paper and in the browser."""
import re


def plain(text):
    """As a reader sees it: no quotes of code, no stars, single blanks."""
    return " ".join(re.sub(r"[`*]", "", text).split())


def headings(path):
    """Those of a handout, or of a part of the booklet, where another title stands for the file's own."""
    out, code = [], False
    with open(path, encoding="utf-8") as f:
        for line in f:
            code ^= line.startswith("```")
            match = None if code else re.match(r"(#+) (.*)", line)
            if match and not (match[1] == "#" and path.endswith(("teach.md", "predict.md"))):
                out.append(plain(match[2]))
    return out


def code_lines(path):
    """Without the lines that are there to be written on."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    if not path.endswith(".c"):
        lines = [line for i, line in enumerate(lines) if line.startswith("    ") and is_block(lines, i)]
    return [" ".join(line.split()) for line in lines if line.strip() and "___" not in line]


def is_block(lines, i):
    """An indented line is code, unless the last line before it that is not indented belongs to a list."""
    while lines[i].startswith("    ") or not lines[i].strip():
        i -= 1
    return not lines[i + 1].strip() and not re.match(r"( |- |\d+\. )", lines[i])

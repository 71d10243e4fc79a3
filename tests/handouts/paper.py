#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Opens a printed handout and says what is wrong with its pages.

usage: paper.py A4|Letter FILE.pdf TITLE SOURCE...     SOURCE: Markdown or C whose headings and code it holds
"""
import html
import re
import subprocess
import sys

from markdown import code_lines, headings, plain

SIZES = {"A4": (595.3, 841.9), "Letter": (612.0, 792.0)}  # points
TOP, SIDE, BOTTOM = (mm * 72 / 25.4 for mm in (17, 15, 16))  # margins
SLACK = 1.5  # points: sizes are rounded to pixels, and letters higher than their line
# The height of letters of 8 points. Chromium makes a page smaller, all of it, that has something too wide.
SMALLEST = 8.8
WORD = re.compile(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>')


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout


class Line:
    """Words side by side."""

    def __init__(self, word):
        self.words = [word]

    def holds(self, word):
        middle = (word[1] + word[3]) / 2
        return self.words[0][1] < middle < self.words[0][3]

    def text(self):
        return " ".join(word[4] for word in sorted(self.words))


class Page:
    def __init__(self, number, markup, size):
        self.number, self.size = number, size
        self.words = [(*map(float, m.groups()[:4]), html.unescape(m[5])) for m in WORD.finditer(markup)]
        self.header = self.lines(lambda w: w[3] < TOP)
        self.footer = self.lines(lambda w: w[1] > size[1] - BOTTOM)
        self.body = self.lines(lambda w: w[3] >= TOP and w[1] <= size[1] - BOTTOM)

    def lines(self, wanted):
        lines = []
        for word in sorted(filter(wanted, self.words), key=lambda w: (w[1] + w[3])):
            if lines and lines[-1].holds(word):
                lines[-1].words.append(word)
            else:
                lines.append(Line(word))
        return [line.text() for line in lines]

    def outside(self):
        width, height = self.size
        for x0, y0, x1, y1, text in self.words:
            if x0 < SIDE - SLACK or x1 > width - SIDE + SLACK:
                yield text
            elif any(y0 + SLACK < edge < y1 - SLACK for edge in (TOP, height - BOTTOM)):
                yield text

    def small(self):
        return [word[4] for word in self.words if word[3] - word[1] < SMALLEST]

    def complaints(self, title, of):
        if not self.body:
            yield "is blank"
        if self.small():
            yield f"is set too small: '{self.small()[0]}'"
        for text in self.outside():
            yield f"'{text}' stands in the margin"
        if title and self.header != [f"{title} socklens"]:
            yield f"has the running title {self.header}, not {title}"
        if self.footer != [f"{self.number} / {of}"]:
            yield f"has the number {self.footer}, not {self.number} / {of}"


def read_pages(path, size):
    markup = output("pdftotext", "-bbox", path, "-").decode().split("<page ")[1:]
    return [Page(i + 1, text, size) for i, text in enumerate(markup)]


def wrong_sizes(path, size):
    for line in output("pdfinfo", "-f", "1", "-l", "-1", path).decode().splitlines():
        match = re.match(r"Page +(\d+) size: +([\d.]+) x ([\d.]+)", line)
        if match and any(abs(float(match[i + 2]) - size[i]) > 1 for i in (0, 1)):
            yield f"page {match[1]} measures {match[2]} x {match[3]} points"


def coloured(path):
    """Numbers of pages with a dot that is neither black nor white nor grey."""
    rest, number = output("pdftoppm", "-r", "20", path), 0
    while rest:
        number += 1
        _, size, _, dots = rest.split(b"\n", 3)
        width, height = map(int, size.split())
        dots, rest = dots[:3 * width * height], dots[3 * width * height:]
        if not dots[0::3] == dots[1::3] == dots[2::3]:
            yield number


def missing_headings(pages, wanted):
    """A heading is a line of its own, or two."""
    lines = [line for page in pages for line in page.body]
    found = set(lines) | {f"{a} {b}" for a, b in zip(lines, lines[1:])}
    return [text for text in wanted if text not in found]


def complaints(path, size, title, sources):
    pages = read_pages(path, size)
    yield from wrong_sizes(path, size)
    yield from (f"page {number} has a colour" for number in coloured(path))
    texts = [text for source in sources for text in headings(source)]
    for page in pages:
        yield from (f"page {page.number} {what}" for what in page.complaints(title, len(pages)))
        if page.body and page.body[-1] in texts:
            yield f"page {page.number} ends with the heading '{page.body[-1]}'"
    yield from (f"lacks the heading '{text}'" for text in missing_headings(pages, texts))
    lines = {line for page in pages for line in page.body}
    for source in sources:
        yield from (f"lacks or cuts the line '{line}'" for line in code_lines(source) if line not in lines)


def main():
    size, path, title, *sources = sys.argv[1:]
    wrong = list(complaints(path, SIZES[size], plain(title), sources))
    for what in wrong:
        print(f"{path.rsplit('/', 1)[-1]} ({size}): {what}")
    return 1 if wrong else 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Opens handouts in Chromium, as wide as a phone, and says what is wrong with them.

usage: browser.py FILE.html SOURCE... [-- FILE.html SOURCE...]...     SOURCE: Markdown whose headings the page holds
"""
import html
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile

from markdown import headings, plain

HERE = os.path.dirname(os.path.abspath(__file__))
PHONE = 360  # CSS pixels


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def look(paths):
    """What the probe found in each page."""
    pages = json.dumps({path: read(path) for path in paths}).replace("</", "<\\/").replace("<!--", "<\\u0021--")
    with tempfile.NamedTemporaryFile("w", suffix=".html") as probe:
        probe.write(read(f"{HERE}/probe.html").replace("PAGES", pages, 1))
        probe.flush()
        done = subprocess.run([f"{HERE}/../../labs/print/browser", "--dump-dom", "--virtual-time-budget=20000",
                               probe.name], stdout=subprocess.PIPE, check=True, text=True, timeout=120)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)[1]
    return {page["page"]: page for page in map(json.loads, html.unescape(found).splitlines())}


def dead(links, ids):
    return [link for link in links if not re.match(r"https?://", link) and link[1:] not in ids]


def blanks_to_fill(sources):
    """Lines of underscores, and tables with an empty last column."""
    texts = [read(source) for source in sources if source.endswith("README.md")]
    return (sum(len(re.findall(r"^    .*___", text, re.M)) for text in texts),
            sum(len(re.findall(r"^\| .* \| line \|$", text, re.M)) for text in texts))


def complaints(page, sources):
    if page["lang"] != "en" or not page["title"]:
        yield "has no title, or no language"
    if page["width"] > PHONE:
        yield f"is {page['width']} pixels wide on a phone of {PHONE}"
    yield from (f"loads {what}" for what in page["loads"])
    yield from (f"has a link that leads nowhere: {link}" for link in dead(page["links"], page["ids"]))
    if len(set(page["ids"])) < len(page["ids"]) or page["anchors"] < len(page["headings"]):
        yield "has a heading without an anchor of its own"
    if page["small"]:
        yield f"has small print: {page['small'][0]}"
    found = {plain(text) for text in page["headings"]}
    for source in sources:
        yield from (f"lacks the heading '{text}'" for text in headings(source) if text not in found)
    if (page["lines"], page["room"]) != blanks_to_fill(sources):
        yield f"has {page['lines']} lines to write on and {page['room']} tables, not {blanks_to_fill(sources)}"


def main():
    groups = [list(group) for end, group in itertools.groupby(sys.argv[1:], lambda word: word == "--") if not end]
    found, bad = look([group[0] for group in groups]), 0
    for path, *sources in groups:
        for what in complaints(found[path], sources):
            print(f"{os.path.basename(path)}: {what}")
            bad = 1
    return bad


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks JSON lines against a schema: check_schema.py SCHEMA LINES. Knows the keywords our schema uses
and refuses any other, so that no rule is silently skipped."""
import json
import sys

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
SILENT = {"$schema", "title", "description", "$defs"}


def is_type(value, name):
    if name == "integer" and isinstance(value, bool):
        return False
    return isinstance(value, TYPES[name])


def check(value, schema, root, path):
    """Yields a sentence for each rule broken."""
    for key, rule in schema.items():
        if key in SILENT:
            continue
        if key == "$ref":
            yield from check(value, root["$defs"][rule.rsplit("/", 1)[1]], root, path)
        elif key == "type":
            names = rule if isinstance(rule, list) else [rule]
            if not any(is_type(value, name) for name in names):
                yield f"{path}: {value!r} is not {rule}"
        elif key == "const":
            if value != rule:
                yield f"{path}: {value!r} is not {rule!r}"
        elif key == "enum":
            if value not in rule:
                yield f"{path}: {value!r} is none of {rule}"
        elif key == "required":
            for name in rule:
                if name not in value:
                    yield f"{path}: no {name}"
        elif key == "properties":
            for name, sub in rule.items():
                if isinstance(value, dict) and name in value:
                    yield from check(value[name], sub, root, f"{path}.{name}")
        elif key == "additionalProperties":
            for name in set(value) - set(schema.get("properties", {})):
                yield from check(value[name], rule, root, f"{path}.{name}")
        elif key == "items":
            for i, item in enumerate(value):
                yield from check(item, rule, root, f"{path}[{i}]")
        elif key == "not":
            if not list(check(value, rule, root, path)):
                yield f"{path}: {value!r} must not be {rule}"
        elif key == "oneOf":
            broken = [list(check(value, sub, root, path)) for sub in rule]
            if sum(not b for b in broken) != 1:
                yield f"{path}: fits {sum(not b for b in broken)} of {len(rule)}: {broken}"
        else:
            yield f"{path}: this checker does not know {key}"


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key comes twice: {keys}")
    return dict(pairs)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    problems = []
    lines = []
    with open(sys.argv[2], encoding="utf-8", newline="\n") as f:
        for n, text in enumerate(f, 1):
            line = json.loads(text, object_pairs_hook=no_duplicates)
            lines.append(line)
            problems += [f"line {n}: {p}" for p in check(line, schema, schema, "$")]
    types = [line["type"] if "kind" not in line else "step" for line in lines]
    if types != ["header"] + ["step"] * (len(types) - 2) + ["trailer"]:
        problems.append(f"header, steps, trailer expected: {types[:2]} ... {types[-2:]}")
    ids = [line["id"] for line in lines if "kind" in line]
    if ids != sorted(set(ids)):
        problems.append("ids do not grow")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

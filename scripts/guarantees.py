#!/usr/bin/env python3
"""Fails unless every test that GUARANTEES.md names exists.

A promise is a table row whose last cell names tests as `file::test_name`, and those of the web as `file::what the test says`.
"""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
text = (root / "GUARANTEES.md").read_text()
names = re.findall(r"`([\w./-]+)::(\w+)`", text)
bad = 0
for path, test in names:
    file = root / path
    if not file.is_file():
        print(f"guarantees: {path} does not exist", file=sys.stderr)
        bad = 1
    elif not re.search(rf"\b(fn|def) {test}\b", file.read_text()):
        print(f"guarantees: {path} has no test {test}", file=sys.stderr)
        bad = 1
for path, test in re.findall(r"`(web/[\w./-]+\.(?:ts|tsx|mjs))::([^`]+)`", text):
    file = root / path
    if not file.is_file():
        print(f"guarantees: {path} does not exist", file=sys.stderr)
        bad = 1
    elif f"('{test}'" not in file.read_text():
        print(f"guarantees: {path} has no test that says: {test}", file=sys.stderr)
        bad = 1
for line in text.splitlines():
    if re.match(r"^\| \d", line) and "::" not in line and "not yet" not in line:
        print(f"guarantees: a promise without a test: {line}", file=sys.stderr)
        bad = 1
if not names:
    print("guarantees: GUARANTEES.md names no test", file=sys.stderr)
    bad = 1
sys.exit(bad)

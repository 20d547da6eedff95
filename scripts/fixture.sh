#!/bin/sh
# Writes tests/fixtures/data-vN: a small data folder as today's program writes it, with its definitions and
# the figures it must give. Once a format is released its fixture is never written again; a new format
# gets a new folder, and the tests go on reading all of them.
#
#   scripts/fixture.sh 1          # TILLWATCH_BIN names the program, target/release/tillwatch by default
set -eu
cd "$(dirname "$0")/.."
version=${1:?the version of the fixture, such as 1}
python=.cache/venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" tests/e2e/fixture.py "tests/fixtures/data-v$version"

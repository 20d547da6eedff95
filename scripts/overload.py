#!/usr/bin/env python3
"""Drives the real binary far over its capacity, and shows that memory stays flat and nothing is lost.

    scripts/overload.py --seconds 600 --csv memory.csv

Prints totals; the CSV has the resident memory over time. Fails as tests/e2e/test_overload.py does.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))

import overload
from harness import Server


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=600, help="for how long (600)")
    options.add_argument("--clients", type=int, default=32, help="that flood (32)")
    options.add_argument("--csv", help="where the memory curve goes")
    options.add_argument("--no-restart", action="store_true", help="do not kill, replay and count again")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "definitions"
        config.mkdir()
        (config / "overload.yaml").write_text(overload.DEFINITIONS)
        server = Server(config, pathlib.Path(folder) / "data").start()
        try:
            totals = overload.drive(server, chosen.seconds, chosen.clients, chosen.csv)
            print("\n".join(totals.lines()), flush=True)
            overload.check(server, totals, restart=not chosen.no_restart)
        finally:
            server.kill()
    print("acknowledged lost: 0")


if __name__ == "__main__":
    main()

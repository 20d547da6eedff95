"""What the browser writes into the definitions folder, in Chromium, against the real binary."""

import os
import shutil
import subprocess

from harness import ROOT, Server

DEFINITIONS = """
# Kept by hand: how orders come in.
streams:
  orders: {id: id, time: at, fields: {id: string, at: timestamp}}
cubes:
  all: {from: orders, bucket: 1m, measures: {n: count(*)}}
metrics:
  orders: {of: all, expr: n, unit: count}
"""


def test_the_browser_writes_monitors_windows_calendars_and_what_a_file_is(tmp_path):
    assert shutil.which("chromium"), "run `make browser` first"
    config, data = tmp_path / "definitions", tmp_path / "data"
    config.mkdir()
    (config / "base.yaml").write_text(DEFINITIONS)
    server = Server(config, data).start()
    try:
        done = subprocess.run(
            ["node", "--test", "--test-concurrency=1", "e2e/writing.spec.mjs"],
            cwd=ROOT / "web",
            env={**os.environ, "TILLWATCH_URL": f"http://127.0.0.1:{server.port}"},
            capture_output=True,
            text=True,
            timeout=600,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        assert server.stop() == 0
    assert (config / "parcels.yaml").exists() and "germany" in (config / "calendars.yaml").read_text()

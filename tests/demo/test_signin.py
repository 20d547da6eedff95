"""Signing in with tokens of each role, in Chromium, against the real binary."""

import json
import os
import shlex
import shutil
import subprocess

from harness import BINARY, ROOT, Server, run

DEFINITIONS = """
streams:
  orders: {id: id, time: at, fields: {id: string, at: timestamp}}
cubes:
  all: {from: orders, bucket: 1m, measures: {n: count(*)}}
metrics:
  orders: {of: all, expr: n, unit: count}
boards:
  ours: {title: {en: Ours}, tiles: [{metric: orders}]}
"""


def test_each_role_signs_in_and_is_offered_what_it_may(tmp_path):
    assert shutil.which("chromium"), "run `make browser` first"
    config, data = tmp_path / "definitions", tmp_path / "data"
    config.mkdir()
    (config / "test.yaml").write_text(DEFINITIONS)
    tokens = {
        role: run("token", "create", "--name", role, "--role", role, "--data", data).stdout.strip()
        for role in ("ingest", "read", "operate", "admin")
    }
    server = Server(config, data).start()
    try:
        done = subprocess.run(
            ["node", "--test", "--test-concurrency=1", "e2e/signin.spec.mjs"],
            cwd=ROOT / "web",
            env={
                **os.environ,
                "TILLWATCH_URL": f"http://127.0.0.1:{server.port}",
                "TILLWATCH_TOKENS": json.dumps(tokens),
                "TILLWATCH_REVOKE": shlex.join([str(BINARY), "token", "revoke", "read", "--data", str(data)]),
            },
            capture_output=True,
            text=True,
            timeout=600,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        assert server.stop() == 0

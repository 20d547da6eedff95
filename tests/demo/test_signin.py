"""Signing in with tokens of each role, in Chromium, against the real binary."""

import json
import shlex

from harness import BINARY, Server, run
from pages import check_pages

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
    config, data = tmp_path / "definitions", tmp_path / "data"
    config.mkdir()
    (config / "test.yaml").write_text(DEFINITIONS)
    tokens = {
        role: run("token", "create", "--name", role, "--role", role, "--data", data).stdout.strip()
        for role in ("ingest", "read", "operate", "admin")
    }
    server = Server(config, data).start()
    try:
        check_pages(server, "signin",
            TILLWATCH_TOKENS=json.dumps(tokens),
            TILLWATCH_REVOKE=shlex.join([str(BINARY), "token", "revoke", "read", "--data", str(data)]),
        )
    finally:
        assert server.stop() == 0

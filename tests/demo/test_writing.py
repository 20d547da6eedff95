"""What the browser writes into the definitions folder, in Chromium, against the real binary."""

from harness import Server
from pages import check_pages

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
    config, data = tmp_path / "definitions", tmp_path / "data"
    config.mkdir()
    (config / "base.yaml").write_text(DEFINITIONS)
    server = Server(config, data).start()
    try:
        check_pages(server, "writing")
    finally:
        assert server.stop() == 0
    assert (config / "parcels.yaml").exists() and "germany" in (config / "calendars.yaml").read_text()

"""History on an object store that speaks S3: a real server of that protocol on loopback."""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from harness import until
from test_history import definitions, event, flushed, send

CUBE = "select bucket, shop, measure(n), measure(amount) from per_hour group by bucket, shop order by 1, 2"
TOTALS = "select shop, count(*), sum(amount) from orders group by shop order by shop"


class Store:
    """moto's server: it keeps objects in memory, and a store that comes back must be the same one."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = open(folder / "store.log", "w")
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        until(self.answers, "the store answers")
        request = urllib.request.Request(f"{self.url}/till", method="PUT")
        urllib.request.urlopen(request, timeout=10).read()
        return self

    def answers(self):
        try:
            urllib.request.urlopen(f"{self.url}/moto-api/", timeout=2).read()
            return True
        except (urllib.error.URLError, OSError):
            return False

    def keys(self):
        text = urllib.request.urlopen(f"{self.url}/till?list-type=2&max-keys=1000", timeout=10).read().decode()
        return [part.split("</Key>")[0] for part in text.split("<Key>")[1:]]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class Way:
    """The way to the store, which can be cut."""

    def __init__(self, store):
        self.store = store
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_cut = False
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.store.port))
            self.open += [near, far]
            for source, target in [(near, far), (far, near)]:
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    @staticmethod
    def carry(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.is_cut = True
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self.is_cut = False


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path).start()
    yield store
    store.stop()


def on(store):
    return definitions(
        more=f"""
history:
  url: s3://till/prefix
  options:
    aws_endpoint: {store.url}
    aws_allow_http: "true"
    aws_region: us-east-1
    aws_access_key_id: test
    aws_secret_access_key: env:TILL_TEST_SECRET
"""
    )


def test_history_on_a_store_survives_kill_9(start, store):
    server = start(on(store), env={"TILL_TEST_SECRET": "test"})
    send(server, 0, 2000)
    flushed(server)
    figures = server.sql(CUBE), server.sql(TOTALS)
    keys = store.keys()
    assert any(key.startswith("prefix/events/orders/_delta_log/") for key in keys), keys
    assert any(key.endswith(".parquet") and "/cubes/per_hour." in key for key in keys), keys
    assert not list((pathlib.Path(server.data) / "history").rglob("*.parquet"))
    server.kill()
    server.start()
    assert (server.sql(CUBE), server.sql(TOTALS)) == figures
    send(server, 1000, 2500)
    flushed(server)
    assert server.scalar("select count(*) from orders") == 2500
    refused = server.request(
        "POST", "/v1/backup", json.dumps({}), {"Content-Type": "application/json"}
    )
    assert refused.status == 409, refused.body


def test_a_store_that_is_away_keeps_no_event_out_and_is_caught_up_with(start, store):
    way = Way(store)
    server = start(on(way), env={"TILL_TEST_SECRET": "test"})
    send(server, 0, 500)
    flushed(server)
    way.cut()
    for first in range(500, 1500, 100):
        answer = server.post("orders", [event(i) for i in range(first, first + 100)])
        assert answer.status == 200, answer.body
    history = until(
        lambda: (found := server.get("/v1/status").json()["history"])["state"] == "failing" and found,
        "the status says so",
        deadline_s=240,
    )
    assert history["fault"] and history["unflushed_events"] == 1000, history
    way.mend()
    until(
        lambda: (found := server.get("/v1/status").json()["history"])["state"] == "ok"
        and found["unflushed_events"] == 0,
        "it is caught up with",
        deadline_s=240,
    )
    totals = server.sql(TOTALS)
    assert sum(row[1] for row in totals) == 1500
    server.kill()
    server.start()
    assert server.sql(TOTALS) == totals
    assert server.scalar("select measure(n) from per_hour") == 1500

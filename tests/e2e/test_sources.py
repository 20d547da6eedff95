"""The HTTP poll source against a real server."""

import http.server
import json
import threading

from harness import run, until


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers orders, with an ETag; fails when told to."""

    orders = []
    failing = False
    conditional = 0

    def do_GET(self):
        shop = type(self)
        tag = f'"{len(shop.orders)}"'
        if shop.failing:
            self.send_response(500)
            self.end_headers()
            return
        if self.headers.get("If-None-Match") == tag:
            shop.conditional += 1
            self.send_response(304)
            self.end_headers()
            return
        body = json.dumps({"data": {"items": shop.orders}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


DEFINITIONS = """
streams:
  orders:
    id: id
    time: at
    fields: {id: string, at: timestamp, total: "decimal(12,2)"}
sources:
  shop: {kind: http_poll, url: "http://127.0.0.1:PORT/orders", stream: orders, every: 1s, events: "$.data.items", allow_private: true}
"""


def test_a_source_is_polled_conditionally_backs_off_and_recovers(start):
    shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    Shop.orders = [{"id": "1", "at": "2026-11-01T10:00:00Z", "total": "1.50"}]
    server = start(DEFINITIONS.replace("PORT", str(shop.server_port)))

    def source():
        return server.get("/v1/status").json()["sources"][0]

    until(lambda: server.scalar("select count(*) from orders") == 1, "the first order is there")
    until(lambda: Shop.conditional > 0, "an unchanged answer is not fetched again")
    Shop.failing = True
    until(lambda: source()["state"] == "failing" and "500" in source()["last_error"], "the failure is seen")
    Shop.orders = [*Shop.orders, {"id": "2", "at": "2026-11-01T10:01:00Z", "total": "2.50"}]
    Shop.failing = False
    until(lambda: server.scalar("select count(*) from orders") == 2, "the second order is there")
    assert server.scalar("select sum(total) from orders") == "4.00"
    until(lambda: source()["state"] == "ok", "the source is well again")
    shop.shutdown()


def test_a_machine_without_certificates_still_reaches_plain_http(start):
    shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    Shop.orders = [{"id": "1", "at": "2026-11-01T10:00:00Z", "total": "1.50"}]
    bare = {"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere"}
    server = start(DEFINITIONS.replace("PORT", str(shop.server_port)), env=bare)
    until(lambda: server.scalar("select count(*) from orders") == 1, "the order is there")
    asked = run("sql", "--server", f"http://127.0.0.1:{server.port}", "select count(*) as n from orders", env=bare)
    assert "1" in asked.stdout, asked
    # Without certificates of authorities nobody can be trusted.
    refused = run("sql", "--server", f"https://127.0.0.1:{shop.server_port}", "select 1", env=bare, check=False)
    assert refused.returncode == 1, refused
    shop.shutdown()

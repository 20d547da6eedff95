"""Prometheus: counters per merchant and status, scraped every ten seconds, and alerting rules over their rates.

The counters are kept by an exporter here, in the process that sends the traffic, as the shop's own program would keep them.
"""

import collections
import contextlib
import http.server
import json
import socket
import subprocess
import threading
import time
import urllib.request

import alerts

name = "Prometheus"
promises = (
    "it sees counters, not events: what happens between two scrapes is one number, there is no money, no distinct count, no list of the payments behind an alert; late or "
    "repeated events are the exporter's affair; a crash loses what the exporter counted; samples are in a write-ahead log without fsync at each"
)

RULE = (
    'sum by (merchant_id) (rate(payments_total{{status="declined"}}[{window}])) / sum by (merchant_id) (rate(payments_total[{window}])) > 0.4 '
    "and sum by (merchant_id) (increase(payments_total[{window}])) >= 30"
)
CONFIG = """
global: {{scrape_interval: 10s, evaluation_interval: 10s}}
rule_files: [{folder}/rules.yaml]
scrape_configs:
  - job_name: payments
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def version():
    done = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).split()[2]


class Exporter(http.server.ThreadingHTTPServer):
    """Counts events by merchant and status, and shows the counts."""

    def __init__(self):
        self.counts = collections.Counter()
        self.lock = threading.Lock()
        counts, lock = self.counts, self.lock

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with lock:
                    items = list(counts.items())
                lines = ["# TYPE payments_total counter"]
                lines += [f'payments_total{{merchant_id="{merchant}",status="{status}"}} {count}' for (merchant, status), count in items]
                body = ("\n".join(lines) + "\n").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Page)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, lines):
        events = [json.loads(line) for line in lines.splitlines()]
        with self.lock:
            self.counts.update((event["merchant_id"], event["status"]) for event in events)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def q2(minutes, rate, folder):
    """Two rules like the monitors of Tillwatch."""
    exporter = Exporter()
    # A counter that appears with its first event has no rate before its second scrape, so all are there from the start.
    exporter.counts.update({(f"m{rank:05}", status): 0 for rank in range(1, 5_001) for status in ("approved", "declined", "error")})
    rules = [{"alert": f"declines_{window}", "expr": RULE.format(window=window)} for window in ("1m", "5m")]
    (folder / "rules.yaml").write_text(json.dumps({"groups": [{"name": "declines", "rules": rules}]}))
    (folder / "prometheus.yaml").write_text(CONFIG.format(folder=folder, port=exporter.server_address[1]))
    port = _free_port()
    command = ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        _ready(process, address, folder)

        def firing():
            with urllib.request.urlopen(f"{address}/api/v1/alerts", timeout=30) as answer:
                found = json.load(answer)["data"]["alerts"]
            return {(alert["labels"]["alertname"], alert["labels"].get("merchant_id")) for alert in found if alert["state"] == "firing"}

        yield alerts.run("15 000 counters, scraped and judged every 10 s", minutes, rate, folder, [process.pid], exporter.take, firing)
    finally:
        process.terminate()
        process.wait(timeout=60)
        exporter.shutdown()


def _ready(process, address, folder):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/-/ready", timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("Prometheus did not start: " + (folder / "log").read_text()[-1000:])

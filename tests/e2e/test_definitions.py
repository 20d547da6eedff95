"""Definitions in a running server: hot reload of what is valid, a report of what is not."""

from harness import run, until

SOUND = """
streams:
  orders:
    id: id
    time: at
    fields: {id: string, at: timestamp, country: string, total: "decimal(12,2)"}
cubes:
  totals:
    from: orders
    bucket: 1m
    dimensions: [country]
    measures: {orders: count(*), revenue: sum(total)}
metrics:
  revenue: {of: totals, expr: revenue, unit: EUR}
"""
ORDERS = [
    {"id": "1", "at": "2026-11-01T10:00:00Z", "country": "DE", "total": "10.10"},
    {"id": "2", "at": "2026-11-01T10:00:30Z", "country": "FR", "total": "20.20"},
]


def write(server, text):
    (server.config / "test.yaml").write_text(text)


def metrics(server):
    return [metric["name"] for metric in server.get("/v1/metrics").json()["metrics"]]


def test_a_changed_folder_is_in_force_without_a_restart_and_covers_what_came_before(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    assert server.post("orders", ORDERS).json()["accepted"] == 2
    write(
        server,
        SOUND.replace("dimensions: [country]", "dimensions: []").replace(
            "revenue: sum(total)}", "revenue: sum(total), highest: max(total)}"
        )
        + "  highest: {of: totals, expr: highest, title: {en: Highest order, zh: 最大订单}}\n",
    )
    until(lambda: "highest" in metrics(server), "the new metric is known")
    titles = {metric["name"]: metric.get("title") for metric in server.get("/v1/metrics").json()["metrics"]}
    assert titles["highest"] == {"en": "Highest order", "zh": "最大订单"}
    assert titles["revenue"] is None
    assert server.sql("select measure(highest), measure(revenue) from totals") == [["20.20", "30.30"]]
    assert server.post("orders", ORDERS).json() == {
        "accepted": 0,
        "duplicates": 2,
        "rejected": 0,
        "rejections": [],
    }


def test_a_faulty_folder_is_reported_and_the_running_one_stays(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    server.post("orders", ORDERS)
    write(server, SOUND.replace("sum(total)", "sum(totl)"))

    def errors():
        return server.get("/v1/status").json()["definitions"]["errors"]

    found = until(errors, "the fault stands in the status")
    assert "test.yaml:12:" in found[0] and "totl" in found[0], found
    assert server.sql("select measure(revenue) from totals") == [["30.30"]]
    write(server, SOUND)
    until(lambda: not errors(), "the mended folder is in force")


def test_check_reports_all_faults_at_once_and_schema_prints_json_schema(tmp_path):
    (tmp_path / "a.yaml").write_text(SOUND.replace("sum(total)", "sum(totl)").replace("of: totals", "of: total"))
    (tmp_path / "b.yaml").write_text("monitors:\n  m: {metric: revenu, detect: {treshold: {above: 1}}}\n")
    checked = run("check", "--config", tmp_path, check=False)
    assert checked.returncode == 1
    text = checked.stderr
    assert "a.yaml:12:" in text and "totl" in text, text
    assert "there is no cube 'total'" in text and "did you mean 'totals'?" in text, text
    assert "b.yaml:2:" in text and "'treshold' is none of: auto, threshold, rate, count, silence, seasonal, change, forecast" in text, text
    assert "did you mean 'threshold'?" in text, text
    assert "3 faults" in text, text
    assert '"Tillwatch definitions"' in run("schema").stdout


def test_the_built_in_packs_are_sound(tmp_path):
    (tmp_path / "packs.yaml").write_text("packs: [payments, commerce]\n")
    checked = run("check", "--config", tmp_path)
    assert "is sound" in checked.stdout

"""Definitions in a running server: hot reload of what is valid, a report of what is not."""

import datetime
import http.server
import json
import os
import resource
import threading

import pytest

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


class Hook:
    """What a webhook is sent."""

    def __init__(self):
        self.bodies = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                hook.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def monitors(self):
        """The monitors whose incidents it was told of."""
        return {name for name in ("many", "others") for body in list(self.bodies) if f'"{name}"' in body}


@pytest.fixture
def hook():
    running = Hook()
    yield running
    running.server.shutdown()
    running.server.server_close()


YAML = {"Content-Type": "application/yaml"}
# Written by people: comments, a blank line, an own order.
MONITORS = """\
# Who is on call: see the wiki.
monitors:
  # Since the outage in May.
  falls:   # told to everybody
    metric: revenue
    detect: {threshold: {below: 10}}

  # The second.
  rises:
    metric: revenue
    detect: {threshold: {above: 1000}}  # of all countries
# The end.
"""


def put(server, path, text, **headers):
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return server.request("PUT", f"/v1/definitions/{path}", text.encode(), {**YAML, **named})


def delete(server, path, **headers):
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return server.request("DELETE", f"/v1/definitions/{path}", None, named)


def problem(answer, status, kind):
    assert answer.status == status, (answer.status, answer.body)
    document = answer.json()
    assert document["type"].endswith(f"/{kind}"), document
    return document


def texts(server):
    """All that lies in the folder, hidden files as well."""
    return {path.name: path.read_bytes() for path in server.config.rglob("*") if path.is_file()}


def monitors(server):
    return [one["name"] for one in server.get("/v1/monitors").json()["monitors"]]


def test_a_monitor_is_put_changed_and_removed_and_all_other_bytes_stay(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    (server.config / "monitors.yaml").write_text(MONITORS)
    until(lambda: monitors(server) == ["falls", "rises"], "the file is in force")
    keys = "metric: revenue\nby: [country]  # each\ndetect: {threshold: {below: 5}}\n"
    made = put(server, "monitors/by_country", keys, if_none_match="*")
    assert made.status == 201, made.body
    told = made.json()
    assert (told["file"], told["in_force"], told["reason"]) == ("monitors.yaml", True, None), told
    # The answer comes when it is in force: nothing is waited for here.
    assert monitors(server) == ["falls", "rises", "by_country"]
    text = (server.config / "monitors.yaml").read_text()
    lines = "  by_country:\n    metric: revenue\n    by: [country]  # each\n    detect: {threshold: {below: 5}}\n"
    assert text == MONITORS.replace("# The end.", lines + "# The end.")
    assert text.splitlines()[told["line"] - 1] == "  by_country:"
    found = server.get("/v1/definitions/monitors/falls")
    item = found.json()
    assert item["yaml"] == "metric: revenue\ndetect: {threshold: {below: 10}}\n", item
    assert (item["file"], item["line"], item["editable"], item["pack"]) == ("monitors.yaml", 4, True, None)
    assert found.headers["etag"] == item["etag"]
    changed = put(server, "monitors/falls", item["yaml"].replace("10", "20"), if_match=item["etag"])
    assert changed.status == 200, changed.body
    assert changed.headers["etag"] == changed.json()["etag"] == server.get("/v1/definitions/monitors/falls").json()["etag"]
    assert (server.config / "monitors.yaml").read_text() == text.replace("below: 10", "below: 20")
    # Who has read the older one changes nothing.
    lost = put(server, "monitors/falls", item["yaml"], if_match=item["etag"])
    assert problem(lost, 412, "precondition-failed")["etag"] == changed.headers["etag"]
    problem(put(server, "monitors/falls", item["yaml"], if_none_match="*"), 412, "precondition-failed")
    removed = delete(server, "monitors/falls", if_match=changed.headers["etag"])
    assert removed.status == 200 and removed.json()["etag"] is None, removed.body
    assert monitors(server) == ["rises", "by_country"]
    left = "  falls:   # told to everybody\n    metric: revenue\n    detect: {threshold: {below: 20}}\n"
    assert (server.config / "monitors.yaml").read_text() == text.replace("below: 10", "below: 20").replace(left, "")
    problem(server.get("/v1/definitions/monitors/falls"), 404, "unknown-definition")
    problem(delete(server, "monitors/falls"), 404, "unknown-definition")
    assert set(texts(server)) == {"test.yaml", "monitors.yaml"}, "nothing unfinished lies there"


def test_what_would_not_work_is_told_with_its_place_and_nothing_is_written(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    before = texts(server)
    for path, text, line, reason, suggestion in [
        ("files/a.yaml", "monitors:\n  m: {metric: revenu, detect: {threshold: {below: 1}}}\n", 2, "revenu", "did you mean 'revenue'?"),
        ("files/a.yaml", "monitors:\n\tm: 1\n", 2, "", None),
        ("files/test.yaml", SOUND.replace("sum(total)", "sum(totl)"), 12, "totl", "did you mean 'total'?"),
        ("monitors/m", "metric: revenue\ndetect: {treshold: {above: 1}}\n", 4, "treshold", "did you mean 'threshold'?"),
        ("monitors/m", "metric: [", 1, "", None),
        ("monitors/m", "- a\n", 1, "expected the keys of a definition", None),
    ]:
        headers = {"if_match": "*"} if "test" in path else {"if_none_match": "*"}
        refused = problem(put(server, path, text, **headers), 422, "bad-definition")
        fault = refused["faults"][0]
        assert set(fault) == {"file", "line", "column", "reason", "suggestion"}
        assert fault["line"] == line and reason in fault["reason"] and fault["column"] >= 1, fault
        assert suggestion is None or fault["suggestion"] == suggestion, fault
        assert problem(put(server, f"{path}?dry_run=true", text), 422, "bad-definition")["faults"] == refused["faults"]
        assert texts(server) == before
    # What is sound is only checked when that is asked for.
    sound = "monitors:\n  m: {metric: revenue, detect: {threshold: {below: 1}}}\n"
    checked = put(server, "files/a.yaml?dry_run=true", sound)
    assert checked.status == 200 and checked.json()["faults"] == [], checked.body
    assert texts(server) == before and monitors(server) == []
    # What others need is not removed.
    tag = {one["file"]: one["etag"] for one in server.get("/v1/definitions").json()["files"]}["test.yaml"]
    problem(delete(server, "files/test.yaml", if_match=tag), 422, "bad-definition")
    assert texts(server) == before
    assert server.get("/v1/definitions").json()["faults"] == []


def test_a_file_is_listed_read_written_and_removed_with_the_tag_that_was_read(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    text = "# Ours.\nmonitors:\n  m: {metric: revenue, detect: {threshold: {below: 1}}}\n"
    path = "files/teams/shop.yaml"
    problem(put(server, path, text), 428, "precondition-required")
    made = put(server, path, text, if_none_match="*")
    assert made.status == 201 and made.json()["in_force"], made.body
    assert (server.config / "teams/shop.yaml").read_text() == text
    read = server.get(f"/v1/definitions/{path}")
    assert read.body.decode() == text and read.headers["content-type"].startswith("application/yaml")
    assert read.headers["etag"] == made.headers["etag"]
    listed = server.get("/v1/definitions").json()
    assert listed["writable"] and listed["in_force"] and listed["reason"] is None
    found = {one["file"]: one for one in listed["files"]}
    assert set(found) == {"test.yaml", "teams/shop.yaml"}
    assert found["teams/shop.yaml"]["holds"] == {"monitors": ["m"]}
    assert found["teams/shop.yaml"]["etag"] == read.headers["etag"]
    # Somebody with an editor is faster.
    (server.config / "teams/shop.yaml").write_text(text + "# More.\n")
    lost = put(server, path, text, if_match=read.headers["etag"])
    now = problem(lost, 412, "precondition-failed")["etag"]
    assert (server.config / "teams/shop.yaml").read_text() == text + "# More.\n"
    problem(delete(server, path, if_match=read.headers["etag"]), 412, "precondition-failed")
    problem(delete(server, path), 428, "precondition-required")
    gone = delete(server, path, if_match=now)
    assert gone.status == 200 and monitors(server) == [], gone.body
    assert not (server.config / "teams/shop.yaml").exists()
    problem(server.get(f"/v1/definitions/{path}"), 404, "unknown-definition")


def test_nothing_outside_of_the_folder_and_no_secret_is_shown_or_written(start, tmp_path):
    outside = tmp_path / "outside.yaml"
    outside.write_text("monitors: {}\n")
    secret = "history:\n  url: s3://b/f\n  options: {aws_secret_access_key: hunter2}\n"
    server = start(SOUND)
    server.wait_for_line("ready")
    (server.config / "link.yaml").symlink_to(outside)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (server.config / "away").symlink_to(elsewhere)
    for name in ["../a.yaml", "..%2fa.yaml", "a/../../b.yaml", "/etc/a.yaml", "%2e%2e/a.yaml", ".hidden.yaml", "a.txt", "a%00.yaml"]:
        answer = put(server, f"files/{name}", "monitors: {}\n", if_none_match="*")
        assert answer.status in (400, 404), (name, answer.status, answer.body)
        assert server.get(f"/v1/definitions/files/{name}").status in (400, 404), name
    problem(put(server, "files/away/new.yaml", "monitors: {}\n", if_none_match="*"), 409, "conflict")
    assert list(elsewhere.iterdir()) == [] and not (tmp_path / "a.yaml").exists()
    hidden = problem(server.get("/v1/definitions/files/link.yaml"), 409, "conflict")
    assert "outside of the folder" in hidden["detail"]
    problem(put(server, "files/link.yaml", "boards: {}\n", if_match="*"), 409, "conflict")
    assert outside.read_text() == "monitors: {}\n"
    refused = problem(put(server, "files/s.yaml", secret, if_none_match="*"), 422, "bad-definition")
    assert refused["faults"][0]["line"] == 3 and "hunter2" not in str(refused)
    (server.config / "s.yaml").write_text(secret)
    hidden = server.get("/v1/definitions/files/s.yaml")
    problem(hidden, 409, "conflict")
    listed = server.get("/v1/definitions")
    assert b"hunter2" not in hidden.body and b"hunter2" not in listed.body
    found = {one["file"]: one for one in listed.json()["files"]}
    assert "secret" in found["s.yaml"]["reason"] and found["s.yaml"]["etag"] is None
    # Of what lies elsewhere nothing is told but that it is there.
    link = found["link.yaml"]
    assert "outside of the folder" in link["reason"]
    assert (link["bytes"], link["changed_at"], link["etag"], link["holds"]) == (0, None, None, {})
    # While somebody writes on a file it may be no YAML, and holds its secret all the same.
    (server.config / "s.yaml").write_text(secret + "bad: [1\n")
    hidden = server.get("/v1/definitions/files/s.yaml")
    problem(hidden, 409, "conflict")
    assert b"hunter2" not in hidden.body
    # And what is broken without one is there to be mended.
    (server.config / "s.yaml").write_text("metrics:\n  authorization_rate: {of: totals, expr: 1}\nbad: [1\n")
    assert server.get("/v1/definitions/files/s.yaml").status == 200


def test_no_fault_shows_what_a_variable_holds(start):
    server = start(SOUND, env={"TILL_SECRET": "hunter2 of the environment"})
    server.wait_for_line("ready")
    channels = 'channels:\n  m: {kind: email, host: "env:TILL_SECRET", from: "env:TILL_SECRET", to: ["env:TILL_SECRET"]}\n'
    refused = put(server, "files/c.yaml?dry_run=true", channels)
    assert len(problem(refused, 422, "bad-definition")["faults"]) == 3
    assert b"hunter2" not in refused.body
    write(server, SOUND + channels)
    until(lambda: server.get("/v1/definitions").json()["faults"], "the folder is looked at")
    for path in ("/v1/definitions", "/v1/status"):
        assert b"hunter2" not in server.get(path).body, path
    assert "hunter2" not in "".join(server.output)


def test_texts_that_are_made_to_cost_are_refused_and_the_server_goes_on(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    deep = "x: " + "[" * 60 + "]" * 60 + "\n"
    keys = "? " * 8 + "a\n"
    many = "".join(f"k{i}: 1\n" for i in range(60_000))
    for text, why in [(deep, "levels deep"), (keys, "a key is a text"), (many, "more than 50000 values")]:
        for path in ("files/zz.yaml", "monitors/zz"):
            refused = problem(put(server, f"{path}?dry_run=true", text), 422, "bad-definition")
            assert why in str(refused) and len(str(refused)) < 10_000, (path, str(refused)[:300])
        board = server.request("PUT", "/v1/boards/zz", text.encode(), {"Content-Type": "application/yaml"})
        if text is many:
            problem(board, 413, "body-too-large")
        else:
            assert why in problem(board, 422, "bad-definition")["detail"]
    # Also where an editor writes them.
    (server.config / "deep.yaml").write_text(deep)
    until(lambda: "levels deep" in str(server.get("/v1/definitions").json()["faults"]), "it is told")
    assert server.sql("select 1") == [[1]]


def test_a_pipe_in_the_folder_hinders_nobody(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    os.mkfifo(server.config / "pipe.yaml")
    until(lambda: "is no file" in str(server.get("/v1/definitions").json()["faults"]), "it is told")
    (server.config / "pipe.yaml").unlink()
    keys = "metric: revenue\ndetect: {threshold: {below: 1}}\n"
    assert put(server, "monitors/m", keys, if_none_match="*").status == 201


def test_a_folder_that_is_read_only_is_shown_and_not_changed(start):
    server = start(SOUND, "--read-only-definitions")
    server.wait_for_line("ready")
    before = texts(server)
    listed = server.get("/v1/definitions").json()
    assert not listed["writable"] and "--read-only-definitions" in listed["reason"]
    keys = "metric: revenue\ndetect: {threshold: {below: 1}}\n"
    refused = problem(put(server, "monitors/m", keys, if_none_match="*"), 409, "definitions-read-only")
    assert "--read-only-definitions" in refused["detail"]
    problem(put(server, "files/a.yaml", f"monitors: {{m: {{{keys.strip().replace(chr(10), ', ')}}}}}", if_none_match="*"), 409, "definitions-read-only")
    problem(delete(server, "files/test.yaml", if_match="*"), 409, "definitions-read-only")
    # What would be copied can still be checked.
    assert put(server, "monitors/m?dry_run=true", keys).status == 200
    assert texts(server) == before
    # Reloading by hand goes on.
    (server.config / "m.yaml").write_text("monitors:\n  m:\n    metric: revenue\n    detect: {threshold: {below: 1}}\n")
    until(lambda: monitors(server) == ["m"], "the file is in force")
    item = server.get("/v1/definitions/monitors/m").json()
    assert not item["editable"] and "--read-only-definitions" in item["reason"]


def test_limits_of_what_is_sent_are_kept(start):
    server = start(SOUND + "limits: {http: {definition_bytes_max: 1KiB, propose_bytes_max: 1KiB, definition_files_max: 2}}\n")
    server.wait_for_line("ready")
    before = texts(server)
    large = problem(put(server, "files/a.yaml", "#" * 1025, if_none_match="*"), 413, "body-too-large")
    assert large["bytes_max"] == 1024
    csv = {"Content-Type": "text/csv"}
    problem(server.request("POST", "/v1/propose", b"x" * 1025, csv), 413, "body-too-large")
    # What a file would grow to counts as well.
    item = "metric: revenue\ndetect: {threshold: {below: 1}}\n" + "# note\n" * 70
    assert put(server, "monitors/m", item).status == 201
    grown = problem(put(server, "monitors/n", item), 413, "body-too-large")
    assert "definition_bytes_max" in grown["detail"]
    full = problem(put(server, "files/b.yaml", "boards: {}\n", if_none_match="*"), 409, "conflict")
    assert "definition_files_max" in full["detail"]
    assert set(texts(server)) == set(before) | {"monitors.yaml"}


def test_a_pack_is_shown_and_its_definitions_are_not_changed(start):
    server = start("packs: [payments]\n")
    server.wait_for_line("ready")
    listed = server.get("/v1/definitions").json()
    (pack,) = listed["packs"]
    assert pack["name"] == "payments" and pack["holds"]["monitors"], pack
    text = server.get(f"/v1/definitions/packs/payments/{pack['files'][0]}")
    assert text.status == 200 and b":" in text.body
    problem(server.get("/v1/definitions/packs/paymants/a.yaml"), 404, "unknown-definition")
    name = pack["holds"]["monitors"][0]
    item = server.get(f"/v1/definitions/monitors/{name}").json()
    assert item["pack"] == "payments" and item["file"] is None and not item["editable"], item
    problem(put(server, f"monitors/{name}", item["yaml"]), 409, "conflict")


def test_a_maintenance_window_made_over_http_silences(start, hook):
    server = start(
        f"""
limits: {{process: {{lateness_ms: 1s, source_idle_ms: 2s}}}}
streams:
  orders: {{id: id, time: at, fields: {{id: string, at: timestamp, shop: string}}}}
cubes:
  per_second: {{from: orders, bucket: 1s, dimensions: [shop], measures: {{n: count(*)}}}}
metrics:
  orders: {{of: per_second, expr: n, unit: count}}
monitors:
  many:
    metric: orders
    detect: {{threshold: {{above: 2, window: 1s}}}}
    direction: up
    for: 0s
    resolve_after: 90m
    notify: [ops]
  others:
    metric: orders
    detect: {{threshold: {{above: 2, window: 1s}}}}
    direction: up
    for: 0s
    resolve_after: 90m
    notify: [ops]
channels:
  ops: {{kind: webhook, url: "{hook.url}", secret: env:HOOK_SECRET, allow_private: true}}
""",
        env={"HOOK_SECRET": "x" * 32},
    )
    server.wait_for_line("ready")
    window = 'from: "00:00"\nto: "24:00"\nmonitors: [many]\n'
    made = put(server, "maintenance/moves", window, if_none_match="*")
    assert made.status == 201 and made.json()["file"] == "maintenance.yaml", made.body
    (shown,) = server.get("/v1/calendars").json()["maintenance"]
    told = {key: shown[key] for key in ("name", "active", "once", "monitors", "zone")}
    assert told == {
        "name": "moves", "active": True, "once": False, "monitors": ["many"], "zone": "UTC",
    }
    now = datetime.datetime.now(datetime.timezone.utc)
    events = [
        {"id": f"{second}-{n}", "at": (now - datetime.timedelta(seconds=second)).isoformat(), "shop": "a"}
        for second in range(60)
        for n in range(5)
    ]
    assert server.post("orders", events).json()["accepted"] == 300

    def timelines():
        found = server.get("/v1/incidents").json()["incidents"]
        return {
            one["monitor"]: [entry["text"] for entry in server.get(f"/v1/incidents/{one['id']}").json()["timeline"]]
            for one in found
        }

    def is_kept_back():
        return any("maintenance window `moves`" in text for text in timelines().get("many", []))

    until(is_kept_back, "the window keeps the incident from being told")
    until(lambda: hook.monitors() == {"others"}, "what the window does not pick is told")
    assert not any("maintenance" in text for text in timelines()["others"])
    # Without the window it is told.
    removed = delete(server, "maintenance/moves", if_match=made.headers["etag"])
    assert removed.status == 200, removed.body
    assert server.get("/v1/calendars").json()["maintenance"] == []
    until(lambda: hook.monitors() == {"many", "others"}, "what was kept back is told")


def test_from_a_csv_file_to_a_board(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    rows = [f"{n},2026-11-01 10:{n:02}:00,{'DE' if n % 3 else 'FR'},{n}.50" for n in range(1, 40)]
    csv = "\n".join(["return_id,returned_at,country,refund", *rows]) + "\n"
    proposed = server.request(
        "POST", "/v1/propose?file_name=Shop%20returns.csv&whole=true", csv.encode(), {"Content-Type": "text/csv"}
    )
    assert proposed.status == 200, proposed.body
    found = proposed.json()
    assert (found["stream"], found["id"], found["time"]) == ("shop_returns", "return_id", "returned_at"), found
    assert (found["lines"], found["rejected"], found["rejections"], found["whole"]) == (39, 0, [], True)
    fields = {one["name"]: one for one in found["fields"]}
    assert fields["refund"]["type"].startswith("decimal") and fields["returned_at"]["type"] == "timestamp", fields
    assert sorted(fields["country"]["examples"]) == ["DE", "FR"]
    # A beginning that ends within a line: the rest of that line is not looked at.
    cut = csv[: csv.rindex(",")].encode()
    partly = server.request("POST", "/v1/propose?file_name=a.csv&stream=other", cut, {"Content-Type": "text/csv"}).json()
    assert (partly["stream"], partly["lines"], partly["rejected"], partly["whole"]) == ("other", 38, 0, False)
    nothing = server.request("POST", "/v1/propose?file_name=a.csv", b"a,b\n1,x\n2,y\n", {"Content-Type": "text/csv"})
    assert "date or time" in problem(nothing, 422, "nothing-proposed")["detail"]
    made = put(server, "files/shop_returns.yaml", found["yaml"], if_none_match="*")
    assert made.status == 201 and made.json()["in_force"], made.body
    taken = server.post("shop_returns", csv, content_type="text/csv")
    assert taken.json()["accepted"] == 39, taken.body
    board = found["board"]
    saved = server.request(
        "PUT", f"/v1/boards/{board['name']}", json.dumps(board["board"]).encode(), {"Content-Type": "application/json"}
    )
    assert saved.status == 201, saved.body
    metric = board["board"]["tiles"][0]["metric"]
    assert metric in metrics(server)
    until(lambda: server.sql(f"select measure({metric}) from shop_returns_by_hour") == [[39]], "all are counted")


def test_a_change_that_would_lose_events_is_put_back(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    assert server.post("orders", ORDERS).json()["accepted"] == 2
    before = texts(server)
    tag = server.get("/v1/definitions/files/test.yaml").headers["etag"]
    narrower = SOUND.replace("country: string", "country: string, weight: int64")
    refused = problem(put(server, "files/test.yaml", narrower, if_match=tag), 422, "bad-definition")
    fault = refused["faults"][0]
    assert "weight" in fault["reason"] and "as it was before" in fault["suggestion"], fault
    assert texts(server) == before
    until(lambda: server.get("/v1/definitions").json()["in_force"], "the older one is in force")
    until(lambda: server.get("/v1/status").json()["definitions"]["errors"] == [], "nothing is refused any more")


def test_of_many_who_change_at_once_each_is_told_and_no_change_is_lost(start):
    server = start(SOUND)
    server.wait_for_line("ready")
    answers = {}

    def save(n):
        answers[n] = put(server, f"monitors/m{n}", f"metric: revenue\ndetect: {{threshold: {{above: {n}}}}}\n").status

    threads = [threading.Thread(target=save, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == dict.fromkeys(range(5), 201)
    assert sorted(monitors(server)) == [f"m{n}" for n in range(5)]
    tag = server.get("/v1/definitions/files/monitors.yaml").headers["etag"]
    texts_sent = [f"# {n}\n{(server.config / 'monitors.yaml').read_text()}" for n in range(4)]
    statuses = []
    threads = [
        threading.Thread(target=lambda text=text: statuses.append(put(server, "files/monitors.yaml", text, if_match=tag).status))
        for text in texts_sent
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412, 412, 412]


def test_a_full_disk_leaves_the_folder_as_it_was(start):
    server = start(SOUND, ready=False)
    server.kill()
    # A limit on the size of files is a full disk to who writes one.
    server.wrapper = ["sh", "-c", 'trap "" XFSZ; exec "$0" "$@"']
    server.start()
    before = texts(server)
    tag = server.get("/v1/definitions/files/test.yaml").headers["etag"]
    long = SOUND + "# note\n" * 5_000
    no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (16 << 10, resource.RLIM_INFINITY))
    problem(put(server, "files/test.yaml", long, if_match=tag), 507, "journal-full")
    problem(put(server, "files/new.yaml", "boards: {}\n" + "# note\n" * 5_000, if_none_match="*"), 507, "journal-full")
    assert texts(server) == before
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, no_limit)
    made = put(server, "files/test.yaml", long, if_match=tag)
    assert made.status == 200 and made.json()["in_force"], made.body
    assert (server.config / "test.yaml").read_text() == long

"""Boards that people save, against the real binary: saved, read back, killed, restored, refused, exported and checked."""

import json
import pathlib
import random
import threading
import urllib.parse

from harness import Server, run, until

JSON = {"Content-Type": "application/json"}
YAML = {"Content-Type": "application/yaml"}

DEFINITIONS = """
streams:
  payments:
    id: id
    time: at
    fields: {id: string, at: timestamp, psp: string, country: string?, ok: bool}
cubes:
  attempts:
    from: payments
    bucket: 1m
    dimensions: [psp, country]
    measures: {n: count(*), approved: count(*) filter (where ok)}
metrics:
  attempt_count: {of: attempts, expr: n, unit: count}
  approved_count: {of: attempts, expr: approved, unit: count}
  approval_rate: {of: attempts, expr: approved / n, unit: percent}
boards:
  ours: {title: {en: Ours}, tiles: [{metric: attempt_count}]}
"""

BOARD = {
    "title": {"en": "Mine", "zh": "我的"},
    "tiles": [{"metric": "approval_rate", "where": {"psp": "adyen"}, "good": "up"}],
    "charts": [{"metric": "attempt_count", "by": "psp", "shape": "stacked", "window": "1h", "width": "full"}],
    "panels": [
        {"kind": "table", "metric": "attempt_count", "by": ["psp", "country"], "also": ["approval_rate"], "top": 20},
        {"kind": "heatmap", "metric": "attempt_count", "weeks": 2},
        {"kind": "funnel", "title": {"en": "F"}, "steps": [{"metric": "attempt_count"}, {"metric": "approved_count"}]},
        {"kind": "sankey", "metric": "attempt_count", "by": ["psp", "country"]},
        {"kind": "gauge", "metric": "approval_rate", "objective": "0.920", "from": 0.5, "to": 1},
        {"kind": "map", "metric": "attempt_count"},
        {"kind": "text", "text": {"en": "one\n\ntwo: #three", "zh": "一"}, "width": "third"},
    ],
    "incidents": False,
}


def put(server, name, board, headers=JSON, **more):
    body = board if isinstance(board, (str, bytes)) else json.dumps(board)
    body = body.encode() if isinstance(body, str) else body
    named = {key.replace("_", "-"): value for key, value in more.items()}
    return server.request("PUT", f"/v1/boards/{name}", body, {**headers, **named})


def yaml_of(server, name):
    answer = server.request("GET", f"/v1/boards/{name}", headers={"Accept": "application/yaml"})
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/yaml"
    return answer.body.decode()


def test_a_saved_board_survives_kill_9_a_backup_and_a_restart(start, tmp_path):
    server = start(DEFINITIONS, "--backups", tmp_path / "backups")
    made = put(server, "mine", BOARD)
    assert made.status == 201, made.body
    board = made.json()
    assert (board["from"], len(board["panels"]), board["incidents"]) == ("catalogue", 7, False)
    assert board["panels"][4] == {
        "kind": "gauge", "metric": "approval_rate", "objective": "0.920", "from": 0.5, "to": 1, "good": "up",
        "title": {"en": "Approval rate"}, "where": {}, "width": "half",
    }
    assert made.headers["etag"] == f'"{board["version"]}"'
    server.kill()
    server.start()
    assert server.get("/v1/boards/mine").json() == board
    # What is answered can be sent back as it is.
    again = put(server, "mine", board, if_match=made.headers["etag"]).json()
    assert again["version"] > board["version"]
    changed = {"version", "changed_at"}
    assert {k: v for k, v in again.items() if k not in changed} == {k: v for k, v in board.items() if k not in changed}
    board = again
    names = [(one["name"], one["from"]) for one in server.get("/v1/boards").json()["boards"]]
    assert names == [("ours", "folder"), ("mine", "catalogue")]
    assert server.request("POST", "/v1/backup", json.dumps({"name": "b"}), JSON).status == 202
    until(lambda: server.get("/v1/backup").json()["backup"]["state"] == "done", "it is backed up")
    assert server.request("DELETE", "/v1/boards/mine").status == 204
    assert server.get("/v1/boards/mine").status == 404
    restored = tmp_path / "restored"
    run("restore", "--from", tmp_path / "backups" / "b", "--data", restored)
    other = Server(server.config, restored).start()
    try:
        assert other.get("/v1/boards/mine").json() == board
        # A version that was given is never given again.
        again = put(other, "mine", BOARD).json()
        assert again["version"] > board["version"]
    finally:
        other.stop()
    server.kill()
    server.start()
    assert server.get("/v1/boards/mine").status == 404, "what was removed stays so"


def test_of_two_who_save_one_is_told(start):
    server = start(DEFINITIONS)
    first = put(server, "mine", BOARD, if_none_match="*")
    assert first.status == 201
    assert put(server, "mine", BOARD, if_none_match="*").status == 412
    tag = first.headers["etag"]
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(put(server, "mine", BOARD, if_match=tag)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] + [412] * 7
    now = server.get("/v1/boards/mine").json()
    for answer in answers:
        told = answer.json()
        assert (told["version"], told["changed_at"]) == (now["version"], now["changed_at"])
    assert server.request("DELETE", "/v1/boards/mine", headers={"If-Match": tag}).status == 412
    current = {"If-Match": f'"{now["version"]}"'}
    assert server.request("DELETE", "/v1/boards/mine", headers=current).status == 204


def test_what_is_exported_is_what_a_folder_takes(start, tmp_path):
    server = start(DEFINITIONS)
    assert put(server, "mine", BOARD).status == 201
    exported = yaml_of(server, "mine")
    folder = tmp_path / "exported"
    folder.mkdir()
    (folder / "definitions.yaml").write_text(DEFINITIONS)
    (folder / "mine.yaml").write_text(exported)
    assert "2 boards" in run("check", "--config", folder).stdout
    # The same text is saved as another board, and shows the same.
    renamed = exported.replace("  mine:\n", "  copy:\n", 1)
    copy = put(server, "copy", renamed, YAML)
    assert copy.status == 201, copy.body
    bare = "\n".join(line[4:] for line in exported.splitlines()[2:])
    assert put(server, "bare", bare, YAML).status == 201
    own = {"name", "version", "changed_at"}
    shown = [
        {key: value for key, value in server.get(f"/v1/boards/{name}").json().items() if key not in own}
        for name in ("mine", "copy", "bare")
    ]
    assert shown[0] == shown[1] == shown[2]
    # A board of the folder is exported as well.
    assert yaml_of(server, "ours").startswith("boards:\n  ours:\n")


def test_the_folder_wins_a_name_and_the_saved_board_is_still_there(start):
    server = start(DEFINITIONS)
    server.wait_for_line("ready")
    assert put(server, "mine", BOARD).status == 201
    refused = put(server, "ours", BOARD)
    assert (refused.status, refused.json()["suggestion"]) == (409, "ours_2")
    assert server.request("DELETE", "/v1/boards/ours").status == 409
    path = pathlib.Path(server.config) / "more.yaml"
    path.write_text("boards: {mine: {title: {en: From the folder}}}\n")
    until(lambda: server.get("/v1/boards/mine").json()["from"] == "folder", "the folder has the name")
    listed = server.get("/v1/boards").json()
    assert [one["name"] for one in listed["boards"]] == ["mine", "ours"]
    assert [one["name"] for one in listed["shadowed"]] == ["mine"]
    saved = server.get("/v1/boards/mine", **{"from": "catalogue"}).json()
    assert saved["title"]["en"] == "Mine"
    path.unlink()
    until(lambda: server.get("/v1/boards/mine").json()["from"] == "catalogue", "it is shown again")
    # A metric that goes leaves the board readable.
    (pathlib.Path(server.config) / "test.yaml").write_text(
        DEFINITIONS.replace("  approved_count: {of: attempts, expr: approved, unit: count}\n", "")
    )
    until(
        lambda: all(one["name"] != "approved_count" for one in server.get("/v1/metrics").json()["metrics"]),
        "the metric is gone",
    )
    assert server.get("/v1/boards/mine").json()["panels"] == saved["panels"]
    told = put(server, "mine", BOARD).json()
    assert [fault["path"] for fault in told["faults"]] == ["panels[2].steps[1].metric"]


def test_faults_hostile_texts_and_limits(start, seed):
    server = start(DEFINITIONS + "limits: {http: {boards_saved_max: 4, board_bytes_max: 16KiB}}\n")
    wrong = {
        "title": {"en": "W"},
        "tiles": [{"metric": "atempt_count"}],
        "panels": [{"kind": "tabel"}, {"kind": "map", "metric": "approval_rate", "by": "contry", "top": 3}],
    }
    answer = put(server, "wrong", wrong)
    assert answer.status == 422
    faults = {fault["path"]: (fault["message"], fault.get("suggestion")) for fault in answer.json()["faults"]}
    assert faults["tiles[0].metric"] == ("there is no metric 'atempt_count'", "did you mean 'attempt_count'?")
    assert faults["panels[0].kind"][1] == "did you mean 'table'?"
    assert faults["panels[1].by"] == ("cube 'attempts' has no dimension 'contry'", "did you mean 'country'?")
    assert faults["panels[1].top"][0] == "unknown key 'top'"
    told = put(server, "wrong", "title: {en: W}\npanels:\n- {kind: heatmap, metric: attempt_count, weeks: 99}\n", YAML)
    (fault,) = told.json()["faults"]
    assert (fault["path"], fault["line"]) == ("panels[0].weeks", 3)

    for name in ["", "No", "a b", "1a", "a-b", "../x", "%2e%2e", "a" * 64, "中", "a%00b", "a;drop table boards"]:
        path = name if "%" in name else urllib.parse.quote(name, safe="")
        answer = put(server, path, {"title": {"en": "T"}})
        assert answer.status in (404, 405, 422), (name, answer.status, answer.body)
    hostile = [
        "<script>alert(1)</script>", "'; drop table boards; --", "{{7*7}}", "=cmd|' /C calc'!A0", "\u202egnp.exe", "a: &a [*a]",
        "!!python/object:os.system", "- x\n- y", "---\nboards: {}", "\\", '"', "null", "no", "a\u2028b", "😀" * 50,
    ]
    for text in hostile:
        board = {"title": {"en": text}, "tiles": [{"metric": "attempt_count", "where": {"psp": text}}],
                 "panels": [{"kind": "text", "text": {"en": text}}]}
        assert put(server, "hostile", board).status in (200, 201), text
        shown = server.get("/v1/boards/hostile").json()
        assert (shown["title"]["en"], shown["tiles"][0]["where"]["psp"]) == (text, text)
        assert put(server, "hostile", yaml_of(server, "hostile"), YAML).status == 200, text
        assert server.get("/v1/boards/hostile").json()["panels"][0]["text"]["en"] == text
    card = "4111 1111 1111 1111"
    masked = put(server, "hostile", {"title": {"en": f"card {card}"}})
    assert masked.status == 200 and card not in masked.body.decode()
    assert card not in server.get("/v1/boards").body.decode()

    nest = "[" * 5000 + "]" * 5000
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"b{n}: &b{n} [{','.join([f'*{before}'] * 10)}]\n"
        for n, before in enumerate(["a"] + [f"b{n}" for n in range(8)])
    )
    alias = "title: {en: T}\npanels:\n- &p {kind: text, text: {en: '" + "x" * 3000 + "'}}\n" + "- *p\n" * 50
    random_bytes = random.Random(seed).randbytes(2000)
    odd = [
        (nest, JSON, (400,)), (nest, YAML, (422,)), (bomb, YAML, (422,)), (alias, YAML, (413,)), (random_bytes, JSON, (400,)),
        (random_bytes, YAML, (400, 422)), ("", JSON, (400,)), ("", YAML, (422,)), ('{"title":{"en":1}}', JSON, (422,)),
        ("x" * 20_000, JSON, (413,)), ('{"title":null}', JSON, (422,)), ("{}", {"Content-Type": "text/plain"}, (415,)),
    ]
    for body, headers, expected in odd:
        answer = put(server, "odd", body, headers)
        assert answer.status in expected, (body[:60], headers, answer.status, answer.body[:300])
    many = {"title": {"en": "M"}, "tiles": [{"metric": "attempt_count"}] * 61}
    assert "at most 60" in put(server, "many", many).json()["faults"][0]["message"]
    for name in ("a", "b", "c"):
        assert put(server, name, BOARD).status == 201
    full = put(server, "d", BOARD)
    assert full.status == 409 and "boards_saved_max" in full.json()["detail"]
    assert put(server, "c", BOARD).status == 200
    assert server.get("/readyz").status == 200


def test_a_page_elsewhere_and_somebody_without_a_token_change_nothing(start):
    token = "0123456789abcdef0123"
    server = start(DEFINITIONS, env={"TILLWATCH_TOKEN": token}, ready=False)
    allowed = {"Authorization": f"Bearer {token}"}
    until(lambda: server.request("GET", "/readyz").status == 200, "it is ready")
    assert put(server, "mine", BOARD).status == 401
    assert put(server, "mine", BOARD, {**JSON, **allowed, "Origin": "https://evil.example"}).status == 403
    assert put(server, "mine", BOARD, {**JSON, **allowed}).status == 201
    assert server.request("DELETE", "/v1/boards/mine").status == 401
    cross = {**allowed, "Sec-Fetch-Site": "cross-site"}
    assert server.request("DELETE", "/v1/boards/mine", headers=cross).status == 403
    assert server.request("GET", "/v1/boards/mine", headers=allowed).status == 200

"""Access tokens with roles, against the real binary: made, used, revoked while it serves, expired, after a restart, and never shown."""

import http.client
import json
import queue
import re
import threading
import time

import pytest

from harness import DEADLINE_S, run, until

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
ROLES = ("ingest", "read", "operate", "admin")
TOKEN = re.compile(r"twt_[0-9a-f]{64}")

DEFINITIONS = """
streams:
  orders: {id: id, time: at, fields: {id: string, at: timestamp, ok: bool}}
cubes:
  all: {from: orders, bucket: 1m, measures: {n: count(*)}}
metrics:
  orders: {of: all, expr: n}
boards:
  ours: {title: {en: Ours}, tiles: [{metric: orders}]}
"""


def create(data, name, role, *more, check=True):
    return run("token", "create", "--name", name, "--role", role, "--data", data, *more, check=check)


def token_of(done):
    text = done.stdout.strip()
    assert TOKEN.fullmatch(text), done.stdout
    return text


def call(server, method, path, token=None, body=None, headers=JSON):
    allowed = {"Authorization": f"Bearer {token}"} if token else {}
    answer = server.request(method, path, body, {**headers, **allowed})
    slug = answer.json()["type"].rsplit("/", 1)[1] if answer.status >= 400 else None
    return answer.status, slug


class Stream:
    """Live incidents by a token, until the server ends them."""

    def __init__(self, server, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
        self.connection.request("GET", "/v1/incidents/live", headers={"Authorization": f"Bearer {token}"})
        answer = self.connection.getresponse()
        assert answer.status == 200, answer.read()
        self.lines = queue.Queue()
        threading.Thread(target=self._pump, args=(answer,), daemon=True).start()
        assert self.lines.get(timeout=DEADLINE_S) == "event: snapshot"

    def _pump(self, answer):
        for line in answer:
            self.lines.put(line.decode().strip())
        self.lines.put(None)

    def wait_for_end(self):
        end = time.monotonic() + DEADLINE_S
        while self.lines.get(timeout=DEADLINE_S) is not None:
            assert time.monotonic() < end, "only heartbeats come"


def test_each_role_may_what_it_is_for_before_and_after_a_restart(start, tmp_path):
    data = tmp_path / "data"
    tokens = {role: token_of(create(data, role, role)) for role in ROLES}
    server = start(DEFINITIONS)
    board = json.dumps({"title": {"en": "Mine"}})
    event = json.dumps({"id": "1", "at": "2026-11-30T12:00:00Z", "ok": True})
    calls = [
        ("GET", "/v1/access", None, JSON, ROLES),
        ("POST", "/v1/streams/orders/events", event, NDJSON, ("ingest", "operate", "admin")),
        ("GET", "/v1/status", None, JSON, ("read", "operate", "admin")),
        ("GET", "/v1/metrics/orders", None, JSON, ("read", "operate", "admin")),
        ("GET", "/v1/boards", None, JSON, ("read", "operate", "admin")),
        ("GET", "/v1/incidents", None, JSON, ("read", "operate", "admin")),
        ("GET", "/metrics", None, JSON, ("read", "operate", "admin")),
        ("POST", "/v1/sql", '{"sql":"select 1"}', JSON, ("read", "operate", "admin")),
        ("PUT", "/v1/boards/mine", board, JSON, ("operate", "admin")),
        ("POST", "/v1/streams/orders/quarantine/replay", "", JSON, ("operate", "admin")),
        ("POST", "/v1/incidents/none/note", '{"note":"x"}', JSON, ("operate", "admin")),
        ("DELETE", "/v1/silences/1", None, JSON, ("operate", "admin")),
        ("POST", "/v1/backup", "{}", JSON, ("admin",)),
        ("POST", "/v1/verify", "{}", JSON, ("admin",)),
        ("POST", "/v1/maintain", "", JSON, ("admin",)),
    ]

    def check_all():
        for method, path, body, headers, may in calls:
            assert call(server, method, path, None, body, headers) == (401, "token-missing"), path
            for role, token in tokens.items():
                status, slug = call(server, method, path, token, body, headers)
                if role in may:
                    assert status not in (401, 403, 500), (method, path, role, status, slug)
                else:
                    assert (status, slug) == (403, "role-insufficient"), (method, path, role)
        for path in ("/healthz", "/readyz", "/openapi.json", "/"):
            assert server.request("GET", path).status == 200, path

    check_all()
    allowed = {"Authorization": f"Bearer {tokens['operate']}"}
    told = server.request("GET", "/v1/access", headers=allowed).json()
    assert told == {
        "required": True, "name": "operate", "role": "operate", "may": ["read", "ingest", "operate"], "expires_at": None,
    }
    assert server.request("GET", "/v1/boards/mine", headers=allowed).json()["by"] in ("operate", "admin")
    server.kill()
    server.start()
    check_all()
    assert server.stop() == 0
    # Nothing that was written or printed holds a token.
    everything = "".join(server.output) + run("token", "list", "--data", data).stdout
    everything += run("token", "list", "--data", data, "--json").stdout
    assert not TOKEN.search(everything)
    for file in data.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(token.encode() in content for token in tokens.values()), file


def test_tokens_are_made_and_revoked_while_the_server_serves(start):
    server = start(DEFINITIONS, "--log", "info")
    assert call(server, "GET", "/v1/status") == (200, None)
    open_to_all = server.get("/v1/access").json()
    assert open_to_all["required"] is False and open_to_all["role"] == "admin"
    ann = token_of(create(server.data, "ann", "operate"))
    bob = token_of(create(server.data, "bob", "read"))
    until(lambda: call(server, "GET", "/v1/status") == (401, "token-missing"), "tokens are asked for")
    until(lambda: call(server, "GET", "/v1/status", bob) == (200, None), "the second is known")
    streams = [Stream(server, ann), Stream(server, bob)]

    def tokens():
        listed = json.loads(run("token", "list", "--data", server.data, "--json").stdout)["tokens"]
        return {token["name"]: token for token in listed}

    until(lambda: tokens()["bob"]["last_used_at"], "its use is noted", pause_s=0.5)
    run("token", "revoke", "ann", "--data", server.data)
    streams[0].wait_for_end()
    assert call(server, "GET", "/v1/status", ann) == (401, "token-revoked")
    assert call(server, "GET", "/v1/status", bob) == (200, None)
    assert {name: token["state"] for name, token in tokens().items()} == {"ann": "revoked", "bob": "valid"}
    # The name is free again, for another token.
    again = token_of(create(server.data, "ann", "read"))
    until(lambda: call(server, "GET", "/v1/status", again) == (200, None), "the new one is known")
    assert call(server, "GET", "/v1/status", ann) == (401, "token-revoked")
    run("token", "revoke", "ann", "--data", server.data)
    run("token", "revoke", "bob", "--data", server.data)
    streams[1].wait_for_end()
    # With the last one nothing falls open, nor at the next start.
    assert call(server, "GET", "/v1/status") == (401, "token-missing")
    assert server.stop() == 0
    server.start()
    assert call(server, "GET", "/v1/status") == (401, "token-missing")


def test_a_token_is_over_when_it_says(start):
    server = start(DEFINITIONS)
    ann = token_of(create(server.data, "ann", "admin", "--expires", "90d"))
    brief = token_of(create(server.data, "brief", "read", "--expires", "15s"))
    # Before the server has looked, it asks for no token, and any would do.
    until(lambda: call(server, "GET", "/v1/status") == (401, "token-missing"), "a token is required")
    assert call(server, "GET", "/v1/status", brief) == (200, None)
    stream = Stream(server, brief)
    stream.wait_for_end()
    assert call(server, "GET", "/v1/status", brief) == (401, "token-expired")
    told = server.request("GET", "/v1/access", headers={"Authorization": f"Bearer {ann}"}).json()
    assert told["expires_at"].startswith("20"), told
    listed = json.loads(run("token", "list", "--data", server.data, "--json").stdout)["tokens"]
    assert [token["state"] for token in listed] == ["valid", "expired"]


def test_the_environment_has_an_admin_token_as_ever(start):
    token = "0123456789abcdef0123"
    server = start(DEFINITIONS, env={"TILLWATCH_TOKEN": token})
    told = server.request("GET", "/v1/access", headers={"Authorization": f"Bearer {token}"}).json()
    assert (told["role"], told["name"], told["required"]) == ("admin", None, True)
    shop = token_of(create(server.data, "shop", "ingest"))
    until(lambda: call(server, "GET", "/v1/access", shop) == (200, None), "both are taken")
    assert call(server, "POST", "/v1/maintain", token) == (202, None)


def test_beyond_loopback_an_admin_token_of_the_data_folder_will_do(tmp_path):
    config = tmp_path / "definitions"
    config.mkdir()
    (config / "test.yaml").write_text(DEFINITIONS)
    data = tmp_path / "data"
    # An address that no machine has: what is allowed fails only then, and nothing listens.
    serve = ("serve", "--config", config, "--data", data, "--listen", "192.0.2.1:7878")
    refused = run(*serve, check=False)
    assert refused.returncode == 1 and "tillwatch token create" in refused.stderr, refused.stderr
    assert not data.exists(), "a start that is refused leaves nothing behind"
    create(data, "ann", "operate")
    assert "tillwatch token create" in run(*serve, check=False).stderr
    create(data, "root", "admin")
    assert "cannot listen on 192.0.2.1:7878" in run(*serve, check=False).stderr
    run("token", "revoke", "root", "--data", data)
    assert "tillwatch token create" in run(*serve, check=False).stderr


@pytest.mark.parametrize(
    "args, told",
    [
        (("create", "--name", "a b", "--role", "read"), "letters, digits"),
        (("create", "--name", "4111111111111111", "--role", "read"), "no card number"),
        (("create", "--name", "a", "--role", "read", "--expires", "0s"), "of no use"),
        (("create", "--name", "a", "--role", "read", "--expires", "400000000d"), ""),
        (("revoke", "nobody"), "there is no token 'nobody'; there are: taken"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, args, told):
    create(tmp_path / "data", "taken", "read")
    refused = run("token", *args, "--data", tmp_path / "data", check=False)
    assert refused.returncode in (1, 2) and told in refused.stderr, refused.stderr
    assert refused.stdout == ""


def test_tokens_are_bounded_and_a_name_is_one(tmp_path):
    data, config = tmp_path / "data", tmp_path / "definitions"
    config.mkdir()
    (config / "test.yaml").write_text(DEFINITIONS + "limits: {http: {tokens_max: 2, token_name_chars_max: 5}}\n")
    limited = ("--config", config)
    create(data, "a", "read", *limited)
    taken = create(data, "a", "read", *limited, check=False)
    assert taken.returncode == 1 and "there is a token 'a'" in taken.stderr
    long = create(data, "abcdef", "read", *limited, check=False)
    assert long.returncode == 1 and "token_name_chars_max" in long.stderr
    create(data, "b", "read", *limited)
    full = create(data, "c", "read", *limited, check=False)
    assert full.returncode == 1 and "tokens_max" in full.stderr
    run("token", "revoke", "b", "--data", data)
    create(data, "c", "read", *limited)
    nothing = run("token", "list", "--data", tmp_path / "nothing", check=False)
    assert nothing.returncode == 1 and "no data folder" in nothing.stderr
    assert not (tmp_path / "nothing").exists()

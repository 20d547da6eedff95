"""A backup of a running server holds what was acknowledged before it, and starts with the same figures."""

import json
import pathlib
import shutil
import threading

from harness import Server, run, until
from test_history import definitions, event, flushed, send

CUBE = "select bucket, shop, measure(n), measure(amount) from per_hour group by bucket, shop order by 1, 2"
TOTALS = "select shop, count(*), sum(amount) from orders group by shop order by shop"
JSON = {"Content-Type": "application/json"}


def url(server):
    return f"http://127.0.0.1:{server.port}"


def test_a_backup_of_a_server_that_takes_events_all_the_time_starts_with_what_was_acknowledged(start, tmp_path):
    backups = tmp_path / "backups"
    server = start(definitions(), "--backups", backups)
    send(server, 0, 3000)
    flushed(server)
    acknowledged, failed, stop = [3000], [], threading.Event()

    def keep_sending():
        while not stop.is_set():
            first = acknowledged[0]
            answer = server.post("orders", [event(i) for i in range(first, first + 20)])
            if answer.status != 200:
                failed.append(answer.body)
                return
            acknowledged[0] = first + 20

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        until(lambda: acknowledged[0] > 3200, "events come")
        before = acknowledged[0]
        done = run("backup", "--server", url(server), "--name", "one")
        after = acknowledged[0] + 20
    finally:
        stop.set()
        sender.join()
    assert failed == []
    assert str(backups / "one") in done.stdout, done.stdout
    last = server.get("/v1/backup").json()["backup"]
    assert (last["state"], last["name"], last["fault"]) == ("done", "one", None), last
    # The server goes on, and what it removes or changes is not missing in the backup.
    send(server, 10_000, 12_000)
    flushed(server)
    assert server.stop() == 0
    run("maintain", "--config", server.config, "--data", server.data)

    restored = tmp_path / "restored"
    run("restore", "--from", backups / "one", "--data", restored)
    other = Server(server.config, restored)
    try:
        other.start()
        count = other.scalar("select count(*) from orders")
        assert before <= count <= after, (before, count, after)
        # All of them, in the order they were sent, each once, and in the cube as well.
        assert other.scalar("select count(distinct id) from orders") == count
        assert other.scalar("select measure(n) from per_hour") == count
        answer = other.post("orders", [event(i) for i in range(0, before)]).json()
        assert (answer["accepted"], answer["duplicates"]) == (0, before), answer
        assert other.stop() == 0
    finally:
        if other.process.poll() is None:
            other.kill()
    report = run("verify", "--config", server.config, "--data", restored, "--all", "--json")
    assert json.loads(report.stdout)["ok"], report.stdout


def test_a_backup_of_a_folder_nobody_has_open_gives_the_same_figures(start, tmp_path):
    server = start(definitions())
    send(server, 0, 2000)
    refused = run(
        "backup", "--config", server.config, "--data", server.data, "--out", tmp_path / "b", check=False
    )
    assert refused.returncode == 1 and not (tmp_path / "b").exists(), refused.stderr
    figures = server.sql(CUBE), server.sql(TOTALS)
    server.kill()
    run("backup", "--config", server.config, "--data", server.data, "--out", tmp_path / "b")
    # Nothing of the old folder is needed any more.
    shutil.rmtree(server.data)
    run("restore", "--from", tmp_path / "b", "--data", server.data)
    server.start()
    assert (server.sql(CUBE), server.sql(TOTALS)) == figures
    send(server, 2000, 2100)
    assert server.scalar("select count(*) from orders") == 2100
    # What came since is not in the backup, which can be restored again.
    again = run("restore", "--from", tmp_path / "b", "--data", tmp_path / "again")
    assert "files" in again.stdout


def test_a_damaged_backup_and_a_folder_in_use_are_refused(start, tmp_path):
    server = start(definitions())
    send(server, 0, 500)
    assert server.stop() == 0
    backup = tmp_path / "b"
    run("backup", "--config", server.config, "--data", server.data, "--out", backup)
    full = run("restore", "--from", backup, "--data", server.data, check=False)
    assert full.returncode == 1 and "not empty" in full.stderr, full.stderr
    twice = run(
        "backup", "--config", server.config, "--data", server.data, "--out", backup, check=False
    )
    assert twice.returncode == 1 and "already" in twice.stderr, twice.stderr
    (file, *_) = sorted((backup / "history").rglob("*.parquet"))
    whole = file.read_bytes()
    file.unlink()
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    damaged = run("restore", "--from", backup, "--data", tmp_path / "new", check=False)
    assert damaged.returncode == 1 and "damaged" in damaged.stderr, damaged.stderr
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.unfinished").exists()
    (backup / "manifest.json").unlink()
    none = run("restore", "--from", backup, "--data", tmp_path / "new", check=False)
    assert none.returncode == 1 and "no backup" in none.stderr, none.stderr
    wrong = run("restore", "--from", backup, check=False)
    assert wrong.returncode == 2


def test_a_caller_cannot_write_anywhere(start, tmp_path):
    server = start(definitions())
    answer = server.request("POST", "/v1/backup", "{}", JSON)
    assert answer.status == 409 and "--backups" in answer.json()["detail"], answer.body
    server.kill()
    server.extra = ("--backups", tmp_path / "backups")
    server.start()
    assert server.get("/v1/backup").json() == {"backup": None}
    for name in ["../x", "/tmp/x", "", "a/b", ".."]:
        answer = server.request("POST", "/v1/backup", json.dumps({"name": name}), JSON)
        assert answer.status == 400, (name, answer.body)
    assert server.request("POST", "/v1/backup", "{}", JSON).status == 202
    until(lambda: server.get("/v1/backup").json()["backup"]["state"] == "done", "it is done")
    (made,) = (tmp_path / "backups").iterdir()
    assert (pathlib.Path(made) / "manifest.json").is_file()

"""Announcements to real receivers: a mail server with TLS and a login, and Alertmanager."""

import datetime
import http.client
import json
import threading

import pytest

from harness import until
from receivers import Alertmanager, Authority, MailServer

HOSTILE = "<img src=x onerror=alert(1)>\r\nBcc: eve@example.com"


def definitions(channels, notify, monitors=(("many", "critical"),)):
    more = "".join(
        f"""
  {name}:
    metric: orders
    by: [psp]
    detect: {{threshold: {{above: 100, window: 2s}}}}
    direction: up
    severity: {severity}
    resolve_after: 4s
    notify: [{notify}]
"""
        for name, severity in monitors
    )
    return f"""
limits: {{process: {{lateness_ms: 1s, source_idle_ms: 2s}}}}
streams:
  orders:
    id: id
    time: at
    fields: {{id: string, at: timestamp, psp: string}}
cubes:
  per_second:
    from: orders
    bucket: 1s
    dimensions: [psp]
    measures: {{orders: count(*)}}
metrics:
  orders: {{of: per_second, expr: orders, unit: count}}
monitors:
{more}
channels:
{channels}
"""


class Traffic:
    """Orders of now, ten times a second: few of one PSP all the time, and many while `many` is set."""

    def __init__(self, server, psp="adyen"):
        self.server = server
        self.psp = psp
        self.many = threading.Event()
        self.stopping = threading.Event()
        self.number = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(0.1):
            now = datetime.datetime.now(datetime.timezone.utc).isoformat()
            count = 20 if self.many.is_set() else 1
            orders = []
            for _ in range(count):
                self.number += 1
                orders.append({"id": f"o{self.number}", "at": now, "psp": self.psp})
            # A server that is being killed answers nothing, which is the test's affair.
            try:
                self.server.post("orders", orders)
            except (OSError, http.client.HTTPException):
                pass

    def stop(self):
        self.stopping.set()
        self.thread.join()


@pytest.fixture
def traffic():
    running = []

    def begin(server, **more):
        running.append(Traffic(server, **more))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


@pytest.fixture
def receivers():
    running = []

    def begin(receiver):
        running.append(receiver)
        return receiver.start()

    yield begin
    for each in running:
        each.stop()


def incidents(server):
    answer = server.get("/v1/incidents")
    return answer.json()["incidents"] if answer.status == 200 else []


def delivered(server):
    """How many deliveries the newest incident's timeline tells of."""
    return [entry["kind"] for entry in incidents(server)[0]["timeline"]].count("delivered")


def act(server, incident, action):
    path = f"/v1/incidents/{incident['id']}/{action}"
    headers = {"Content-Type": "application/json"}
    answer = server.request("POST", path, json.dumps({"by": "ada"}), headers)
    assert answer.status == 200, answer.body


def test_a_mail_server_takes_every_transition_over_starttls_with_a_login(start, traffic, receivers, tmp_path):
    authority = Authority(tmp_path)
    mail = receivers(MailServer(authority, "till", "pass word"))
    channels = f"""
  mail:
    kind: email
    host: localhost
    port: {mail.port}
    user: till
    password: "env:TILL_MAIL_PASSWORD"
    from: "Tillwatch <tillwatch@example.com>"
    to: [ada@example.com, bo@example.com]
    allow_private: true
"""
    secrets = {"TILL_MAIL_PASSWORD": "pass word", "SSL_CERT_FILE": str(authority.authority)}
    server = start(definitions(channels, "mail"), "--public-url", "https://till.example", env=secrets)
    orders = traffic(server, psp=HOSTILE)
    orders.many.set()
    until(lambda: len(mail.mails) >= 2, "the opening arrives")
    act(server, incidents(server)[0], "acknowledge")
    until(lambda: len(mail.mails) >= 4, "the acknowledgement arrives")
    orders.many.clear()
    until(lambda: any("Resolved" in each["Subject"] for each in mail.mails), "the end arrives")
    until(lambda: len(mail.mails) % 2 == 0, "both recipients have it")
    incident = incidents(server)[0]
    heads = []
    for each in mail.mails:
        assert each.is_tls and each.user == "till"
        assert each["Bcc"] is None and each["Auto-Submitted"] == "auto-generated"
        assert each["To"] == "ada@example.com, bo@example.com"
        assert incident["id"] in each["References"]
        assert "\n" not in each["Subject"]
        heads.append(each["Subject"].split("]")[0] + "]")
        html = each.body("html")
        assert "<img" not in html and "&lt;img src=x onerror=alert(1)&gt;" in html
        assert "https://till.example/" in html and "https://till.example/" in each.body("plain")
    assert heads[0::2] == heads[1::2], heads
    assert heads[0] == "[Critical · Opened]" and "[Critical · Acknowledged]" in heads
    assert [each.to for each in mail.mails[:2]] == [["ada@example.com"], ["bo@example.com"]]
    ids = {each["Message-ID"] for each in mail.mails}
    assert len(ids) == len(mail.mails) // 2, "one id for each transition"
    until(lambda: delivered(server) == len(ids), "the timeline tells of each")

    def settled():
        (channel,) = server.get("/v1/status").json()["channels"]
        assert (channel["name"], channel["kind"], channel["error"]) == ("mail", "email", None), channel
        return channel["pending"] == 0 and channel["last_delivered_at"]

    until(settled, "the status tells of the deliveries")
    assert b"pass word" not in "".join(server.output).encode()


def test_a_mail_server_with_tls_from_the_beginning(start, traffic, receivers, tmp_path):
    authority = Authority(tmp_path)
    mail = receivers(MailServer(authority, "till", "pass word", is_implicit=True))
    channels = f"""
  mail:
    kind: email
    host: localhost
    port: {mail.port}
    tls: implicit
    user: till
    password: "env:TILL_MAIL_PASSWORD"
    from: tillwatch@example.com
    to: [ada@example.com]
    allow_private: true
"""
    secrets = {"TILL_MAIL_PASSWORD": "pass word", "SSL_CERT_FILE": str(authority.authority)}
    server = start(definitions(channels, "mail"), env=secrets)
    orders = traffic(server)
    orders.many.set()
    until(lambda: mail.mails, "the mail arrives")
    assert mail.mails[0].user == "till"


def test_a_certificate_of_nobody_known_is_refused_and_the_mail_waits(start, traffic, receivers, tmp_path):
    authority, other = Authority(tmp_path), tmp_path / "other"
    other.mkdir()
    mail = receivers(MailServer(Authority(other)))
    channels = f"""
  mail:
    kind: email
    host: localhost
    port: {mail.port}
    from: tillwatch@example.com
    to: [ada@example.com]
    allow_private: true
"""
    server = start(definitions(channels, "mail"), env={"SSL_CERT_FILE": str(authority.authority)})
    orders = traffic(server)
    orders.many.set()
    until(lambda: incidents(server), "the incident opens")
    # The first attempt and the one after about five seconds.
    threading.Event().wait(8)
    assert mail.mails == []
    assert delivered(server) == 0


def test_a_mail_waits_through_kill_9_while_the_mail_server_is_away(start, traffic, receivers):
    mail = MailServer()
    channels = f"""
  mail:
    kind: email
    host: 127.0.0.1
    port: {mail.port}
    tls: none
    from: tillwatch@example.com
    to: [ada@example.com]
    language: zh
    allow_private: true
"""
    server = start(definitions(channels, "mail"))
    orders = traffic(server)
    orders.many.set()
    until(lambda: incidents(server), "the incident opens")
    server.kill()
    receivers(mail)
    server.start()
    until(lambda: mail.mails, "the mail arrives after all", deadline_s=120)
    assert mail.mails[0]["Subject"].startswith("[严重 · 触发]")
    opened = incidents(server)[0]
    orders.many.clear()
    until(lambda: len(mail.mails) > 1, "the end arrives", deadline_s=120)
    openings = [each for each in mail.mails if each["Subject"].startswith("[严重 · 触发]")]
    assert len(openings) == 1, [each["Subject"] for each in mail.mails]
    assert opened["id"] in mail.mails[-1]["References"]


def test_incidents_that_open_together_are_one_mail(start, traffic, receivers):
    mail = receivers(MailServer())
    channels = f"""
  mail:
    kind: email
    host: 127.0.0.1
    port: {mail.port}
    tls: none
    from: tillwatch@example.com
    to: [ada@example.com]
    group_wait: 8s
    allow_private: true
"""
    # Of one cause, but the second is more urgent, so that both are told.
    server = start(definitions(channels, "mail", (("many", "warning"), ("more", "critical"))))
    orders = traffic(server)
    orders.many.set()
    until(lambda: mail.mails, "the mail arrives")
    assert mail.mails[0]["Subject"] == "[Critical] 2 messages about incidents"
    text = mail.mails[0].body("plain")
    assert text.count("Critical · Opened") == 1 and text.count("Warning · Opened") == 1, text


def test_what_two_monitors_see_of_one_cause_is_told_once(start, traffic, receivers):
    mail = receivers(MailServer())
    channels = f"""
  mail:
    kind: email
    host: 127.0.0.1
    port: {mail.port}
    tls: none
    from: tillwatch@example.com
    to: [ada@example.com]
    group_wait: 1s
    allow_private: true
"""
    server = start(definitions(channels, "mail", (("many", "critical"), ("more", "critical"))))
    orders = traffic(server)
    orders.many.set()
    both = until(lambda: len(incidents(server)) == 2 and incidents(server), "both monitors have one")
    leader, part = sorted(both, key=lambda one: one["part_of"] is not None)
    assert part["part_of"] == leader["id"] and leader["parts"] == [part["id"]], both
    orders.many.clear()
    until(lambda: all(one["state"] == "resolved" for one in incidents(server)), "both are over")
    until(lambda: len(mail.mails) >= 2, "its begin and its end are told")
    texts = [one.body("plain") for one in mail.mails]
    assert all(leader["id"] in text and part["id"] not in text for text in texts), texts


def test_an_alertmanager_has_the_alert_as_long_as_the_incident_lives(start, traffic, receivers, tmp_path):
    manager = receivers(Alertmanager(tmp_path))
    channels = f"""
  alerts: {{kind: alertmanager, url: "{manager.url}", allow_private: true}}
"""
    server = start(definitions(channels, "alerts"), "--public-url", "https://till.example")
    orders = traffic(server)
    orders.many.set()
    alert = until(manager.alerts, "the alert is there")[0]
    incident = incidents(server)[0]
    assert alert["status"]["state"] == "active"
    assert alert["labels"] == {
        "alertname": "many",
        "direction": "up",
        "incident": incident["id"],
        "metric": "orders",
        "psp": "adyen",
        "severity": "critical",
    }
    assert alert["generatorURL"] == "https://till.example/"
    assert alert["annotations"]["summary"].startswith("orders on psp=adyen rose to")

    def later():
        alerts = manager.alerts()
        assert len(alerts) == 1, alerts
        return alerts[0]["endsAt"] > alert["endsAt"] and alerts[0]

    again = until(later, "it is sent again", deadline_s=90)
    assert again["fingerprint"] == alert["fingerprint"]
    # A restart of the server leaves it as it is, and it goes on being sent.
    server.kill()
    server.start()
    assert len(manager.alerts()) == 1
    orders.many.clear()
    until(lambda: not manager.alerts(), "the alert is over", deadline_s=120)
    until(lambda: delivered(server) == 2, "the timeline tells of the begin and the end, and of no more")

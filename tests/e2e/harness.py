"""The real binary as a test sees it: started on a free port, asked over HTTP, killed without mercy."""

import contextlib
import http.client
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(
    os.environ.get("TILLWATCH_BIN", ROOT / "target" / "release" / "tillwatch")
)
DEADLINE_S = 60


class Answer:
    """One HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def until(condition, what, deadline_s=DEADLINE_S, pause_s=0.02):
    """Waits until `condition()` is true and returns its value; fails with `what` at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(pause_s)


def run(*args, check=True, env=None, input=None, cwd=None):
    """Runs the binary to its end."""
    done = subprocess.run(
        [str(BINARY), *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        input=input,
        cwd=cwd,
        timeout=300,
    )
    if check:
        assert done.returncode == 0, f"{args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


class Server:
    """`tillwatch serve` (or another long-running command) on a free port."""

    def __init__(self, config, data, *extra, command="serve", env=None):
        self.config = pathlib.Path(config)
        self.data = pathlib.Path(data)
        self.command = command
        self.extra = extra
        self.env = env or {}
        # What to start it with, such as another clock.
        self.wrapper = []
        self.process = None
        self.lines = None
        self.output = []
        self.port = None

    def spawn(self):
        """Starts the process and does not wait for anything."""
        if self.command == "serve":
            args = ["serve", "--config", self.config, "--data", self.data]
        else:
            args = [self.command, "--data", self.data]
        self.process = subprocess.Popen(
            [
                *self.wrapper,
                str(BINARY),
                *map(str, args),
                "--listen",
                "127.0.0.1:0",
                *map(str, self.extra),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **self.env},
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._pump, args=(self.process, self.lines), daemon=True).start()

    def start(self, ready=True, deadline_s=DEADLINE_S):
        self.spawn()
        line = self.wait_for_line(r"http://127\.0\.0\.1:(\d+)", deadline_s)
        self.port = int(line.group(1))
        if ready:
            until(lambda: self.get("/readyz").status == 200, "the server is ready")
        return self

    def _pump(self, process, lines):
        for line in process.stdout:
            self.output.append(line)
            lines.put(line)
        lines.put(None)

    def wait_for_line(self, pattern, deadline_s=DEADLINE_S):
        end = time.monotonic() + deadline_s
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line {pattern!r} in:\n{''.join(self.output)}") from None
            if line is None:
                raise AssertionError(f"ended before {pattern!r}:\n{''.join(self.output)}")
            found = re.search(pattern, line)
            if found:
                return found

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ctrl-C; returns the exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not stop within 30 s:\n{''.join(self.output[-50:])}") from None

    def request(self, method, path, body=None, headers=None, timeout_s=DEADLINE_S):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            return self.request("GET", f"{path}?{query}" if query else path)
        except OSError as error:
            return Answer(0, {}, str(error).encode())

    def post(self, stream, body, content_type="application/x-ndjson", **headers):
        if isinstance(body, list):
            body = "".join(json.dumps(event) + "\n" for event in body)
        if isinstance(body, str):
            body = body.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "POST",
            f"/v1/streams/{stream}/events",
            body,
            {"Content-Type": content_type, **named},
        )

    def sql(self, text):
        """The rows of a question; fails if it is refused."""
        answer = self.request(
            "POST", "/v1/sql", json.dumps({"sql": text}), {"Content-Type": "application/json"}
        )
        assert answer.status == 200, f"{text}\n{answer.body.decode()}"
        return answer.json()["rows"]

    def scalar(self, text):
        """The only figure of a question."""
        return self.sql(text)[0][0]


class Live:
    """A client of server-sent events; events are collected as (name, document, monotonic time)."""

    def __init__(self, server, path):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
        self.connection.request("GET", path, headers={"Accept": "text/event-stream"})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.events = queue.Queue()
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self):
        name, data = None, []
        with contextlib.suppress(OSError, ValueError, AttributeError):
            for line in self.answer:
                line = line.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif not line and data:
                    self.events.put((name, json.loads("\n".join(data)), time.monotonic()))
                    name, data = None, []

    def next(self, name, deadline_s=DEADLINE_S):
        end = time.monotonic() + deadline_s
        while True:
            try:
                event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no event {name!r} within {deadline_s} s") from None
            if event[0] == name:
                return event

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.sock and self.connection.sock.close()
            self.connection.close()

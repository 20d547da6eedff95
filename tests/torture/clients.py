"""Clients that send until somebody pulls the plug, and send again what was not answered."""

import http.client
import json
import random
import threading

from traffic import make_batch

# What a server says that takes nothing now; the batch is sent again later.
REFUSALS = {429, 503, 507}


class Client:
    """One connection that sends batches, one after another, and remembers which was not answered."""

    def __init__(self, name, stream, rng, oracle, numbers):
        self.name = name
        self.stream = stream
        self.rng = rng
        self.oracle = oracle
        self.numbers = numbers
        # Sent and not answered: whether it is there nobody knows.
        self.open = None
        self.answered = []
        self.fault = None
        self.refused = 0

    def run(self, port, stop, only_open=False):
        """Sends until `stop` is set or the connection breaks. A wrong answer stands in `fault`."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while not stop.is_set() and (self.open or not only_open):
                if not self._step(connection):
                    return
        except (OSError, http.client.HTTPException):
            return
        except BaseException as fault:
            self.fault = fault
        finally:
            connection.close()

    def _step(self, connection):
        if self.open:
            self.oracle.totals.add("events resent", self.open.size)
            return self._send(connection, self.open, None)
        if self.answered and self.rng.random() < 0.15:
            # On purpose: what was acknowledged long ago, or just now.
            return self._send(connection, self.rng.choice(self.answered), 0)
        batch = make_batch(self.rng, self.stream, next(self.numbers))
        self.oracle.add(batch)
        self.open = batch
        return self._send(connection, batch, batch.size)

    def _send(self, connection, batch, accepted):
        """Sends one batch; `accepted` is how many must be new, when that is known."""
        connection.request(
            "POST",
            f"/v1/streams/{batch.stream}/events",
            batch.body,
            {"Content-Type": batch.content_type, **batch.headers},
        )
        answer = connection.getresponse()
        text = answer.read()
        if answer.status in REFUSALS:
            self.refused += 1
            return False
        assert answer.status == 200, (answer.status, text)
        receipt = json.loads(text)
        every = batch.size + batch.repeated
        assert receipt["accepted"] + receipt["duplicates"] == every, (batch.number, receipt)
        # Of a batch that was not answered all events are new or none.
        if accepted is None:
            assert receipt["accepted"] in (0, batch.size), (batch.number, receipt)
        else:
            assert receipt["accepted"] == accepted, (batch.number, receipt)
        assert receipt["rejected"] == batch.rejected, (batch.number, receipt)
        if not batch.acknowledged:
            self.oracle.totals.add("events acknowledged", batch.size)
            self.oracle.totals.add("lines rejected", batch.rejected)
            batch.acknowledged = True
        if batch is self.open:
            self.open = None
            self.answered.append(batch)
        return True


class Crowd:
    """Several clients at work at the same time."""

    def __init__(self, seed, oracle, numbers):
        # Two clients share a stream, so that their requests meet in one group.
        self.clients = [
            Client(f"{stream}-{at}", stream, random.Random(f"{seed}-{stream}-{at}"), oracle, numbers)
            for at, stream in enumerate(["orders", "orders", "refunds", "readings", "readings"])
        ]
        self.stop = None
        self.threads = []

    def begin(self, port, only_open=False):
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=client.run, args=(port, self.stop, only_open))
            for client in self.clients
        ]
        for thread in self.threads:
            thread.start()

    def end(self):
        """Waits for all to see the end of their connection, or to finish what they send."""
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=90)
            assert not thread.is_alive(), "a client got neither an answer nor an end"
        for client in self.clients:
            if client.fault:
                raise AssertionError(f"client {client.name}: {client.fault!r}") from client.fault

    def settle(self, port):
        """Sends what was not answered, and nothing new, to a server that lives."""
        self.begin(port, only_open=True)
        for thread in self.threads:
            thread.join(timeout=90)
        self.end()
        assert not any(client.open for client in self.clients), "not taken by a server that lives"

    @property
    def acknowledged(self):
        return sum(len(client.answered) for client in self.clients)

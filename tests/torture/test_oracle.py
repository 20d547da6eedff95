"""The oracle itself: it notices what it is there to notice."""

import itertools
import json
import random

import pytest

from oracle import Oracle, Totals
from traffic import definitions, make_batch


@pytest.fixture
def filled(serving, tmp_path):
    """A server, the oracle of what it was sent, and the batches."""
    server = serving(definitions(False), tmp_path / "data")
    server.start()
    oracle = Oracle(Totals())
    rng = random.Random(7)
    numbers = itertools.count(1)
    batches = [make_batch(rng, stream, next(numbers)) for stream in oracle.batches for _ in range(5)]
    for batch in batches:
        oracle.add(batch)
        post(server, batch)
        batch.acknowledged = True
    oracle.check(server)
    oracle.check_every_event(server)
    return server, oracle, batches


def post(server, batch, **headers):
    path = f"/v1/streams/{batch.stream}/events"
    sent = {"Content-Type": batch.content_type, **batch.headers, **headers}
    answer = server.request("POST", path, batch.body, sent)
    assert answer.status == 200, answer.body
    return answer.json()


def test_the_oracle_notices_a_lost_batch(filled):
    server, oracle, batches = filled
    server.kill()
    # The end of the journal, as if it had never been synced.
    last = max((server.data / "journal").glob("*.segment"))
    last.write_bytes(last.read_bytes()[:-1])
    server.start()
    with pytest.raises(AssertionError, match="'lost'"):
        oracle.check(server)
    assert oracle.totals.counts["events lost"] == batches[-1].size
    with pytest.raises(AssertionError, match="one by one"):
        oracle.check_every_event(server)


def test_the_oracle_notices_a_batch_that_counts_twice(filled):
    server, oracle, batches = filled
    # Under another key it is another request.
    post(server, batches[-1], **{"Idempotency-Key": "another"})
    with pytest.raises(AssertionError, match="'doubled'"):
        oracle.check(server)
    assert oracle.totals.counts["events doubled"] == batches[-1].size


def test_the_oracle_notices_events_that_nobody_sent_and_money_that_differs(filled):
    server, oracle, batches = filled
    batch = batches[0]
    batch.cents["EUR"] = batch.cents.get("EUR", 0) + 1
    with pytest.raises(AssertionError, match="money"):
        oracle.check(server)
    assert oracle.totals.counts["money differing"] == 1
    batch.cents["EUR"] -= 1
    stranger = make_batch(random.Random(8), "orders", 999)
    post(server, stranger)
    with pytest.raises(AssertionError, match="nobody sent"):
        oracle.check(server)


def test_a_batch_that_was_not_acknowledged_may_be_missing_but_not_in_part(filled):
    server, oracle, _ = filled
    missing = make_batch(random.Random(9), "orders", 998)
    oracle.add(missing)
    oracle.check(server)
    whole = next(make_batch(random.Random(n), "orders", 997) for n in range(100) if big(n))
    oracle.add(whole)
    event = next(
        event
        for line in whole.body.decode().splitlines()
        if (event := json.loads(line))["id"] != "bad"
    )
    answer = server.post("orders", [event])
    assert answer.json()["accepted"] == 1, answer.body
    with pytest.raises(AssertionError, match="'lost'"):
        oracle.check(server)


def big(n):
    """Whether the batch by this number is one of several lines of JSON."""
    batch = make_batch(random.Random(n), "orders", 997)
    return batch.size > 1 and batch.content_type == "application/x-ndjson"

"""The state's store against a server that answers badly."""

import pytest
from faulty import faulty, whole

from provisioner import backoff
from provisioner.client import Client
from provisioner.errors import ApiError, ProvisionerError, UnclearError
from provisioner.model import Record
from provisioner.settings import Target
from provisioner.state import StateStore

THERE = whole(400, '{"error": {"type": "resource_already_exists_exception", "reason": "index [x] already exists"}}')
CUT = whole(400, '{"error": {"type": "resource_alr')
OK, CREATED = whole(200, "{}"), whole(201, "{}")
RECORD = Record("monitor", "acme-x", "id", "s", "t")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(backoff.waits, "__defaults__", (5, 0.001, 0.001, None))


def store(server):
    return StateStore(Client(Target("t", (server.url,), timeout=5)), "acme")


def bulk(*results):
    items = ", ".join(f'{{"index": {{"status": {status}, "error": {{"reason": "no"}}}}}}' for status in results)
    return whole(200, f'{{"items": [{items}]}}')


def test_an_index_that_is_there_is_fine_however_much_of_the_answer_arrives():
    for answer in (THERE, CUT):
        with faulty(*([answer, OK] if answer is CUT else [answer]), CREATED) as server:
            store(server).prepare("00")
            assert [method for method, _ in server.seen][-1] == "PUT"
    with faulty(CUT, whole(404, "{}")) as server, pytest.raises(ApiError):
        store(server).prepare("00")


def test_an_item_that_is_refused_for_the_moment_is_sent_again():
    done = whole(200, '{"items": [{"index": {"status": 201}}]}')
    with faulty(bulk(429), bulk(503), done) as server:
        store(server).write([RECORD])
        assert len(server.seen) == 3
    with faulty(bulk(503)) as server, pytest.raises(UnclearError, match="was not written: no"):
        store(server).write([RECORD])
    with faulty(bulk(429, 400)) as server:
        with pytest.raises(ProvisionerError, match="was not written: no"):
            store(server).write([RECORD])
        assert len(server.seen) == 1

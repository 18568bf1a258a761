"""One step against a server that answers badly: what is sent again, what is looked up first, and whose it then is."""

import json

import pytest
from faulty import faulty, whole

from provisioner import backoff
from provisioner.client import Client
from provisioner.errors import ProvisionerError
from provisioner.kinds import all_kinds
from provisioner.known import Known
from provisioner.model import Action, Change, Facts, Index, Live
from provisioner.settings import Target
from provisioner.step import Step

MARKED = {"processors": [], "description": "Tail; provisioner owner=acme"}
BARE = {"processors": []}
ABSENT = whole(404, "{}")
OK = whole(200, '{"acknowledged": true}')
LOST = whole(503, "")


class Cluster:
    """What a step needs of a cluster."""

    def __init__(self, url):
        self.client = Client(Target("t", (url,), timeout=5))
        self.kinds = all_kinds()

    def governing(self, _):
        return None

    def overwrites(self, kind):
        return kind == "ingest_pipeline"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(backoff, "BASE", 0.0)
    monkeypatch.setattr(backoff.waits, "__defaults__", (5, 0.001, 0.001, None))


def known(**what):
    return Known("acme", "00" * 16, 1, {}, {}, {}, **what)


def step(server, change, body=MARKED, held=lambda: True):
    return Step(change, Cluster(server.url), known(), body, held)


def create(body=MARKED, kind="ingest_pipeline"):
    return Change(Action.CREATE, kind, "acme-tail", "new", after=body)


def standing(body):
    return whole(200, json.dumps({"acme-tail": body}))


def writes(server):
    return [method for method, _ in server.seen if method not in ("GET", "HEAD")]


def test_what_somebody_made_since_the_plan_is_not_overwritten():
    with faulty(standing(BARE), OK) as server:
        with pytest.raises(ProvisionerError, match="was made by someone since"):
            step(server, create()).run()
        assert writes(server) == []


def test_after_an_unclear_answer_it_is_looked_up_and_written_only_if_missing():
    with faulty(ABSENT, LOST, ABSENT, OK) as server:
        assert step(server, create()).run().attempts == 2
        assert [method for method, _ in server.seen] == ["GET", "PUT", "GET", "PUT"]


def test_what_is_found_without_our_mark_is_not_ours_unless_ours_bears_none():
    script = (ABSENT, LOST, standing(BARE), OK)
    with faulty(*script) as server:
        tried = step(server, create())
        with pytest.raises(ProvisionerError, match="made by someone meanwhile"):
            tried.run()
        assert tried.unclear
        assert writes(server) == ["PUT"]
    with faulty(*script) as server:
        assert step(server, create(BARE), BARE).run().attempts == 2


def test_after_a_clear_refusal_what_is_found_is_never_ours_without_a_mark():
    with faulty(ABSENT, whole(429, "{}"), standing(BARE), OK) as server:
        tried = step(server, create(BARE), BARE)
        with pytest.raises(ProvisionerError, match="made by someone meanwhile"):
            tried.run()
        assert not tried.unclear


@pytest.mark.parametrize("status", [400, 409])
def test_exists_already_after_an_unclear_answer_means_that_it_took_effect_late(status):
    taken = whole(status, '{"error": {"type": "illegal_argument_exception", "reason": "already exists"}}')
    none = whole(200, '{"component_templates": []}')
    ours = {"template": {}, "_meta": {"managed_by": "provisioner", "owner": "acme"}}
    found = whole(200, json.dumps({"component_templates": [{"name": "acme-tail", "component_template": ours}]}))
    with faulty(LOST, none, taken, found, OK) as server:
        assert step(server, create(ours, "component_template"), ours).run().attempts == 3
        assert writes(server) == ["PUT", "PUT", "PUT"]
    with faulty(taken) as server:  # a clear answer to the first try is one
        with pytest.raises(ProvisionerError, match="already exists"):
            step(server, create(ours, "component_template"), ours).run()
        assert writes(server) == ["PUT"]


def test_without_the_lock_nothing_is_tried_and_nothing_tried_again():
    with faulty(OK) as server:
        with pytest.raises(ProvisionerError, match="the lock was lost"):
            step(server, create(), held=lambda: False).run()
        assert server.seen == []
    answers = iter([True, False])
    with faulty(ABSENT, LOST, ABSENT, OK) as server:
        with pytest.raises(ProvisionerError, match="the lock was lost"):
            step(server, create(), held=lambda: next(answers)).run()
        assert writes(server) == ["PUT"]


def test_a_server_that_asks_for_time_gets_it(monkeypatch):
    slept = []
    monkeypatch.setattr("provisioner.step.time.sleep", slept.append)
    with faulty(ABSENT, whole(429, "{}", Retry_After="2"), ABSENT, OK) as server:
        step(server, create()).run()
    assert slept == [2.0]


class Governing:
    """Notes what is rolled out."""

    def __init__(self):
        self.told = []

    def roll_out(self, _, key):
        self.told.append(key)


@pytest.mark.parametrize("held", [True, False])
def test_a_policy_made_anew_is_rolled_out_where_indices_hold_a_copy_of_one_that_had_its_name(held):
    governing = Governing()
    change = create()
    facts = Facts(indices={change.ref: (Index("i1", 0, 0, 0),)} if held else {})
    with faulty(ABSENT, OK) as server:
        cluster = Cluster(server.url)
        cluster.governing = lambda _: governing
        Step(change, cluster, known(facts=facts), MARKED, lambda: True).run()
    assert governing.told == (["acme-tail"] if held else [])


def test_adopting_a_policy_rolls_it_out_where_indices_hold_an_older_copy():
    live = Live("ingest_pipeline", "acme-tail", MARKED, "acme-tail", stale=("i1",))
    governing = Governing()
    with faulty(standing(MARKED)) as server:
        cluster = Cluster(server.url)
        cluster.governing = lambda _: governing
        change = Change(Action.ADOPT, live.kind, live.key, "adopted", after=MARKED, live=live)
        Step(change, cluster, known(), MARKED, lambda: True).run()
    assert governing.told == ["acme-tail"]


def test_a_plain_500_ends_the_step_and_may_have_taken_effect():
    with faulty(ABSENT, whole(500, "{}")) as server:
        tried = step(server, create())
        with pytest.raises(ProvisionerError):
            tried.run()
        assert writes(server) == ["PUT"]
        assert tried.unclear

"""No secret in anything that a plan leaves behind: text, JSON, Markdown, the plan's file, digests, risks, errors."""

import dataclasses
import io
import os
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from provisioner import diff, fingerprint, plan, planfile, secretrefs
from provisioner.errors import ConflictError
from provisioner.kinds import all_kinds
from provisioner.known import Known
from provisioner.model import Action, Document, Live, Options, Origin, Record, Resource
from provisioner.report import json as as_json
from provisioner.report import markdown, text

SALT = "5a" * 16
PATHS = {name: kind.secret_paths for name, kind in all_kinds().items()}
SECRETS = {f"NO_SECRET_{n}": f's3cret{n}-Hunter-ü"{n}\\' for n in range(4)}
FOREIGN = "0f-somebody-Else"
"""A secret that somebody put into the cluster by hand: nobody ever refers to it."""
REFERENCES = st.sampled_from([f"${{env:{name}}}" for name in SECRETS])
ORIGIN = Origin("rules/channels.yml", 3, 1)


@pytest.fixture(autouse=True, scope="module")
def environment():
    with mock.patch.dict(os.environ, SECRETS):
        yield


def texts(secret):
    """A text with one secret, alone or within."""
    return st.builds(
        "{}{}{}".format, st.sampled_from(["", "Bearer ", "https://h/"]), secret, st.sampled_from(["", "/x"])
    )


def bodies(secret):
    """Bodies of the kinds that hold secrets, at every place where these may stand."""
    plain = st.sampled_from(["one", "two"])
    headers = st.dictionaries(st.sampled_from(["X-Key", "Authorization"]), texts(secret), max_size=2)
    webhook = st.fixed_dictionaries({"url": texts(secret), "header_params": headers})
    chat = st.fixed_dictionaries({"url": texts(secret)})
    channels = [st.fixed_dictionaries({"webhook": webhook, "name": plain, "is_enabled": st.booleans()})]
    channels += [st.fixed_dictionaries({type_: chat, "name": plain}) for type_ in ("slack", "chime", "microsoft_teams")]
    users = st.fixed_dictionaries({"password": texts(secret), "backend_roles": st.lists(plain, max_size=2)})
    destination = st.one_of(*(st.fixed_dictionaries({type_: chat}) for type_ in ("slack", "chime", "custom_webhook")))
    destination |= st.fixed_dictionaries({"custom_webhook": st.fixed_dictionaries({"header_params": headers})})
    policies = st.builds(_policy, destination, destination)
    kinds = {"channel": st.one_of(channels), "user": users, "ism_policy": policies}
    return st.one_of(*(st.tuples(st.just(kind), made) for kind, made in kinds.items()))


def _policy(error, action):
    """With the destinations that policies had before there were channels."""
    states = [{"name": "hot", "actions": [{"notification": {"destination": action}}]}]
    return {"error_notification": {"destination": error}, "default_state": "hot", "states": states}


@st.composite
def situations(draw):
    """One object: what is wanted, what was sent, what is there now; each may be missing, and any may differ."""
    kind, after = draw(bodies(REFERENCES))
    same = bodies(REFERENCES).filter(lambda made: made[0] == kind).map(lambda made: made[1])
    by_hand = bodies(st.just(FOREIGN)).filter(lambda made: made[0] == kind).map(lambda made: made[1])
    sent = draw(st.one_of(st.none(), st.just(after), same))
    shown = secretrefs.resolve(sent if sent is not None else after)
    there = draw(st.one_of(st.none(), st.just(shown), by_hand, same.map(secretrefs.resolve)))
    return kind, draw(st.sampled_from([after, None])), sent, shown, there


def known(kind, sent, shown, there, owner):
    """All that planning knows of the one object."""
    paths = PATHS[kind]
    records, blobs = {}, {}
    if sent is not None:
        masked = fingerprint.masked(shown, paths, SALT)
        blobs = {fingerprint.of(sent): sent, fingerprint.of(masked): masked}
        secrets = secretrefs.fingerprints(secretrefs.references(sent), SALT)
        document = {"body": sent}
        blobs[fingerprint.of(document)] = document
        record = Record(kind, "acme-x", "x", *list(blobs)[:3], secrets=secrets)
        records = {record.ref: record}
    live = {} if there is None else {(kind, "acme-x"): Live(kind, "acme-x", there, "x", owner=owner)}
    return Known("acme", SALT, 1, records, live, PATHS, blobs=blobs)


def printed(planned, resources, options):
    """Everything that a person or a machine gets to see of a plan, and what is kept of it."""
    yield as_json.dumps(as_json.plan(planned))
    yield markdown.plan(planned, "production", now=0)
    for width in (60, 200):
        console = Console(file=io.StringIO(), width=width, force_terminal=True)
        console.print(*text.plan(planned, width, 0), sep="\n")
        yield console.file.getvalue()
    yield planfile.dump(planned, resources, options, "production", None)
    for change in planned.changes:
        yield repr(dataclasses.replace(change, live=None))  # what the cluster holds is held in memory, and nowhere else


def forms(secret):
    """A secret as it is, and as JSON or a string in Python would write it."""
    return {secret, as_json.dumps(secret)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1]}


HIDDEN = frozenset().union(*map(forms, [*SECRETS.values(), FOREIGN]))


def leaks(words):
    return [form for form in HIDDEN if form in words]


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
@given(situations(), st.sampled_from(["acme", None, "other"]), st.booleans(), st.booleans())
def test_no_report_and_no_file_of_a_plan_holds_a_secret(situation, owner, prune, adopt):
    kind, after, sent, shown, there = situation
    found = known(kind, sent, shown, there, owner)
    document = Document(kind, "x", {"body": after}, {(): ORIGIN})
    resources = [] if after is None else [Resource(kind, "acme-x", after, ORIGIN, document=document)]
    options = Options(prune=prune, adopt=adopt)
    try:
        planned = plan.build(resources, found, options)
    except ConflictError as error:
        assert leaks(f"{error.message} {error.hint} {error!r}") == []
        return
    for words in printed(planned, resources, options):
        assert leaks(words) == []
    drift = [dataclasses.replace(planned, changes=tuple(plan.explain(diff.drifted(found), found)))]
    for words in printed(drift[0], [], options):
        assert leaks(words) == []


def test_the_search_finds_what_it_is_to_find():
    """A plan that holds a secret in clear is noticed in each of the forms."""
    for secret in (SECRETS["NO_SECRET_1"], FOREIGN):
        body = {"slack": {"url": f"https://h/{secret}"}}
        resource = Resource("channel", "acme-x", body, ORIGIN, document=Document("channel", "x", body, {(): ORIGIN}))
        sent = {"slack": {"url": "https://h/"}}
        found = known("channel", sent, sent, sent, "acme")
        planned = plan.build([resource], found)
        assert planned.count(Action.UPDATE) == 1
        outputs = list(printed(planned, [resource], Options()))
        assert [bool(leaks(words)) for words in outputs] == [True] * len(outputs)

"""Which changes are warned of, in which words, and which are not."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import risks, source
from provisioner.compile import Compiler
from provisioner.model import Action, Change, Index, Live
from provisioner.quantities import UNKNOWN
from provisioner.settings import Settings, Target
from provisioner.terms import Held

ROOT = Path(__file__).parents[3]
READ = source.load(ROOT, {"replicas": 1})
PACK = Compiler(ROOT, Settings("acme", Target("tests", ("http://127.0.0.1:9",), vars={"replicas": 1})), READ)
DAY = 86_400_000
NOW = 1_800_000_000_000


def body(kind, id_):
    """A body as the starter pack has it; a copy, to be changed."""
    return json.loads(json.dumps(PACK.resource(READ.documents[kind, id_]).body))


def update(kind, before, after, **more):
    """A change of what stands in the cluster as it was sent."""
    return Change(
        Action.UPDATE, kind, "acme-x", "changed", None, None, after, live=Live(kind, "x", before, "1"), **more
    )


def delete(kind, shown, **more):
    return Change(Action.DELETE, kind, "acme-x", "gone", before=shown, live=Live(kind, "x", shown, "1"), **more)


def monitor(*triggers, **more):
    """Triggers by id, with the channel that each has."""
    return {
        "type": "monitor",
        "enabled": True,
        "triggers": [
            {
                "query_level_trigger": {
                    "id": f"acme:{id_}",
                    "name": id_.title(),
                    "actions": [{"id": "a", "destination_id": channel}] if channel else [],
                }
            }
            for id_, channel in triggers
        ],
    } | more


A, B = ("login", "acme-slack"), ("sudo", "acme-slack")


class TestMonitors:
    def test_a_deleted_rule_closes_its_alerts_and_no_longer_detects(self):
        assert risks.of(delete("monitor", monitor(A, B))) == (
            "closes alerts: those of acme:login (Login), acme:sudo (Sudo)",
            "disables detection: the rule is deleted",
        )

    def test_a_rule_that_was_off_detects_nothing_anyway(self):
        assert risks.of(delete("monitor", monitor(A, enabled=False))) == ("closes alerts: those of acme:login (Login)",)

    def test_a_trigger_that_goes_closes_its_alerts(self):
        assert risks.of(update("monitor", monitor(A, B), monitor(B))) == ("closes alerts: those of acme:login (Login)",)

    def test_a_new_name_of_a_trigger_closes_nothing(self):
        renamed = monitor(A)
        renamed["triggers"][0]["query_level_trigger"]["name"] = "Something else"
        assert risks.of(update("monitor", monitor(A), renamed)) == ()

    def test_switched_off(self):
        assert risks.of(update("monitor", monitor(A), monitor(A, enabled=False))) == (
            "disables detection: the rule is switched off",
        )
        assert risks.of(update("monitor", monitor(A, enabled=False), monitor(A))) == ()

    def test_the_cluster_counts_and_not_what_was_sent(self):
        """Somebody switched a rule on, and applying switches it off again."""
        change = Change(
            Action.UPDATE,
            "monitor",
            "acme-x",
            "drifted",
            before=monitor(A, enabled=False),
            after=monitor(A, enabled=False),
            live=Live("monitor", "x", monitor(A, B), "1"),
        )
        assert risks.of(change) == (
            "closes alerts: those of acme:sudo (Sudo)",
            "disables detection: the rule is switched off",
        )

    def test_what_was_sent_counts_where_the_cluster_shows_nothing(self):
        change = Change(Action.UPDATE, "monitor", "acme-x", "changed", before=monitor(A), after=monitor())
        assert risks.of(change)[0] == "closes alerts: those of acme:login (Login)"
        assert risks.of(change, shown=monitor()) == ()

    def test_a_rule_without_any_channel_is_silent(self):
        assert risks.of(update("monitor", monitor(A), monitor(("login", None)))) == (
            "silences notifications: its alerts are no longer sent to acme-slack",
        )
        assert risks.of(update("monitor", monitor(A), monitor(("login", "acme-mail")))) == ()

    def test_a_rule_of_the_pack_keeps_its_alerts_over_any_other_change(self):
        before, after = body("rule", "brute-force-login"), body("rule", "brute-force-login")
        (trigger,) = (t["bucket_level_trigger"] for t in after["triggers"])
        trigger["condition"]["script"]["params"]["needed"] = 500
        trigger["name"] = after["name"] = "another"
        assert risks.of(update("monitor", before, after)) == ()

    def test_triggers_of_the_old_form(self):
        old = {"enabled": True, "triggers": [{"id": "t1", "name": "Old", "actions": []}]}
        assert risks.of(update("monitor", old, monitor(A))) == ("closes alerts: those of t1 (Old)",)


def test_what_is_gone_already_is_no_risk():
    for kind in ("monitor", "channel", "data_stream", "ism_policy", "ingest_pipeline"):
        assert risks.of(Change(Action.DELETE, kind, "acme-x", "gone", before=monitor(A))) == ()


@pytest.mark.parametrize("action", [Action.NONE, Action.ADOPT])
def test_what_changes_nothing_is_no_risk(action):
    live = Live("monitor", "x", monitor(A), "1")
    assert risks.of(Change(action, "monitor", "x", "", before=monitor(A), after=monitor(), live=live)) == ()


@pytest.mark.parametrize(
    ("kind", "id_"),
    [
        ("rule", "brute-force-login"),
        ("channel", "slack"),
        ("retention", "authentication"),
        ("redaction", "redaction"),
        ("ingest_pipeline", "normalize"),
        ("index_template", "authentication"),
        ("data_stream", "authentication"),
        ("schema", "event"),
    ],
)
def test_the_pack_anew_or_as_it_is_warns_of_nothing(kind, id_):
    resource = PACK.resource(READ.documents[kind, id_])
    assert risks.of(Change(Action.CREATE, resource.kind, resource.key, "new", after=resource.body)) == ()
    assert risks.of(update(resource.kind, resource.body, resource.body)) == ()


class TestChannels:
    on, off = {"is_enabled": True, "config_type": "slack"}, {"is_enabled": False, "config_type": "slack"}

    def test_switched_off_or_deleted(self):
        assert risks.of(update("channel", self.on, self.off)) == (
            "silences notifications: the channel is switched off",
        )
        assert risks.of(delete("channel", self.on)) == ("silences notifications: the channel is deleted",)

    def test_off_already(self):
        assert risks.of(update("channel", self.off, self.off)) == ()
        assert risks.of(update("channel", self.off, self.on)) == ()
        assert risks.of(delete("channel", self.off)) == ()


def policy(days, patterns=("logs-x-*",)):
    """Hot until `days` after the rollover, and then gone; None: never."""
    transitions = [{"state_name": "delete", "conditions": {"min_rollover_age": f"{days}d"}}] if days else []
    return {
        "default_state": "hot",
        "states": [
            {"name": "hot", "actions": [{"rollover": {"min_index_age": "1d"}}], "transitions": transitions},
            {"name": "delete", "actions": [{"delete": {}}], "transitions": []},
        ],
        "ism_template": [{"index_patterns": list(patterns), "priority": 1}],
    }


def index(age, documents=1000):
    return Index(f".ds-{age}", documents, 1_000_000, NOW - (age + 1) * DAY, NOW - age * DAY)


INDICES = (index(10), index(100), index(200))


def held(copy, indices):
    """Indices that follow this copy of a policy, in its first state since their creation."""
    return tuple(
        Held(i.name, i.documents, i.bytes, i.created, i.rolled_over, copy, copy["default_state"], i.created)
        for i in indices
    )


class TestPolicies:
    def test_a_shorter_term(self):
        assert risks.of(update("ism_policy", policy(365), policy(30))) == ("shortens retention: 365 days → 30 days",)
        assert risks.of(update("ism_policy", policy(30), policy(365))) == ()

    def test_the_policy_last_sent_counts_too_since_indices_may_still_hold_it(self):
        by_hand = Change(
            Action.UPDATE,
            "ism_policy",
            "x",
            "changed, drifted",
            before=policy(365),
            after=policy(30),
            live=Live("ism_policy", "x", policy(30), "x"),
        )
        assert risks.of(by_hand) == ("shortens retention: 365 days → 30 days",)
        assert risks.doomed(by_hand, INDICES, NOW) == INDICES[1:]

    def test_data_that_goes_soon(self):
        change = update("ism_policy", policy(365), policy(30))
        found = risks.doomed(change, INDICES, NOW)
        assert found == INDICES[1:]
        change = update("ism_policy", policy(365), policy(30), doomed=found)
        assert risks.of(change) == (
            "deletes data: 2,000 documents, 2.0 MB in 2 indices, at once or soon",
            "shortens retention: 365 days → 30 days",
        )

    def test_no_longer_deleting(self):
        assert risks.of(update("ism_policy", policy(30), policy(None))) == (
            "stops retention: the policy deletes no index any more",
        )
        assert risks.of(update("ism_policy", policy(30), policy(30, ["logs-y-*"]))) == (
            "stops retention: new indices of logs-x-* are no longer taken up",
        )
        assert risks.of(delete("ism_policy", policy(30))) == ("stops retention: new indices of logs-x-* live for ever",)
        assert risks.of(delete("ism_policy", policy(None))) == ()
        assert risks.of(update("ism_policy", policy(None), policy(None, ["logs-y-*"]))) == ()

    def test_deleting_or_prolonging_a_policy_deletes_no_data(self):
        assert risks.doomed(delete("ism_policy", policy(30)), INDICES, NOW) == ()
        assert risks.doomed(update("ism_policy", policy(30), policy(365)), INDICES, NOW) == ()

    def test_a_new_policy_over_indices_that_none_governed(self):
        change = Change(Action.CREATE, "ism_policy", "x", "new", after=policy(30))
        assert risks.doomed(change, INDICES, NOW) == INDICES[1:]

    def test_indices_that_outlived_their_policy_follow_its_copy_until_they_are_told_otherwise(self):
        kept = held(policy(365), INDICES)
        new = Change(Action.CREATE, "ism_policy", "x", "new", after=policy(30))
        assert risks.doomed(new, kept, NOW) == kept[1:]
        assert risks.doomed(new, held(policy(30), INDICES), NOW) == ()  # as they would have been anyway

    def test_adopting_a_policy_reaches_those_that_are_behind_it(self):
        live = Live("ism_policy", "x", policy(30), "x", stale=(".ds-100",))
        adopted = Change(Action.ADOPT, "ism_policy", "x", "adopted", after=policy(30), live=live)
        indices = (*held(policy(30), INDICES[:1]), *held(policy(365), INDICES[1:2]), *held(policy(30), INDICES[2:]))
        found = risks.doomed(adopted, indices, NOW)
        assert found == indices[1:2]
        assert risks.of(replace(adopted, doomed=found)) == (
            "deletes data: 1,000 documents, 1.0 MB in 1 index, at once or soon",
        )
        assert risks.of(adopted) == ()

    def test_closed_indices_are_lost_data_too(self):
        closed = (replace(INDICES[2], documents=UNKNOWN, bytes=UNKNOWN),)
        warned = "closed or unavailable, size unknown"
        assert risks.of(update("ism_policy", policy(365), policy(30), doomed=closed))[0] == (
            f"deletes data: 1 index ({warned}), at once or soon"
        )
        assert risks.of(delete("data_stream", {"template": "t"}, doomed=closed)) == (
            f"deletes data: 1 index ({warned})",
        )

    def test_the_pack_as_the_server_shows_it(self):
        sent = body("retention", "authentication")
        shown = json.loads(json.dumps(sent))
        shown["ism_template"] = [{**item, "last_updated_time": 1} for item in shown["ism_template"]]
        for state in shown["states"]:
            for action in state["actions"]:
                action["retry"] = {"count": 12, "backoff": "constant", "delay": "1h"}
        assert risks.of(update("ism_policy", shown, sent)) == ()
        assert risks.of(delete("ism_policy", shown)) == (
            f"stops retention: new indices of {sent['ism_template'][0]['index_patterns'][0]} live for ever",
        )


class TestDataStreams:
    def test_a_deletion_says_what_is_lost(self):
        change = delete("data_stream", {"template": "t"})
        assert risks.doomed(change, INDICES, NOW) == INDICES
        assert risks.of(delete("data_stream", {"template": "t"}, doomed=INDICES)) == (
            "deletes data: 3,000 documents, 3.0 MB in 3 indices",
        )

    def test_an_empty_one_loses_nothing_and_an_unknown_one_everything(self):
        assert risks.of(delete("data_stream", {"template": "t"}, doomed=(index(1, 0),))) == ()
        assert risks.of(delete("data_stream", {"template": "t"})) == ("deletes data: whatever the data stream holds",)

    def test_nothing_else_dooms_them(self):
        assert risks.doomed(update("data_stream", {}, {}), INDICES, NOW) == ()
        assert risks.doomed(delete("index_template", {}), INDICES, NOW) == ()


ROLE = {
    "cluster_permissions": ["cluster:monitor/*"],
    "index_permissions": [
        {
            "index_patterns": ["logs-*"],
            "allowed_actions": ["read"],
            "dls": "q",
            "fls": ["~x"],
            "masked_fields": ["y::z"],
        }
    ],
    "tenant_permissions": [{"tenant_patterns": ["t"], "allowed_actions": ["kibana_all_read"]}],
}


def redaction():
    """The pack's pipeline without the text of its script, and tables of three rows: the whole is too long to print."""
    script = deepcopy(body("redaction", "redaction"))["processors"][-1]["script"]
    for name, table in script["params"].items():
        if isinstance(table, dict):
            script["params"][name] = dict(list(table.items())[:3])
    return {"processors": [{"script": script | {"source": "x"}}]}


SEEDS = [
    ("monitor", body("rule", "brute-force-login")),
    ("channel", body("channel", "slack")),
    ("ingest_pipeline", redaction()),
    ("index_template", body("index_template", "authentication")),
    ("data_stream", body("data_stream", "authentication")),
    ("role", ROLE),
    ("role_mapping", {"users": ["a"], "hosts": [], "backend_roles": ["b"], "and_backend_roles": ["c"]}),
    ("user", {"backend_roles": ["a"], "opendistro_security_roles": ["b"]}),
]
STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def paths(value, path=()):
    """Every place in a body."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from paths(item, (*path, key))


def replaced(value, path, other):
    if not path:
        return other
    made = value.copy()
    made[path[0]] = replaced(value[path[0]], path[1:], other)
    return made


@st.composite
def mutations(draw):
    """A real body, and the same with something strange in one place."""
    kind, seed = draw(st.sampled_from(SEEDS))
    path = draw(st.sampled_from(list(paths(seed))[1:]))
    return kind, seed, replaced(seed, path, draw(STRANGE))


@given(mutations(), st.booleans(), st.sampled_from(list(Action)))
def test_bodies_of_any_form_are_looked_at_without_a_fall(mutation, backwards, action):
    kind, before, after = mutation
    if backwards:
        before, after = after, before
    wanted = None if action is Action.DELETE else after
    change = Change(action, kind, "x", "", before=before, after=wanted, live=Live(kind, "x", before, "1"))
    for risk in risks.of(change):
        mark, words = risk.split(": ", 1)
        assert mark in risks.MARKS
        assert words
    assert risks.of(update(kind, after, after)) == ()

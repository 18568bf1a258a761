"""From documents and what they become to the cases of their tests."""

import pytest

from provisioner.errors import ProvisionerError
from provisioner.model import Document, Origin, Resource
from provisioner.ruletest import cases
from provisioner.source import Source

EVENTS = [{"rule": "two", "repeat": 2}, {}]
TESTS = [{"name": "t", "events": EVENTS, "expect": []}]
DELEGATES = [{"order": 2, "monitor_id": "@o-both-one"}, {"order": 1, "monitor_id": "@o-both-two"}]
WORKFLOW = {"inputs": [{"composite_input": {"sequence": {"delegates": DELEGATES}}}]}


def rule(id_, **body):
    said = {"type": "threshold", "log_type": "audit", "schedule": "1m", "query": f"action:{id_}", **body}
    return Document("rule", id_, said, {(): Origin(f"{id_}.yml")})


BOTH = rule("both", type="correlation", correlation={"rules": ["one", "two"]}, tests=TESTS, log_type="network")
RULES = [BOTH, rule("one"), rule("two", log_type="system")]


def made(rules, *resources):
    return list(cases.cases(Source({("rule", each.id): each for each in rules}, ()), resources))


def monitor(id_, of):
    return Resource("monitor", f"o-{id_}", {"name": id_}, Origin("x"), document=rule(id_, log_type=of))


def test_a_correlations_case_has_the_monitors_of_its_workflow_in_their_order():
    flow = Resource("workflow", "o-both", WORKFLOW, Origin("x"), document=BOTH)
    (case,) = made(RULES, flow, monitor("one", "audit"), monitor("both-one", "audit"), monitor("both-two", "system"))
    assert [part.name for part in case.delegates] == [part.name for part in case.parts] == ["o-both-two", "o-both-one"]
    assert case.monitor == WORKFLOW
    assert case.log_types == {"audit", "system"}
    assert [(e.log_type, e.fields["action"]) for e in case.events] == [
        ("system", "two"),
        ("system", "two"),
        ("audit", "one"),  # of the first rule, where the event names none
    ]


def test_a_rule_whose_tests_can_not_be_run_is_an_error():
    with pytest.raises(ProvisionerError, match="rule 'both' has tests, and no monitor"):
        made(RULES)


def test_an_event_of_a_rule_that_is_not_there_is_an_error():
    flow = Resource("workflow", "o-both", WORKFLOW, Origin("x"), document=BOTH)
    with pytest.raises(ProvisionerError, match="of the rule 'two', which is not there"):
        made(RULES[:2], flow, monitor("both-one", "audit"), monitor("both-two", "system"))

"""Documents that become others before they are rendered: packs, and what a correlation runs."""

from provisioner import rulepacks
from provisioner.model import Document, Origin

SCHEMAS = {
    "match": {"x-pack": {"by": ["log_type"], "most": 2}},
    "threshold": {},
    "correlation": {"x-resource": "workflow", "x-runs": ["correlation", "rules"]},
}


def rule(id_, type_="threshold", **body):
    said = {"type": type_, "log_type": "audit", "schedule": "1m", **body}
    return Document("rule", id_, said, {(): Origin(f"{id_}.yml"), ("query",): Origin(f"{id_}.yml", 7)})


def correlation(*ids, **body):
    return rule("both", "correlation", correlation={"rules": list(ids)}, **body)


def test_match_rules_share_and_what_is_off_is_in_no_pack():
    found = list(rulepacks.packed([rule("a", "match"), rule("b", "match", enabled=False), rule("c")], SCHEMAS))
    assert [document.id for document in found] == ["c", "match-audit-1"]
    assert [each["id"] for each in rulepacks.rules(found[1])] == ["a"]


def test_a_correlation_runs_copies_on_its_own_schedule():
    rules = [rule("a", query="q", tests=[{"name": "t"}], throttle="1h"), rule("b", enabled=False)]
    found = list(rulepacks.packed([correlation("a", "b", schedule="10m"), *rules], SCHEMAS))
    assert [document.id for document in found] == ["both-a", "both-b", "both", "a", "b"]
    assert found[3:] == rules
    assert found[0].body == {
        "type": "threshold",
        "log_type": "audit",
        "query": "q",
        "throttle": "1h",
        "schedule": "10m",
        "enabled": False,
        "delegate_of": "both",
    }
    assert str(found[0].at(("query",))) == "a.yml:7:1"  # what is wrong with it is wrong in its rule


def test_no_copies_of_what_has_no_monitor_of_its_own():
    rules = [rule("a", "match"), rule("c")]
    found = list(rulepacks.packed([correlation("a", "both", "no-such", "c"), *rules], SCHEMAS))
    assert [document.id for document in found] == ["both-c", "both", "c", "match-audit-1"]

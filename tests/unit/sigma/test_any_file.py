"""Whatever a file holds, an import says what is wrong with it and goes on."""

import random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sigma_repository import make, run_in
from test_importing_again import RULE

from provisioner.errors import FindingsError, ProvisionerError
from provisioner.sigma import reading

ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)
KEYS = [
    "title",
    "id",
    "logsource",
    "detection",
    "level",
    "tags",
    "status",
    "references",
    "date",
    "correlation",
    "filter",
    "action",
    "falsepositives",
]


@given(st.dictionaries(st.sampled_from(KEYS), ANY), st.booleans())
def test_wrong_types(changes, whole):
    body = {**(yaml.safe_load(RULE) if whole else {}), **changes}
    found = reading.Read()
    reading.parse(yaml.safe_dump(body, allow_unicode=False), "file.yml", found)
    assert all(each.reason for each in found.refused)
    assert len(found.refused) + len(found.entries) + len(found.filters) <= 2


def test_truncated_files(imported):
    generator = random.Random(7)
    cut = [RULE[: generator.randrange(len(RULE))] for _ in range(60)]
    outcomes = imported(*cut, write=False).outcomes
    assert {each.action for each in outcomes} <= {"created", "refused", "skipped"}
    assert all(each.reason for each in outcomes if each.action == "refused")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a: [1", "not valid YAML"),
        (b"- 1\n", "must be a mapping"),
        (b"x: &a [1]\ny: *a\n", "no Sigma rule"),
        (("[" * 5000).encode(), "nested too deeply"),
        (b"#" * (reading.LARGEST + 1), "larger than"),
        (RULE.replace("condition: selection", f"condition: {'(' * 30}selection{')' * 30}").encode(), "brackets"),
        (RULE.replace("condition: selection", "condition: other").encode(), "other"),
        (RULE.replace("id: 9d3c", "id: zzzz").encode(), "no Sigma rule"),
    ],
)
def test_files_that_are_no_rules(imported, content, reason):
    outcomes = imported(content, RULE, write=False).outcomes
    assert sorted(each.action for each in outcomes) == ["created", "refused"]
    (refused,) = [each for each in outcomes if each.action == "refused"]
    assert reason in refused.reason


def test_too_many_values(imported):
    many = yaml.safe_load(RULE)
    many["detection"]["selection"] = {"Image": [f"x{n}" for n in range(3000)]}
    (outcome,) = imported(yaml.safe_dump(many), write=False).outcomes
    assert "3,000 terms" in outcome.reason
    many["detection"]["selection"] = {"Image": [f"{n}{'x' * 90}" for n in range(500)]}
    (outcome,) = imported(yaml.safe_dump(many), write=False).outcomes
    assert "characters" in outcome.reason


def test_no_such_path(tmp_path):
    with pytest.raises(ProvisionerError, match="leads to no rule"):
        run_in(make(tmp_path), tmp_path / "nothing*")


@pytest.mark.parametrize(
    "transformation",
    [
        {"type": "command_placeholders"},
        {"type": "field_name_mapping"},
        {"type": "nest", "items": [{"type": "http_placeholders"}]},
    ],
)
def test_a_wrong_pipeline_is_a_finding(tmp_path, transformation):
    root = make(tmp_path)
    levels = dict.fromkeys(("informational", "low", "medium", "high", "critical"), "low")
    body = {
        "kind": "sigma_pipeline",
        "id": "x",
        "schedule": "1m",
        "runbook": "docs/runbooks/x.md",
        "severities": levels,
    }
    (root / "rules" / "p.yml").write_text(yaml.safe_dump({**body, "transformations": [transformation]}))
    with pytest.raises(FindingsError) as found:
        run_in(root, tmp_path)
    assert found.value.findings[0].code == "DOC002"

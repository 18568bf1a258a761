"""A second import takes over what changed in Sigma and keeps what was changed here."""

import pytest
import yaml

from provisioner.sigma import editing, merging

RULE = """\
title: Odd Thing
id: 9d3c2f0a-0000-4000-8000-000000000001
status: test
description: First words.
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\\a.exe'}
  condition: selection
falsepositives: [Backups]
level: high
"""
FILE = "rules/detections/sigma/system/odd-thing.yml"


@pytest.fixture
def file(repository):
    return repository / FILE


def change(file, *pairs):
    text = file.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    return text


def test_nothing_changed(imported, file):
    imported(RULE)
    before = file.read_text()
    result = imported(RULE)
    assert [each.action for each in result.outcomes] == ["unchanged"]
    assert result.files == {}
    assert file.read_text() == before


def test_a_change_in_sigma_is_taken_over_and_the_rest_of_the_text_stays(imported, file):
    imported(RULE)
    change(
        file,
        ("severity: high\n", "# we are paged for these\nseverity: high  # sadly\n"),
        ("schedule: 1m\n", "schedule: 1m   # often\n\n# ours\n"),
        ("description: First words.\n", "description: First words.  # theirs\n"),
    )
    result = imported(RULE.replace("First", "Second").replace("a.exe", "b.exe"))
    assert [(each.action, each.kept) for each in result.outcomes] == [("updated", [])]
    text = file.read_text()
    assert "description: Second words.  # theirs\n" in text
    assert "# we are paged for these\nseverity: high  # sadly\n" in text
    assert "schedule: 1m   # often\n\n# ours\n" in text
    assert r"process.executable:*\\b.exe" in yaml.safe_load(text)["query"]
    assert [each.action for each in imported(RULE.replace("First", "Second").replace("a.exe", "b.exe")).outcomes] == [
        "unchanged"
    ]


def test_what_was_changed_here_is_kept_and_told(imported, file):
    imported(RULE)
    change(
        file,
        ("severity: high", "severity: low"),
        ("false_positives:\n  - Backups\n", ""),
        ("schedule: 1m", "throttle: 1h\nschedule: 1m"),
    )
    (outcome,) = imported(RULE.replace("First", "Second").replace("level: high", "level: critical")).outcomes
    assert outcome.action == "updated"
    assert sorted(outcome.kept) == ["false_positives", "severity"]
    assert outcome.notes == ["severity was changed here, and in Sigma too: yours is kept"]
    body = yaml.safe_load(file.read_text())
    assert (body["severity"], body["throttle"], body["description"]) == ("low", "1h", "Second words.")
    assert "false_positives" not in body
    (outcome,) = imported(RULE.replace("First", "Second").replace("level: high", "level: critical")).outcomes
    assert (outcome.action, outcome.notes) == ("unchanged", [])  # told once


def test_a_rule_that_was_renamed_and_moved_is_found_by_its_origin(imported, file, repository):
    imported(RULE)
    moved = repository / "rules/ours.yml"
    moved.write_text(
        "# ours\n" + file.read_text().replace("id: odd-thing", "id: renamed") + "---\nkind: event\nid: x\n"
    )
    file.unlink()
    (outcome,) = imported(RULE.replace("title: Odd Thing", "title: Odder Thing")).outcomes
    assert (outcome.action, outcome.id, outcome.written) == ("updated", "renamed", "rules/ours.yml")
    text = moved.read_text()
    assert text.startswith("# ours\n")
    assert text.endswith("---\nkind: event\nid: x\n")
    assert "title: Odder Thing\n" in text
    assert not file.exists()


def test_a_form_that_can_not_be_edited_is_told(imported, file):
    imported(RULE)
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()), default_flow_style=True, width=10_000))
    before = file.read_text()
    (outcome,) = imported(RULE.replace("First", "Second")).outcomes
    assert outcome.action == "refused"
    assert "don't stand on lines of their own" in outcome.reason
    assert file.read_text() == before


def test_fields_are_added_to_the_schema_and_changed_ones_stay(imported, repository):
    imported(RULE)
    schema = repository / "templates/schema/sigma-system.yml"
    change(
        schema,
        (
            "process.executable: {type: keyword, ignore_case: true,",
            "process.executable: {type: keyword, ignore_case: false,",
        ),
    )
    schema.write_text(schema.read_text() + "# the end\n")
    imported(RULE.replace("{Image|endswith: '\\a.exe'}", "{Image|endswith: '\\a.exe', ParentImage: x}"))
    text = schema.read_text()
    assert text.endswith("# the end\n")
    fields = yaml.safe_load(text)["fields"]
    assert fields["process.executable"]["ignore_case"] is False
    assert fields["process.parent.executable"]["ignore_case"] is True
    query = yaml.safe_load((repository / FILE).read_text())["query"]
    assert r"process.executable:/.*\\[aA]\.[eE][xX][eE]/" in query


def test_merging_each_key_by_itself():
    base = {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}
    imported = {key: merging.fingerprint(value) for key, value in base.items()}
    ours = {"a": 1, "b": 2, "c": 2, "d": 1, "x": 9}
    merged = merging.merge({"a": 2, "b": 1, "c": 3, "e": 1, "f": 1}, ours, imported)
    assert merged.changed == {"a": 2, "f": 1}
    assert merged.removed == ["d"]
    assert (merged.kept, merged.both) == (["b", "c", "e"], ["c"])


def test_a_block_scalar_with_lines_like_comments():
    text = "kind: rule\nid: a\ndescription: |\n  one\n  # two\n\n# three\ntitle: t # four\nlast: 1"
    found = editing.document(text, "f", "rule", "a")
    assert editing.edited(text, found, {"title": "new", "more": [1]}) == text.replace(
        "title: t # four", "title: new  # four"
    ) + ("\nmore:\n  - 1\n")
    assert editing.edited(text, found, {"description": "d"}).startswith(
        "kind: rule\nid: a\ndescription: d\n\n# three\n"
    )

"""Wrong files: each mistake with file:line:column and what to do, exit code 1, no traceback, nothing applied."""

from __future__ import annotations

import pytest
from clusters import RULE_FILE, Repository

KEY = RULE_FILE.replace("severity: high", "severty: high").replace("id: brute-force-login", "id: wrong-key")
TYPE = RULE_FILE.replace("schedule: 1m", "schedule: 1").replace("id: brute-force-login", "id: wrong-type")
FIELD = RULE_FILE.replace("outcome.status:failure'", "outcome.state:failure'").replace(
    "id: brute-force-login", "id: unknown-field"
)
SYNTAX = RULE_FILE.replace("group_by: [source.ip, actor.username]", "group_by: [source.ip, actor.username")


def _line(text: str, beginning: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(beginning))


MISTAKES = {
    "rules/key.yml": (
        KEY,
        [f"{_line(KEY, 'severty')}:1: DOC002 unknown key 'severty' in rule", "did you mean 'severity'?"],
    ),
    "rules/type.yml": (TYPE, [f"{_line(TYPE, 'schedule')}:11: DOC002 schedule: 1 is not text", "for example '1m'"]),
    "rules/field.yml": (
        FIELD,
        [
            f"{_line(FIELD, 'query')}:8: RULE001 no schema has the field 'outcome.state'",
            "did you mean 'outcome.status'?",
        ],
    ),
    "rules/yaml.yml": (
        SYNTAX,
        [f"{_line(SYNTAX, 'threshold')}:", "YAML001 not valid YAML: ", "check indentation, brackets"],
    ),
}


def _check(shown: str, file: str, words: list[str]) -> None:
    assert f"{file}:{words[0]}" in shown
    for word in words[1:]:
        assert word in shown


@pytest.mark.parametrize("file", MISTAKES)
def test_validate_tells_each_mistake_without_a_cluster(offline: Repository, file: str) -> None:
    text, words = MISTAKES[file]
    offline.write({file: text})
    done = offline.run("validate")
    assert done.code == 1
    _check(done.out, file, words)
    assert done.err == ""


def test_plan_and_apply_tell_all_of_them_and_apply_nothing(repository: Repository) -> None:
    repository.write({file: text for file, (text, _) in MISTAKES.items()})
    for command in (["plan"], ["apply", "--yes"]):
        done = repository.run(*command)
        assert done.code == 1
        for file, (_, words) in MISTAKES.items():
            _check(done.out, file, words)
        assert "Nothing was applied." in done.err
    assert repository.objects() == {}
    assert repository.state() == []


def test_a_wrong_provisioner_yml_applies_nothing(repository: Repository) -> None:
    repository.edit("provisioner.yml", "namespace:", "namspace:")
    for command in ("validate", "apply"):
        done = repository.run(command)
        assert done.code == 1
        assert "provisioner.yml:" in done.out
        assert "CFG001 unknown key 'namspace'" in done.out
        assert "did you mean 'namespace'?" in done.out
    assert repository.objects() == {}

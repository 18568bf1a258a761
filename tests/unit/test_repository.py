"""Whole repositories: all findings at once and in order, and many rules in a time that one waits for."""

import pathlib
import time

import pytest

from provisioner import repository, rulepacks
from provisioner.errors import FindingsError
from provisioner.model import Severity

ROOT = pathlib.Path(__file__).parents[2]
RULE = (ROOT / "rules/detections/authentication/brute-force-login.yml").read_text(encoding="utf-8")


def test_all_findings_come_at_once_in_the_order_of_their_places(make_repository):
    root = make_repository(
        {
            "rules/z.yml": "kind: event\nid: A\n---\nkind: evnt\nid: b\n",
            "rules/a.yml": "a: [\n",
            "ilm/m.yml": "kind: retention\nid: m\ncold: 5\n",
        }
    )
    loaded = repository.load(root)
    places = [str(finding.origin) for finding in loaded.findings]
    assert places == sorted(places)
    assert [finding.code for finding in loaded.findings].count("DOC001") == 2
    assert {finding.origin.file for finding in loaded.findings} == {"ilm/m.yml", "rules/a.yml", "rules/z.yml"}
    assert all(finding.severity is Severity.ERROR and finding.hint for finding in loaded.findings)
    with pytest.raises(FindingsError):
        loaded.checked()


def test_a_repository_without_errors_is_checked(make_repository):
    loaded = repository.load(make_repository())
    assert loaded.checked() is loaded
    assert loaded.resources == ()


@pytest.mark.parametrize("number", [50, pytest.param(900, marks=pytest.mark.long)])
def test_many_rules(make_repository, number):
    rules = [
        RULE.replace("id: brute-force-login", f"id: r-{n}")
        .replace("title: Brute-force login", f"title: Brute force {n}")
        .replace("outcome.status:failure'", f"outcome.status:failure AND context.application:a-{n}'")
        for n in range(number)
    ]
    files = {"rules/many/one.yml": "---\n".join(rules[::2])}
    files |= {f"rules/many/{n}.yml": rule for n, rule in enumerate(rules[1::2])}
    for folder in ("rules", "templates", "ilm", "docs/runbooks"):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file():
                files[file.relative_to(ROOT).as_posix()] = file.read_bytes()
    root = make_repository(files)
    started = time.monotonic()
    loaded = repository.load(root)
    seconds = time.monotonic() - started
    assert loaded.findings == ()
    monitors = [resource for resource in loaded.resources if resource.kind == "monitor"]
    packs = [rulepacks.rules(resource.document) for resource in monitors if resource.document]
    found = [rule["id"] for pack in packs for rule in pack]
    found += [resource.document.id for resource, pack in zip(monitors, packs, strict=True) if not pack]
    assert sorted(found) == sorted(rule.id for rule in loaded.source.of_kind("rule"))
    assert len(found) == number + len(list((ROOT / "rules/detections").rglob("*.yml")))
    assert len({resource.body["name"] for resource in monitors}) == len(monitors)
    print(f"read, checked and compiled {len(found)} rules in {seconds:.1f} s")


def test_a_secret_where_the_cluster_would_show_it_is_a_finding(make_repository):
    text = "kind: component_template\nid: a\ntitle: A\ntemplate: {settings: {index: {default_pipeline: '${env:X}'}}}\n"
    loaded = repository.load(make_repository({"templates/a.yml": text}))
    assert [(f.code, str(f.origin)) for f in loaded.errors] == [("DOC004", "templates/a.yml:4:49")]
    assert "{{ name }}" in loaded.errors[0].hint

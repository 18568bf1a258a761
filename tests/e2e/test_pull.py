"""Taking over a cluster that was set up without us: pull, validate, adopt, change."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from clusters import Cluster, Repository
from handmade import SECRETS, Handmade
from proxy import recording

from provisioner import fingerprint, repository, secretrefs
from provisioner.client import path
from provisioner.kinds import all_kinds

KINDS = all_kinds()
MADE = {
    "channel": 7,
    "monitor": 6,
    "ism_policy": 2,
    "component_template": 2,
    "index_template": 2,
    "ingest_pipeline": 2,
    "data_stream": 1,
}


@pytest.fixture
def handmade(cluster: Cluster) -> Iterator[Handmade]:
    """The objects of people who never heard of us."""
    made = Handmade(cluster.client(), f"hm{secrets.token_hex(4)}")
    try:
        made.make()
        yield made
    finally:
        made.remove()


@pytest.fixture
def empty(cluster: Cluster, tmp_path: pathlib.Path) -> Iterator[Repository]:
    """A repository of provisioner.yml alone, whose target changes nothing on the way."""
    tag = secrets.token_hex(4)
    made = Repository(tmp_path / "repository", cluster, f"e2e-{tag}", f"ns{tag}")
    made.root.mkdir()
    made.settings(catch=None, schedule=None)
    yield made
    if made.client.get(path(made.state_index)) is not None:
        made.client.request("DELETE", path(made.state_index))


def pulled(empty: Repository, handmade: Handmade, *more: str) -> dict[str, Any]:
    done = empty.run("pull", "--name", f"{handmade.tag}*", "-o", "json", *more)
    assert done.code == 0, done.text
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def shown(handmade: Handmade) -> dict[str, str]:
    """All handmade objects byte for byte as the server shows them, versions included."""
    client, found = handmade.client, {}
    for each in handmade.made:
        answer = client.request("GET", each)
        if "_data_stream" in each:  # its documents come and go
            answer = [stream["template"] for stream in answer["data_streams"]]
        found[each] = json.dumps(answer)
    return found


def environment(empty: Repository, handmade: Handmade) -> dict[str, str]:
    """What the command asks to set, from where a person would take it: the server shows secrets in clear."""
    found: dict[str, str] = {}
    for resource in repository.load(empty.root).resources:
        if resource.kind == "channel":
            (live,) = KINDS["channel"].shown(handmade.client, {resource.key: resource.key})
            found |= dict(_values(resource.body, live.body))
    return found


def _values(written: Any, there: Any) -> Iterator[tuple[str, str]]:
    if isinstance(written, dict):
        for key in written:
            yield from _values(written[key], there[key])
    elif isinstance(written, str) and (match := secretrefs.REFERENCE.fullmatch(written)):
        yield match[2], there


def test_everything_is_pulled_and_comes_out_as_it_is_in_the_cluster(
    empty: Repository, handmade: Handmade, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(handmade)
    with recording(empty.cluster) as proxy:
        through = empty.at(proxy.url)
        through.settings(catch=None, schedule=None)
        answer = pulled(through, handmade)
        assert proxy.writes == []
    empty.settings(catch=None, schedule=None)
    assert Counter(file["kind"] for file in answer["files"]) == MADE
    assert answer["left_out"] == []
    assert len({file["file"] for file in answer["files"]}) == sum(MADE.values())

    done = empty.run("validate", "-o", "json")
    found = json.loads(done.out)["findings"]
    assert {(one["code"], one["severity"]) for one in found} == {("RED001", "warning"), ("RED003", "warning")}, found

    for name, value in environment(empty, handmade).items():
        monkeypatch.setitem(os.environ, name, value)
    compared = 0
    for resource in repository.load(empty.root).resources:
        (live,) = KINDS[resource.kind].live(handmade.client, {resource.key: None})
        assert fingerprint.of(secretrefs.resolve(resource.body)) == fingerprint.of(live.body), resource.ref
        compared += 1
    assert compared == sum(MADE.values())
    assert shown(handmade) == before

    again = pulled(empty, handmade)
    assert again["files"] == []
    assert {left["reason"] for left in again["left_out"]} == {"have a document in this repository"}


def test_no_secret_is_written_or_printed(empty: Repository, handmade: Handmade) -> None:
    done = empty.run("pull", "--name", f"{handmade.tag}*")
    assert done.code == 0, done.text
    texts = [file.read_text() for file in empty.root.rglob("*") if file.is_file()]
    assert len(texts) == sum(MADE.values()) + 1
    tag = handmade.tag.upper()
    for name in ("OPS_SLACK_CHANNEL_URL", "ON_URL", "ON_AUTHORIZATION", "CHIME_URL", "TEAMS_URL"):
        assert f"PROVISIONER_{tag}_{name}" in done.out
    for text in (*texts, done.text):
        assert "s3cret" not in text
        assert not any(secret in text for secret in SECRETS.values())


def test_dry_runs_kinds_names_and_folders(empty: Repository, handmade: Handmade) -> None:
    tag = handmade.tag
    dry = pulled(empty, handmade, "--dry-run")
    assert (dry["written"], len(dry["files"])) == (False, sum(MADE.values()))
    assert not (empty.root / "rules").exists()

    done = empty.run(
        "pull", "--kind", "monitor", "--kind", "ism_policy", "--name", f"{tag.upper()}-[bn]*", "--into", "ilm/x/"
    )
    assert done.code == 0, done.text
    files = sorted(file.relative_to(empty.root).as_posix() for file in (empty.root / "ilm").rglob("*.yml"))
    assert files == [f"ilm/x/ism_policy/{tag}-none.yml", f"ilm/x/monitor/{tag}-buckets.yml"]
    assert "Wrote 2 files." in done.out

    wrong = empty.run("pull", "--kind", "monitors")
    assert (wrong.code, "did you mean 'monitor'?" in wrong.err) == (2, True)
    for folder in ("docs/x", "../rules", "rules/../../x", "rules/.hidden"):
        wrong = empty.run("pull", "--into", folder)
        assert (wrong.code, "no documents are read from" in wrong.err) == (2, True), folder


def test_what_has_an_owner_or_no_name_of_its_own_is_left_out(empty: Repository, handmade: Handmade) -> None:
    client, tag = handmade.client, handmade.tag
    script = [{"set": {"field": "a", "value": "b"}}]
    handmade.put(
        "_ingest", "pipeline", f"{tag}-theirs", body={"description": "x provisioner owner=them", "processors": script}
    )
    ours = {"description": f"x provisioner owner={empty.owner}", "processors": script}
    handmade.put("_ingest", "pipeline", f"{tag}-ours", body=ours)
    trap = {"description": "${file:/etc/passwd}", "processors": script}
    handmade.put("_ingest", "pipeline", f"{tag}-trap", body=trap)
    twin = next(body for body in handmade.monitors() if body["name"] == f"{tag}-buckets")
    answer = client.request("POST", "/_plugins/_alerting/monitors", twin)
    handmade.made.append(path("_plugins", "_alerting", "monitors", answer["_id"]))

    found = pulled(empty, handmade)
    assert Counter(file["kind"] for file in found["files"]) == {**MADE, "monitor": MADE["monitor"] - 1}
    reasons = [(left["name"].removeprefix(tag), left["reason"]) for left in found["left_out"]]
    assert [name for name, _ in reasons] == ["-buckets", "-buckets", "-ours", "-theirs", "-trap"]
    assert all(reason.startswith("several have this name") for name, reason in reasons if name == "-buckets")
    assert f"bear our mark ({empty.owner})" in dict(reasons)["-ours"]
    assert "another owner (them)" in dict(reasons)["-theirs"]
    assert "reference to a secret" in dict(reasons)["-trap"]


def changes(empty: Repository, *arguments: str, **variables: str) -> dict[str, str]:
    """What a plan would change: `kind key` to the action."""
    done = empty.run("plan", *arguments, "-o", "json", **variables)
    assert done.code == 0, done.text
    return {f"{c['kind']} {c['key']}": c["action"] for c in json.loads(done.out)["changes"] if c["action"] != "no-op"}


def test_adoption_changes_nothing_in_the_cluster(empty: Repository, handmade: Handmade) -> None:
    pulled(empty, handmade)
    before, variables = shown(handmade), environment(empty, handmade)

    planned = changes(empty, "--adopt", **variables)
    assert Counter(planned.values()) == {"adopt": sum(MADE.values())}, planned
    done = empty.run("apply", "--adopt", "--yes", **variables)
    assert done.code == 0, done.text
    assert shown(handmade) == before
    assert changes(empty, **variables) == {}
    assert changes(empty) == {}, "without the secrets a plan knows no better"
    assert "s3cret" not in json.dumps(empty.state()) + done.text


def test_what_was_adopted_can_be_changed_and_keeps_its_alerts_ids(empty: Repository, handmade: Handmade) -> None:
    """The form that the server shows is one that it takes back, for every kind."""
    answer = pulled(empty, handmade)
    variables = environment(empty, handmade)
    done = empty.run("apply", "--adopt", "--yes", **variables)
    assert done.code == 0, done.text

    edited = set()
    for file in answer["files"]:
        text = (empty.root / file["file"]).read_text(encoding="utf-8")
        edit = {
            "channel": ("is_enabled: true", "is_enabled: false"),
            "monitor": ("slop: 0", "slop: 1") if "slop: 0" in text else ("severity: '", "severity: '1' # '"),
            "ism_policy": ("description: ", "description: changed # "),
            "component_template": ("body:\n", "body:\n  version: 99\n"),
            "index_template": ("body:\n", "body:\n  version: 99\n"),
            "ingest_pipeline": ("processors:\n", "processors:\n    - uppercase: {field: x}\n"),
        }.get(file["kind"])
        if edit and edit[0] in text and not ("version: 99" in edit[1] and "\n  version:" in text):
            empty.write({file["file"]: text.replace(*edit, 1)})
            edited.add(f"{file['kind']} {file['name']}")
    assert {name.split()[0] for name in edited} == set(MADE) - {"data_stream"}

    before = _trigger_ids(handmade)
    planned = changes(empty, **variables)
    assert planned == dict.fromkeys(edited, "update")
    done = empty.run("apply", "--yes", "--force", "changes", **variables)
    assert done.code == 0, done.text
    assert changes(empty, **variables) == {}
    assert _trigger_ids(handmade) == before


def _trigger_ids(handmade: Handmade) -> list[tuple[str, str]]:
    found = []
    for live in KINDS["monitor"].all(handmade.client):
        if not live.key.startswith(handmade.tag):
            continue
        for trigger in live.body["triggers"]:
            for inner in trigger.values():
                found.append((live.server_id, inner["id"]))
                found += [(inner["id"], action["id"]) for action in inner["actions"]]
    return sorted(found)


def test_roles_and_mappings_are_pulled_when_asked_for(empty: Repository, handmade: Handmade) -> None:
    if not empty.cluster.password:
        pytest.skip("takes a cluster with the security plugin: OPENSEARCH_URL")
    tag = handmade.tag
    permission = {
        "index_patterns": [f"{tag}-*"],
        "dls": '{"term": {"a": "on"}}',
        "fls": ["~secret"],
        "masked_fields": [],
        "allowed_actions": ["read", "indices:data/read/search*"],
    }
    role = {"description": "by hand", "cluster_permissions": ["cluster_monitor"], "index_permissions": [permission]}
    handmade.put("_plugins", "_security", "api", "roles", f"{tag}-readers", body=role)
    mapping = {"backend_roles": ["soc"], "hosts": [], "users": ["anna", "0123"]}
    handmade.put("_plugins", "_security", "api", "rolesmapping", f"{tag}-readers", body=mapping)
    empty.settings(catch=None, schedule=None, access=True)

    assert {file["kind"] for file in pulled(empty, handmade)["files"]} == set(MADE)
    answer = pulled(empty, handmade, "--kind", "role", "--kind", "role_mapping")
    assert [file["file"] for file in answer["files"]] == [
        f"rules/pulled/roles/{tag}-readers.yml",
        f"rules/pulled/role_mappings/{tag}-readers-role-mapping.yml",
    ]
    before, variables = shown(handmade), environment(empty, handmade)
    planned = changes(empty, "--adopt", **variables)
    assert Counter(planned.values()) == {"adopt": sum(MADE.values()) + 2}, planned
    done = empty.run("apply", "--adopt", "--yes", **variables)
    assert done.code == 0, done.text
    assert shown(handmade) == before
    assert changes(empty, **variables) == {}

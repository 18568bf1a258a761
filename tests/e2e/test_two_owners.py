"""Two repositories on one cluster: each owner sees and touches its own objects only."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from clusters import Cluster, Repository, _copy, _remove_all

from provisioner.errors import ApiError

Small = tuple[Repository, Repository]
KEPT = ("ilm/audit.yml", "templates/index/audit.yml")


def _shrunk(repository: Repository) -> Repository:
    """Only the log type audit, with its retention, and no rule, channel or shipper: quick to apply."""
    files = [f for folder in ("ilm", "templates/index") for f in (repository.root / folder).glob("*.yml")]
    names = [f.relative_to(repository.root).as_posix() for f in files]
    repository.remove(*(n for n in names if n not in KEPT and not n.endswith("common.yml")))
    repository.remove("rules/detections", "rules/channels.yml", "rules/severities.yml", "templates/shippers")
    return repository


@pytest.fixture
def two(cluster: Cluster, tmp_path: pathlib.Path) -> Iterator[Small]:
    """Two repositories of the same log type, with owners and namespaces of their own."""
    made = [_shrunk(_copy(tmp_path / name, cluster)) for name in ("one", "two")]
    yield made[0], made[1]
    for repository in made:
        _remove_all(repository)


def planned(repository: Repository) -> list[dict[str, Any]]:
    done = repository.run("plan", "-o", "json")
    assert done.code == 0, done.text
    return [change for change in json.loads(done.out)["changes"] if change["action"] != "no-op"]


def remembered(repository: Repository) -> list[str]:
    """The state, but for the lock that each run takes and leaves."""
    return sorted(json.dumps(document) for document in repository.state() if document["type"] != "lock")


def applied(repository: Repository, *arguments: str) -> None:
    done = repository.run("apply", *arguments)
    assert done.code == 0, done.text


def test_two_owners_with_the_same_log_types_do_not_see_each_other(two: Small) -> None:
    one, other = two
    applied(one)
    mine = one.objects()
    assert {name.split()[0] for name in mine} >= {"index_template", "data_stream", "ism_policy", "ingest_pipeline"}

    assert {change["action"] for change in planned(other)} == {"create"}
    applied(other)
    theirs = other.objects()
    assert len(theirs) == len(mine)
    assert not theirs.keys() & mine.keys()
    assert one.objects() == mine
    assert planned(one) == planned(other) == []

    # An update and a deletion of one: nothing of the other moves, and its plan stays empty.
    one.edit("ilm/audit.yml", "hot: 1y", "hot: 2y")
    assert [(change["kind"], change["key"]) for change in planned(one)] == [("ism_policy", f"{one.owner}-audit")]
    applied(one)
    assert other.objects() == theirs
    assert planned(other) == []
    for name in [name for name in one.objects() if name.startswith("ism_policy")]:
        one.client.request("DELETE", f"/_plugins/_ism/policies/{name.split()[1]}")
    assert planned(other) == []


def test_each_stream_takes_its_owners_template_and_policy(two: Small) -> None:
    for repository in two:
        applied(repository)
    client = two[0].client
    for repository in two:
        stream = f"logs-audit-{repository.namespace}"
        (found,) = client.request("GET", f"/_data_stream/{stream}")["data_streams"]
        assert found["template"] == f"{repository.owner}-audit"
        index = found["indices"][0]["index_name"]
        assert (
            client.request("GET", f"/_plugins/_ism/explain/{index}")[index]["policy_id"] == f"{repository.owner}-audit"
        )


def test_the_same_namespace_is_a_conflict_and_touches_nothing(two: Small) -> None:
    one, other = two
    applied(one)
    mine, state = one.objects(), remembered(one)
    same = replace(other, namespace=one.namespace)
    same.settings()
    for command in ("plan", "apply"):
        done = same.run(command)
        assert done.code == 1, done.text
        assert f"logs-audit-{one.namespace}" in done.text
        assert "not ours" in done.text
    assert one.objects() == mine
    assert remembered(one) == state
    assert [name for name in other.objects() if other.owner in name] == []
    assert planned(one) == []


def test_a_namespace_of_nobody_has_no_template(two: Small) -> None:
    """Patterns are exact: what is written elsewhere gets neither our mapping nor our redaction."""
    one, _ = two
    applied(one)
    (ours,) = one.client.request("GET", f"/_index_template/{one.owner}-audit")["index_templates"]
    assert ours["index_template"]["index_patterns"] == [f"logs-audit-{one.namespace}"]
    other = f"logs-audit-{one.namespace}x"
    assert one.client.request("POST", f"/_index_template/_simulate_index/{other}") == {}
    with pytest.raises(ApiError, match="no matching index template"):
        one.client.request("PUT", f"/_data_stream/{other}")

"""What indices lose by a policy that is created or adopted: they outlive their policy, and follow their own copy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clusters import Done, Repository

from provisioner import indices
from provisioner.kinds import all_kinds

POLICY = {
    "default_state": "hot",
    "states": [
        {
            "name": "hot",
            "actions": [],
            "transitions": [{"state_name": "gone", "conditions": {"min_index_age": "365d"}}],
        },
        {"name": "gone", "actions": [{"delete": {}}], "transitions": []},
    ],
}


def policy(repository: Repository, age: str) -> dict[str, Any]:
    body = json.loads(json.dumps(POLICY).replace("365d", age))
    return {"description": f"provisioner owner={repository.owner}", **body}


def want(repository: Repository, age: str) -> None:
    """The repository holds this policy and nothing else."""
    document = {"kind": "raw", "id": "kept", "resource": "ism_policy", "name": f"{repository.owner}-kept"}
    repository.write({"ilm/kept.yml": json.dumps({**document, "body": policy(repository, age)})})


@pytest.fixture
def kept(repository: Repository) -> Iterator[Repository]:
    """Two indices of one document each, one of them closed, under a policy of the repository; that is applied."""
    repository.remove("rules", "templates", "ilm")
    want(repository, "365d")
    done = repository.run("apply")
    assert done.code == 0, done.text
    request = repository.client.request
    for name in names(repository):
        request("PUT", f"/{name}", {"settings": {"number_of_replicas": 0}})
        request("POST", f"/{name}/_doc", {"a": 1}, {"refresh": "true"})
        answer = request("POST", f"/_plugins/_ism/add/{name}", {"policy_id": f"{repository.owner}-kept"})
        assert answer["updated_indices"] == 1
    request("POST", f"/{names(repository)[1]}/_close")
    ref, end = ("ism_policy", f"{repository.owner}-kept"), time.monotonic() + 20
    while len(indices.facts(repository.client, {ref}).get(ref, ())) < 2 and time.monotonic() < end:
        time.sleep(0.2)  # ISM takes a second to know them
    yield repository
    for name in names(repository):
        request("DELETE", f"/{name}")


def names(repository: Repository) -> tuple[str, str]:
    return f"{repository.owner}-open", f"{repository.owner}-closed"


def planned(repository: Repository, *options: str) -> dict[str, Any]:
    done = repository.run("plan", "-o", "json", *options)
    found: dict[str, Any] = json.loads(done.out)
    return found


def refused(repository: Repository, *options: str) -> Done:
    done = repository.run("apply", *options)
    assert done.code == 1, done.text
    assert "--force data-loss" in done.text
    return done


def assert_lost(repository: Repository, action: str, *options: str) -> None:
    found = planned(repository, *options)
    (change,) = (change for change in found["changes"] if change["action"] != "no-op")
    assert change["action"] == action
    assert {index["name"]: index["documents"] for index in change["doomed"]} == dict(
        zip(names(repository), (1, None), strict=True)
    )
    assert [limit["name"] for limit in found["limits"]] == ["data-loss"]
    assert "closed or unavailable, size unknown" in found["limits"][0]["message"]


def test_an_update(kept: Repository) -> None:
    want(kept, "1d")
    assert_lost(kept, "update")


def test_a_policy_that_comes_back_reaches_the_indices_that_outlived_it(kept: Repository) -> None:
    kept.client.request("DELETE", f"/_plugins/_ism/policies/{kept.owner}-kept")
    assert planned(kept)["limits"] == []  # the same terms again
    want(kept, "1d")
    assert_lost(kept, "create")
    assert "size unknown" in refused(kept).text


def test_adopting_reaches_the_indices_that_are_behind(kept: Repository) -> None:
    """The policy was made anew by hand, with a shorter term; the indices hold the one before."""
    key = f"{kept.owner}-kept"
    body = policy(kept, "1d") | {"description": "made by hand"}
    kept.client.request("DELETE", f"/_plugins/_ism/policies/{key}")
    kept.client.request("DELETE", f"/{kept.state_index}")
    made = kept.client.request("PUT", f"/_plugins/_ism/policies/{key}", {"policy": body})["policy"]["policy"]
    shown = {
        name: value for name, value in made.items() if name not in ("policy_id", "last_updated_time", "schema_version")
    }
    document = {"kind": "raw", "id": "kept", "resource": "ism_policy", "name": key, "body": shown}
    kept.write({"ilm/kept.yml": json.dumps(document)})
    assert_lost(kept, "adopt", "--adopt")
    refused(kept, "--adopt")


def test_a_policy_never_says_that_it_is_older_than_an_index(repository: Repository) -> None:
    """ISM attaches a policy to the indices that are younger than its template, by a time that a body could give."""
    kind, key, client = all_kinds()["ism_policy"], f"{repository.owner}-old", repository.client
    template = {"index_patterns": [f"{key}-*"], "priority": 1, "last_updated_time": 1}
    kind.create(client, key, policy(repository, "1d") | {"ism_template": [template]})
    try:
        for _ in range(2):
            shown = client.request("GET", f"/_plugins/_ism/policies/{key}")["policy"]["ism_template"]
            assert shown[0]["last_updated_time"] > 1_700_000_000_000
            (live,) = kind.live(client, {key: key})
            kind.update(client, live, policy(repository, "2d") | {"ism_template": template})
    finally:
        client.request("DELETE", f"/_plugins/_ism/policies/{key}")

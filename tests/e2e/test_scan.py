"""`provisioner scan` on a real cluster: exactly what was planted past the pipeline is found, and no value is shown."""

from __future__ import annotations

import json
import pathlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml
from clusters import Cluster, Done, Repository
from faulteffects import proxied
from faultproxy import Fault

from provisioner.client import path

CARD, TOKEN, PASSWORD = "4111111111111111", "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8", "hunter2-correct-horse"
VALUES = (CARD, "4111 1111 1111 1111", TOKEN, PASSWORD)


@dataclass(frozen=True)
class Stored:
    """Documents past any pipeline: a data stream of the namespace, and an index of another name."""

    repository: Repository
    stream: str
    index: str

    def scan(self, *arguments: str) -> Done:
        """The command; no value may stand in what it prints."""
        done = self.repository.run("scan", *arguments)
        assert not [value for value in VALUES if value in done.text]
        return done

    def found(self, *arguments: str) -> tuple[int, set[tuple[str, str, str, int, int]]]:
        """Its exit code, and the leaks."""
        done = self.scan("-o", "json", *arguments)
        told = json.loads(done.out)["leaks"]
        return done.code, {
            tuple(leak[k] for k in ("stream", "field", "detector", "values", "documents")) for leak in told
        }


@pytest.fixture(scope="module")
def stored(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """3,000 documents in the stream, of which 7 hold something; 1,200 in the index, of which 2 do."""
    name = f"scan{secrets.token_hex(4)}"
    repository = Repository(tmp_path_factory.mktemp("scan"), cluster, name, name)
    repository.settings(catch=None, schedule=None)
    client = repository.client
    made = Stored(repository, f"logs-audit-{name}", f"{name}-old")
    template = {"index_patterns": [f"logs-*-{name}"], "data_stream": {}, "priority": 900}
    settings = {"number_of_shards": 2, "number_of_replicas": 0}
    client.request("PUT", path("_index_template", name), {**template, "template": {"settings": settings}})
    client.request("PUT", path(made.index), {"settings": settings})
    planted: dict[int, dict[str, object]] = {
        10: {"message": f"paid with {CARD}"},
        11: {"message": "paid with 4111 1111 1111 1111 twice, password=" + PASSWORD},
        500: {"message": "x", "request": {"headers": [{"X-Api-Key": TOKEN}]}},
        **{at: {"message": f"clone with {TOKEN}"} for at in (1_000, 2_000, 2_999)},
        1_234: {"message": "[password_REDACTED]", "user": {"password": PASSWORD}},
        1_235: {"message": "password=[password_REDACTED]", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"},
    }
    for target, count, plants in ((made.stream, 3_000, planted), (made.index, 1_200, {5: planted[10], 6: planted[10]})):
        lines: list[str] = []
        for number in range(count):
            # one half is older than a week
            when = "2026-01-01T00:00:00Z" if number % 2 else "2999-01-01T00:00:00Z"
            event = {"@timestamp": when, "message": f"event {number}", "n": number, **plants.get(number, {})}
            lines += [json.dumps({"create": {"_id": str(number)}}), json.dumps(event)]
        answer = client.request("POST", path(target, "_bulk"), "\n".join(lines) + "\n", {"refresh": "true"})
        assert not answer["errors"]
    yield made
    client.request("DELETE", path("_data_stream", made.stream))
    client.request("DELETE", path("_index_template", name))
    client.request("DELETE", path(made.index))


def expected(made: Stored) -> set[tuple[str, str, str, int, int]]:
    """All that was planted in the stream."""
    leaks = {
        ("message", "credit_card", 2, 2),
        ("message", "password", 1, 1),
        ("message", "api_key", 3, 3),
        ("request.headers.X-Api-Key", "api_key", 1, 1),
        ("user.password", "password", 1, 1),
    }
    return {(made.stream, *leak) for leak in leaks}


@pytest.mark.parametrize("slices", ["1", "2", "4"])
def test_all_that_was_planted_is_found_and_nothing_else(stored: Stored, slices: str) -> None:
    assert stored.found("--all", "--slices", slices) == (1, expected(stored))


def test_an_index_outside_the_template(stored: Stored) -> None:
    assert stored.found("--index", stored.index, "--all") == (1, {(stored.index, "message", "credit_card", 2, 2)})
    both = stored.found("--index", f"{stored.index[:-3]}*", "--index", stored.stream, "--all")
    assert both[1] == expected(stored) | {(stored.index, "message", "credit_card", 2, 2)}


def test_the_page_and_the_table_name_documents_and_no_value(stored: Stored, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page.html"
    done = stored.scan("--all", "--html", str(page))
    assert done.code == 1
    assert "7 documents with secrets or personal data: looked at 3,000 of 3,000 documents in 1 data stream." in done.out
    assert "request.headers.X-Api-Key" in done.out
    text = page.read_bytes()
    assert not [value for value in VALUES if value.encode() in text]
    assert b"user.password" in text
    assert b"/1234" in text


def test_a_sample_a_time_and_a_limit(stored: Stored) -> None:
    done = stored.scan("--sample", "600", "-o", "json")
    assert json.loads(done.out)["streams"] == [
        {
            "stream": stored.stream,
            "documents": 3_000,
            "seen": 600,
            "leaking": json.loads(done.out)["streams"][0]["leaking"],
        }
    ]
    # the server's slices hold unequal numbers: a sample of all but one draws from all of them alike
    assert stored.found("--sample", "3000") == (1, expected(stored))
    nearly = json.loads(stored.scan("--sample", "2999", "--slices", "4", "-o", "json").out)["streams"][0]
    assert nearly["seen"] == 2_999
    fields = {leak[1] for leak in stored.found("--all", "--since", "7d")[1]}
    assert fields == {"message", "request.headers.X-Api-Key", "user.password"}
    recent = json.loads(stored.scan("--all", "--since", "7d", "-o", "json").out)["streams"][0]
    assert (recent["documents"], recent["seen"]) == (1_500, 1_500)
    limited = json.loads(stored.scan("--all", "--limit", "700", "-o", "json").out)["streams"][0]
    assert limited["seen"] == 700


def test_nothing_found_ends_with_0(stored: Stored, tmp_path: pathlib.Path) -> None:
    catalogue = {"kind": "redaction", "id": "r", "title": "t", "detectors": [], "issuers": []}
    catalogue["detectors"] = [{"name": "nothing", "action": "mask", "names": ["never_there"]}]
    catalogue["issuers"] = [{"name": "visa", "from": "4", "to": "4", "lengths": [16]}]
    file = tmp_path / "redaction.yml"
    file.write_text(yaml.safe_dump(catalogue), encoding="utf-8")
    assert stored.found("--all", "--catalogue", str(file)) == (0, set())


def test_mistakes_are_told_in_words(stored: Stored) -> None:
    for arguments, words in (
        (("--index", "no-such-index-*"), "there is no data stream or index no-such-index-*"),
        (("--all", "--sample", "5"), "exclude each other"),
        (("--since", "soon"), "--since"),
    ):
        done = stored.scan(*arguments)
        assert done.code == 2
        assert words in done.err


def test_a_cluster_that_goes_away_in_the_middle(stored: Stored) -> None:
    with proxied(stored.repository.cluster) as proxy:
        stored.repository.at(proxy.url).settings(catch=None, schedule=None, timeout=2)
        # two requests ask what there is, a third opens a point in time; some pages come, then none
        proxy.arm(Fault("reset before the body", 6, "any", times=None))
        done = stored.scan("--all", "--slices", "2", "-o", "json")
    stored.repository.settings(catch=None, schedule=None)
    assert done.code == 2
    assert "error: " in done.err
    assert json.loads(done.out)["error"]


def test_nothing_is_written(stored: Stored) -> None:
    with proxied(stored.repository.cluster) as proxy:
        stored.repository.at(proxy.url).settings(catch=None, schedule=None)
        assert stored.scan("--all").code == 1
        asked = {f"{seen.method} {seen.path.partition('?')[0]}" for seen in proxy.seen}
    stored.repository.settings(catch=None, schedule=None)
    assert asked == {
        f"GET /_resolve/index/logs-*-{stored.repository.namespace}",
        f"POST /{stored.stream}/_count",
        f"POST /{stored.stream}/_search/point_in_time",
        "POST /_search",
        "DELETE /_search/point_in_time",
    }

"""Rules imported from Sigma on a real server: it takes their fields, and their queries find what Sigma means."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from clusters import ROOT, Cluster

from provisioner import settings, source
from provisioner.client import Client
from provisioner.compile import Compiler
from provisioner.sigma import importing
from provisioner.sigma import outcome as outcomes
from provisioner.sigma import settings as pipelines

NAME = "provisioner-test-sigma"
CREATION = {"category": "process_creation", "product": "windows"}
CONNECTION = {"category": "network_connection", "product": "windows"}
# A selection; events that it is for; events that it is not for (both by our fields).
CASES: list[tuple[dict[str, str], Any, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        CREATION,
        {"Image|endswith": "\\Net.exe"},
        [{"process.executable": "C:\\Windows\\NET.EXE"}],
        [{"process.executable": "C:\\Windows\\net1.exe"}, {"process.executable": "Net.exe"}],
    ),
    (
        CREATION,
        {"CommandLine|contains|all": [' -Enc "', "a:b/c (d)"]},
        [{"details.command": 'X -enc "A:B/C (D) '}],
        [{"details.command": 'x -enc"a:b/c (d)'}],
    ),
    (CREATION, {"CommandLine": "\\users\\a b"}, [{"details.command": "\\USERS\\a B"}], [{"details.command": "a b"}]),
    (CREATION, {"CommandLine": ">x"}, [{"details.command": ">X"}], [{"details.command": "y"}]),
    (CREATION, {"CommandLine": "AND"}, [{"details.command": "and"}], [{"details.command": "or"}]),
    (CREATION, {"CommandLine": ""}, [{"details.command": ""}], [{"details.command": " "}, {}]),
    (CREATION, {"CommandLine": None}, [{}], [{"details.command": "x"}]),
    (
        CREATION,
        {"CommandLine|re": "^(?:cmd|pwsh)\\s+[A-Z]{2}\\d?(;|$)"},
        [{"details.command": "CMD  ab"}, {"details.command": "pwsh xy1;more"}],
        [{"details.command": "x cmd ab"}, {"details.command": "cmd abc"}],
    ),
    (CREATION, {"CommandLine|re": 'a["#@&<~]b'}, [{"details.command": "xA&by"}], [{"details.command": "a-b"}]),
    (CREATION, {"User|contains": "Authori"}, [{"actor.username": "NT AUTHORITY"}], [{"actor.username": "author"}]),
    (CREATION, {"User|cased": "Root"}, [{"actor.username": "Root"}], [{"actor.username": "root"}]),
    (CREATION, {"ProcessId": [7, 8]}, [{"process.pid": 8}], [{"process.pid": 78}]),
    (
        CONNECTION,
        {"DestinationIp|cidr": ["10.0.0.0/8", "fe80::/10"]},
        [{"destination.ip": "10.9.8.7"}, {"destination.ip": "fe80::1"}],
        [{"destination.ip": "11.0.0.1"}, {}],
    ),
    (
        CONNECTION,
        {"DestinationIp|startswith": "172.16."},
        [{"destination.ip": "172.16.1.1"}],
        [{"destination.ip": "172.160.1.1"}],
    ),
    (CONNECTION, {"DestinationPort|gt": 1024}, [{"destination.port": 1025}], [{"destination.port": 1024}]),
    (CONNECTION, {"SourceIp": "-"}, [{}], [{"source.ip": "10.0.0.1"}]),
    (
        CREATION,
        ["Failed password", "xp_cmd", "jndi:ldap:/"],
        [{"message": "failed PASSWORD for"}, {"message": "EXEC xp_cmdshell"}, {"message": "${jndi:ldap://h/a}"}],
        [{"message": "password failed"}],
    ),
]


def _rule(number: int, logsource: dict[str, str], selection: Any) -> str:
    head = {"title": f"Case {number}", "id": f"00000000-0000-4000-8000-{number:012d}", "level": "low"}
    detection = {"selection": selection, "condition": "selection"}
    return yaml.safe_dump({**head, "logsource": logsource, "detection": detection}, sort_keys=False)


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    """The starter pack with the rules imported."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "templates", root / "templates")
    shutil.copytree(ROOT / "rules", root / "rules")
    shutil.copy(ROOT / "provisioner.yml", root)
    rules = tmp_path_factory.mktemp("sigma")
    for number, (logsource, selection, _, _) in enumerate(CASES):
        (rules / f"{number}.yml").write_text(_rule(number, logsource, selection))
    chosen = settings.load(root, "dev")
    read = source.load(root, chosen.target.vars)
    imported = importing.Importer(root, chosen, read, pipelines.load(read)).run([str(rules)])
    assert [each.reason for each in imported.outcomes] == [""] * len(CASES)
    outcomes.write(pathlib.Path(root), imported)
    return Compiler(root, chosen, source.load(root, chosen.target.vars))


@pytest.fixture(scope="module")
def client(cluster: Cluster, compiler: Compiler) -> Iterator[Client]:
    """A client, with an index for each of two log types, made of the component templates as they are sent."""
    made = cluster.client()
    for log_type in ("system", "network"):
        composed = []
        for id_ in ("event", f"sigma-{log_type}"):
            body = compiler.resource(compiler.source.documents["schema", id_]).body
            made.request("PUT", f"/_component_template/{NAME}-{id_}", body)
            composed.append(f"{NAME}-{id_}")
        wanted = compiler.resource(compiler.source.documents["index_template", log_type]).body["composed_of"]
        assert [name.partition("-")[2] for name in wanted][-2:] == ["event", f"sigma-{log_type}"]
        template = {"index_patterns": [f"{NAME}-{log_type}"], "composed_of": composed, "priority": 900}
        made.request("PUT", f"/_index_template/{NAME}-{log_type}", template)
        made.request("PUT", f"/{NAME}-{log_type}")
    yield made
    for log_type in ("system", "network"):
        made.request("DELETE", f"/{NAME}-{log_type}")
        made.request("DELETE", f"/_index_template/{NAME}-{log_type}")
    for id_ in ("event", "sigma-system", "sigma-network"):
        made.request("DELETE", f"/_component_template/{NAME}-{id_}")


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_query_finds_what_sigma_means(client: Client, compiler: Compiler, number: int) -> None:
    logsource, _, hits, misses = CASES[number]
    rule = compiler.source.documents["rule", f"case-{number}"].body
    index = f"{NAME}-{rule['log_type']}"
    said = {f"logsource.{part}": value.upper() for part, value in logsource.items()}
    client.request("POST", f"/{index}/_delete_by_query?refresh=true", {"query": {"match_all": {}}})
    other = [{**event, "logsource.category": "other"} for event in hits]
    for id_, event in enumerate([*hits, *misses, *other]):
        client.request("PUT", f"/{index}/_doc/{id_}", {**said, "@timestamp": "2026-01-01T00:00:00Z", **event})
    client.request("POST", f"/{index}/_refresh")
    for analyze in (True, False):  # as monitors of aggregations ask, and as Alerting asks for single documents
        query = {"query_string": {"query": rule["query"], "analyze_wildcard": analyze}}
        found = client.request("POST", f"/{index}/_search", {"query": query, "size": 50})
        assert sorted(int(hit["_id"]) for hit in found["hits"]["hits"]) == list(range(len(hits))), rule["query"]

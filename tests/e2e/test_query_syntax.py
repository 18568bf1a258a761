"""Our parser of query strings against the server's: no false alarm, and nothing missed, on made-up queries."""

import json
import random
import secrets

import pytest

from provisioner import querysyntax
from provisioner.errors import ApiError

ATOMS = [
    *("action", "action:x", "action:(a OR b)", 'message:"a b"~2', "action:a*", "acti*:a", "action:/ab+/", "n:[1 TO 5]"),
    *(
        "n:{1 TO *}",
        "n:[1 5]",
        "n:>=5",
        "n:(>1 AND <3)",
        "10.0.0.0/8",
        "_exists_:action",
        "*:*",
        "*",
        "a^2",
        "a^",
        "a~",
    ),
    *(
        "a~1.5",
        '"x',
        "(a",
        "a)",
        "()",
        "a:",
        "a::b",
        "a\\:b",
        "a\\",
        "\\u00",
        "AND",
        "OR",
        "NOT",
        "&&",
        "||",
        "!",
        "+a",
    ),
    *("- a", "//", "/", "~", "[", "}", "NOT NOT a", "a NOT b", "+-a", '"a"^2~1', "(a b)^2", "n:[1 TO 5]^2", "a?b"),
    *('action:["a b" TO "c"]', "a,b;c", "ä:ö", "a&b", "and", "n:[TO TO TO]", "a:b^3.", "a^-1", "action:\\*", "a(b)"),
]
PIECES = [*'()"*?~^[]+-!/\\:{}ab1', " ", "AND", "OR", "NOT", "action:", "TO"]


def _queries():
    chance = random.Random(20261124)
    yield from ATOMS
    for _ in range(250):
        yield " ".join(chance.choice(ATOMS) for _ in range(chance.randint(2, 3)))
    for _ in range(350):
        yield "".join(chance.choice(PIECES) + chance.choice(["", " "]) for _ in range(chance.randint(1, 7)))


@pytest.fixture
def client(cluster):
    return cluster.client()


@pytest.fixture
def index(client):
    name = f"query-syntax-{secrets.token_hex(4)}"
    types = {"action": "keyword", "message": "text", "n": "keyword", "a": "keyword", "@timestamp": "date"}
    mappings = {"properties": {field: {"type": type_} for field, type_ in types.items()}}
    client.request("PUT", f"/{name}", {"settings": {"number_of_replicas": 0}, "mappings": mappings})
    yield name
    client.request("DELETE", f"/{name}")


def test_the_verdicts_are_the_servers(client, index):
    alarms, missed = [], []
    queries = sorted({query for query in _queries() if query.strip()})
    for query in queries:
        wrong = querysyntax.wrong(query)
        if wrong and "regular expression /" in wrong.message:
            continue  # the server takes these for valid, and finds nothing: the next test
        body = {"query": {"query_string": {"query": query, "analyze_wildcard": True}}}
        valid = client.request("POST", f"/{index}/_validate/query", body, safe=True)["valid"]
        (alarms if valid and wrong else missed if not valid and not wrong else []).append(query)
    assert len(queries) > 500
    assert (alarms, missed) == ([], [])


@pytest.mark.parametrize("pattern", ["a(b", "a[b", "(a|b", "[^"])
def test_a_broken_regular_expression_is_valid_to_the_server_and_finds_nothing(client, index, pattern):
    query = f"action:/{pattern}/"
    body = {"query": {"query_string": {"query": query}}}
    assert client.request("POST", f"/{index}/_validate/query", body, safe=True)["valid"]
    with pytest.raises(ApiError):
        client.request("POST", f"/{index}/_search", {"query": {"regexp": {"action": pattern}}}, safe=True)
    assert "regular expression" in querysyntax.wrong(query).message, json.dumps(body)

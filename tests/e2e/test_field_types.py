"""RULE003 against the server: whatever it calls an error finds nothing there, by the server's own explanation."""

import secrets

import pytest

from provisioner import querystring
from provisioner.lints import field_type
from provisioner.model import Severity

TYPES = ("keyword", "text", "ip", "date", "long", "float", "boolean", "flat_object")
VALUES = [
    *(
        "10.*",
        "1?",
        "*",
        "/a.*/",
        "x",
        "5",
        "\\-5",
        '"-5"',
        "1.5",
        "1e3",
        "true",
        "yes",
        "now",
        "now-1h",
        "now-1d\\/d",
        "5L",
    ),
    *("2026-01-01", "2026", '"2026-01-01T10:00:00Z"', "yesterday", "1700000000000", "10.0.0.1", '"10.0.0.0/8"', "5^2"),
    *(
        "10.0.0.0\\/8",
        '"2001:db8::/32"',
        "2001\\:db8\\:\\:1",
        "localhost",
        "999.1.1.1",
        "[1 TO 5]",
        "[a TO b]",
        '"a b"',
    ),
    *(
        "[10.0.0.1 TO 10.0.0.9]",
        "[now-1h TO now]",
        ">5",
        ">=2026-01-01",
        "<x",
        "[* TO *]",
        "x~1",
        '"5"',
        "5L",
        "true^2",
    ),
]


@pytest.fixture
def index(cluster):
    name = f"field-types-{secrets.token_hex(4)}"
    fields = {f"f_{type_}": {"type": type_} for type_ in TYPES}
    body = {"settings": {"number_of_replicas": 0}, "mappings": {"properties": fields}}
    cluster.client().request("PUT", f"/{name}", body)
    yield name
    cluster.client().request("DELETE", f"/{name}")


def test_no_false_alarm(cluster, index):
    client, told, alarms = cluster.client(), 0, []
    for type_ in TYPES:
        for value in VALUES:
            query = f"f_{type_}:{value}"
            (term,) = querystring.terms(query)
            found = field_type._term(term, type_)
            if found is None or found[2] is not Severity.ERROR:
                continue
            told += 1
            body = {"query": {"query_string": {"query": query, "analyze_wildcard": True}}}
            answer = client.request("POST", f"/{index}/_validate/query", body, {"explain": "true"}, safe=True)
            if answer["valid"] and "MatchNoDocs" not in answer["explanations"][0]["explanation"]:
                alarms.append(query)
    assert told > 60
    assert alarms == []

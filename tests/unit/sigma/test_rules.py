"""Rules of every category, as SigmaHQ writes them, become rules that pass our own checks."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sigma_repository import checked, make, run_in

from provisioner.sigma import outcome as outcomes

HEAD = """\
title: {title}
id: 9d3c2f0a-0000-4000-8000-{number:012d}
status: test
description: Something was done that should not be.
references: ['https://example.org/a', 'a book']
author: Jane Doe
date: 2024-02-03
tags: [attack.execution, attack.t1059.001, cve.2021-44228]
falsepositives: [Unknown, Administrators at work]
level: high
"""


def sigma(logsource, detection, number=1, **more):
    head = HEAD.format(title=more.pop("title", "Odd Thing"), number=number)
    return head + yaml.safe_dump({**more, "logsource": logsource, "detection": detection}, sort_keys=False)


def selected(logsource, selection, condition="selection", **more):
    return sigma(logsource, {"selection": selection, "condition": condition}, **more)


def test_everything_about_a_rule(rule, repository):
    body = rule(selected({"product": "linux", "service": "auditd"}, {"type": "EXECVE", "a0|contains": "Wget"}))
    query = "logsource.product:linux AND logsource.service:auditd AND (auditd.type:execve AND auditd.a0:*wget*)"
    assert {key: value for key, value in body.items() if key != "origin"} == {
        "kind": "rule",
        "id": "odd-thing",
        "title": "Odd Thing",
        "description": "Something was done that should not be.",
        "severity": "high",
        "log_type": "system",
        "type": "match",
        "query": query,
        "schedule": "1m",
        "attack": ["T1059.001"],
        "tags": ["attack.execution", "cve.2021-44228"],
        "references": ["https://example.org/a"],
        "runbook": "docs/runbooks/sigma.md",
        "false_positives": ["Administrators at work"],
    }
    assert body["origin"]["sigma"] == "9d3c2f0a-0000-4000-8000-000000000001"
    text = (repository / "rules/detections/sigma/system/odd-thing.yml").read_text()
    assert "# Author: Jane Doe" in text
    assert "# status: test, date: 2024-02-03" in text
    schema = yaml.safe_load((repository / "templates/schema/sigma-system.yml").read_text())
    assert schema["log_types"] == ["system"]
    assert schema["fields"]["auditd.a0"] == {"type": "keyword", "ignore_case": True, "description": "Sigma's a0."}
    assert (repository / "docs/runbooks/sigma.md").is_file()


WINDOWS = {"product": "windows", "category": "process_creation"}
CASES = [
    (WINDOWS, {"Image|endswith": r"\Net.exe"}, r"process.executable:*\\net.exe"),
    (WINDOWS, {"CommandLine|contains|all": [" -a ", "b:c"]}, r"details.command:(*\ \-a\ * AND *b\:c*)"),
    (WINDOWS, {"CommandLine|contains|windash": " -e "}, r"AND details.command:(*\ \-e\ * OR *\ \/e\ *"),
    (WINDOWS, {"CommandLine|base64offset|contains": "http"}, "AND details.command:(*ahr0c* OR *h0dh* OR *odhrw*)"),
    (WINDOWS, {"CommandLine|re": r"^cmd\s+(/c|/k)\b?x{2,3}"}, None),
    (WINDOWS, {"CommandLine|re": r"^cmd\s+(?:/c|/k).*?$"}, r"details.command:/cmd[\ ]+\/[ck].*/"),
    (WINDOWS, {"CommandLine|re": "a.{1,64}b"}, "details.command:/.*a.+b.*/"),
    (WINDOWS, {"User|contains": "AUTO"}, "actor.username:/.*[aA][uU][tT][oO].*/"),
    (WINDOWS, {"User|cased": "Root"}, "actor.username:Root"),
    (WINDOWS, {"ParentImage": None}, "NOT _exists_:process.parent.executable"),
    (WINDOWS, {"ParentImage|exists": True}, "_exists_:process.parent.executable"),
    (WINDOWS, {"ParentImage": ""}, 'process.parent.executable:""'),
    (WINDOWS, {"Image|fieldref": "ParentImage"}, None),
    (WINDOWS, {"CommandLine|expand": "%tools%"}, None),
    ({"product": "windows", "service": "security"}, {"EventID": 4625, "IpAddress": "-"}, "(NOT _exists_:source.ip)"),
    (
        {"product": "windows", "category": "registry_set"},
        {"TargetObject|startswith": "HKLM\\"},
        r"registry.path:hklm\\*",
    ),
    (
        {"product": "windows", "category": "network_connection"},
        {"DestinationIp|cidr": "10.0.0.0/8"},
        'destination.ip:"10.0.0.0/8"',
    ),
    (
        {"product": "windows", "category": "network_connection"},
        {"DestinationIp|startswith": "192.168."},
        'destination.ip:"192.168.0.0/16"',
    ),
    ({"product": "windows", "category": "network_connection"}, {"DestinationIp|contains": "1"}, None),
    (
        {"product": "windows", "category": "network_connection"},
        {"DestinationPort": [22, "3389"]},
        "destination.port:(22 OR 3389)",
    ),
    (
        {"product": "windows", "category": "network_connection"},
        {"DestinationPort|gte": 1024},
        "destination.port:>=1024",
    ),
    ({"product": "windows", "category": "dns_query"}, {"QueryName|endswith": ".onion"}, "dns.question.name:*.onion"),
    (
        {"product": "windows", "category": "ps_script"},
        {"ScriptBlockText|contains": "${"},
        r"powershell.script_block_text:*$\{*",
    ),
    ({"category": "webserver"}, {"cs-uri-query|contains": "../"}, r"url.query:*..\/*"),
    ({"category": "webserver"}, {"sc-status": 200}, "http.response.status_code:200"),
    ({"category": "proxy"}, {"c-useragent|startswith": "curl"}, "source.user_agent:curl*"),
    ({"category": "proxy"}, ["a b", "union*select"], '(message:"a b" OR (message:*union* AND message:*select*))'),
    ({"category": "proxy"}, ["../"], None),
    (
        {"product": "aws", "service": "cloudtrail"},
        {"eventName": "StopLogging"},
        "aws.cloudtrail.event_name:stoplogging",
    ),
    ({"product": "aws", "service": "cloudtrail"}, {"sourceIPAddress": "1.2.3.4"}, 'source.ip:"1.2.3.4"'),
    ({"product": "azure", "service": "signinlogs"}, {"ResultType": 50053}, "azure.signinlogs.result_type:50053"),
    (
        {"product": "gcp", "service": "gcp.audit"},
        {"gcp.audit.method_name": "x.delete"},
        "gcp.gcp_audit.gcp.audit.method_name:x.delete",
    ),
    ({"product": "okta", "service": "okta"}, {"eventType": "user.lock"}, "okta.okta.event_type:user.lock"),
    (
        {"product": "linux", "service": "sshd"},
        ["maximum tries exceeded"],
        'process.name:sshd AND message:"maximum tries exceeded"',
    ),
    (
        {"product": "linux", "category": "file_event"},
        {"TargetFilename": "/etc/cron.d/*"},
        r"file.path:\/etc\/cron.d\/*",
    ),
]


@pytest.mark.parametrize(("logsource", "selection", "expected"), CASES)
def test_conditions(imported, repository, logsource, selection, expected):
    (outcome,) = imported(selected(logsource, selection)).outcomes
    if expected is None:
        assert (outcome.action, bool(outcome.reason)) == ("refused", True)
    else:
        assert outcome.action == "created", outcome.reason
        query = yaml.safe_load((repository / outcome.written).read_text())["query"]
        assert expected in query


def test_not_beside_or_stands_in_brackets(rule):
    detection = {"a": {"Image": "x"}, "b": {"User": None}, "condition": "a or not b"}
    assert rule(sigma(WINDOWS, detection))["query"].endswith("(process.executable:x OR _exists_:actor.username)")
    detection = {"a": {"Image": "x"}, "b": {"Image": "y"}, "c": {"CommandLine": "z"}, "condition": "a or not (b and c)"}
    query = rule(sigma(WINDOWS, detection, number=2, title="Second"))["query"]
    assert query.endswith("(process.executable:x OR (NOT (process.executable:y AND details.command:z)))")


def test_techniques_that_attack_has_not(rule):
    text = selected(WINDOWS, {"Image": "x"}).replace("attack.t1059.001", "attack.t1086, attack.t9999, attack.t1003")
    body = rule(text)
    assert body["attack"] == ["T1059.001", "T1003"]  # T1086's heir
    assert body["tags"] == ["attack.execution", "attack.t9999", "cve.2021-44228"]


def test_a_filter_becomes_a_part_of_its_rule(imported, repository):
    text = selected(WINDOWS, {"Image": "x"}) + (
        "---\ntitle: Not ours\nlogsource: {product: windows}\n"
        "filter: {rules: any, s: {User|cased: bob}, condition: not s}\n"
    )
    imported(text)
    query = yaml.safe_load((repository / "rules/detections/sigma/system/odd-thing.yml").read_text())["query"]
    assert query.endswith("(process.executable:x AND (NOT actor.username:bob))")


def test_what_alerting_cannot_match_becomes_a_threshold_rule(rule):
    pipeline = {"product": "linux", "service": "sshd"}
    body = rule(selected(pipeline, {"labels.team": "red"}))
    assert body["type"] == "match"  # labels.team has a field of its own below the log source's prefix
    assert "linux.sshd.labels.team:red" in body["query"]


def test_selections_and_statuses(imported):
    gone = selected(WINDOWS, {"Image": "x"}).replace("status: test", "status: deprecated")
    other = selected(WINDOWS, {"Image": "y"}, number=2, title="Other").replace("level: high", "level: low")
    texts = (gone, other)
    assert [each.action for each in imported(*texts, write=False).outcomes] == ["skipped", "created"]
    assert [each.action for each in imported(*texts, write=False, level=["high"]).outcomes] == ["skipped", "skipped"]
    assert [each.action for each in imported(*texts, write=False, status=["deprecated"]).outcomes] == [
        "created",
        "skipped",
    ]
    assert [each.action for each in imported(*texts, write=False, tag=["attack.t1059*"]).outcomes] == [
        "skipped",
        "created",
    ]


def test_names_that_collide(imported):
    first, second = selected(WINDOWS, {"Image": "x"}), selected(WINDOWS, {"Image": "y"}, number=2)
    result = imported(first, second, first)
    ids = [each.id for each in result.outcomes]
    assert ids[0] == "odd-thing"
    assert ids[1].startswith("odd-thing-")
    assert result.outcomes[2].action == "refused"
    assert "has the same id" in result.outcomes[2].reason


def test_a_field_that_is_a_value_and_holds_others(imported):
    source = {"product": "aws", "service": "cloudtrail"}
    result = imported(selected(source, {"x.y": 1}), selected(source, {"x": 1}, number=2, title="Other"))
    assert [each.action for each in result.outcomes] == ["created", "refused"]
    assert "there is aws.cloudtrail.x.y" in result.outcomes[1].reason


def test_no_secret_and_no_template_by_the_words_of_a_rule(rule):
    body = rule(selected(WINDOWS, {"CommandLine": "${env:X} {{ x }}"}, title="a ${env:PATH} {{ b }}"))
    assert body["title"] == "a $ {env:PATH} { { b }}"
    assert "${env:" not in body["query"]
    assert "{{" not in body["query"]


VALUES = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.lists(st.text(max_size=8), max_size=3),
)
FIELDS = st.sampled_from(
    ["Image", "CommandLine", "DestinationIp", "EventID", "User", "a.b", "x y", "Ω", "c-uri", "ProcessId"]
)
MODIFIERS = st.sampled_from(
    [
        "",
        "|contains",
        "|startswith",
        "|endswith",
        "|re",
        "|cidr",
        "|all",
        "|cased",
        "|gt",
        "|exists",
        "|base64offset",
        "|windash",
        "|neq",
        "|i",
    ]
)
DETECTIONS = st.dictionaries(st.tuples(FIELDS, MODIFIERS).map("".join), VALUES, min_size=1, max_size=3)


@given(
    DETECTIONS,
    st.sampled_from(
        [WINDOWS, {"category": "proxy"}, {"product": "aws", "service": "cloudtrail"}, {"product": "linux"}]
    ),
)
def test_any_detection_is_converted_into_a_valid_rule_or_refused_with_a_reason(tmp_path_factory, detection, logsource):
    root = make(tmp_path_factory.mktemp("any"))
    (root / "in.yml").write_text(selected(logsource, detection), encoding="utf-8")
    result = run_in(root, root / "in.yml")
    assert all(each.action == "created" or (each.action == "refused" and each.reason) for each in result.outcomes)
    assert len(result.outcomes) == 1
    outcomes.write(root, result)
    assert checked(root) == []

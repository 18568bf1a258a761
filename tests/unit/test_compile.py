"""Documents into resources: names, references, files, and every mistake at the place where it was made."""

import json
import pathlib

import pytest

from provisioner import repository, schema, settings, source
from provisioner.compile import Compiler
from provisioner.kinds import all_kinds
from provisioner.model import Origin

ROOT = pathlib.Path(__file__).parents[2]
RULE_SCHEMA = (
    """{"type": "object", "properties": {"query": {"type": "string", "description": "q"}}, "required": ["query"]}"""
)
TEMPLATES = {
    "templates/monitors/plain.schema.json": RULE_SCHEMA,
    "templates/monitors/plain.yml.j2": (
        "name: {{ name(doc.id) }}\nquery: {{ doc.query }}\nlevel: {{ lookup('severity', doc.severity).level }}\n"
        "channels:\n{% for id in lookup('severity', doc.severity).channels %}\n"
        "  - {{ ref('channel', id) }}\n{% endfor %}\n"
    ),
    "templates/pipelines/ingest_pipeline.yml.j2": (
        "processors:\n{% for p in doc.processors %}\n{% if p.pipeline is defined %}\n"
        "  - {{ ref('ingest_pipeline', p.pipeline.name) }}\n{% else %}\n  - {{ p }}\n{% endif %}\n{% endfor %}\n"
    ),
}
SEVERITY = "kind: severity\nid: high\ntitle: High\nlevel: '2'\nresponse_time: 1h\nchannels: [{}]\n"
CHANNEL = "kind: channel\nid: ops\ntype: slack\nurl: ${env:SLACK}\n"
RULE = (
    "kind: rule\nid: r1\ntitle: high\ntype: plain\nseverity: high\nlog_type: system\nschedule: 1m\n"
    "runbook: docs/runbooks/r1.md\nquery: 'a:b'\n"
)


@pytest.fixture
def compiled(make_repository):
    def compiled(files):
        root = make_repository({**TEMPLATES, **files})
        chosen = settings.load(root, None)
        return Compiler(root, chosen, source.load(root, chosen.target.vars)).run()

    return compiled


def told(desired):
    return [(f.code, str(f.origin), f.message) for f in desired.findings]


def only(desired, kind):
    assert desired.findings == ()
    (resource,) = (r for r in desired.resources if r.kind == kind)
    return resource


def test_a_rule_with_its_names_and_dependencies(compiled):
    desired = compiled({"rules/a.yml": "\n".join([RULE, "---", SEVERITY.format("ops"), "---", CHANNEL])})
    monitor = only(desired, "monitor")
    assert monitor.key == "acme-r1"
    assert monitor.body == {"name": "acme-r1", "query": "a:b", "level": "2", "channels": ["acme-ops"]}
    assert monitor.depends_on == {("channel", "acme-ops")}
    assert monitor.origin == Origin("rules/a.yml", 1, 1)
    assert [r.kind for r in desired.resources] == ["monitor", "channel"]


def test_a_missing_reference_is_told_where_it_is_named(compiled):
    # The title reads `high` too: the place is that of `severity`.
    desired = compiled({"rules/a.yml": RULE, "rules/b.yml": SEVERITY.format("").replace("id: high", "id: hihg")})
    assert told(desired) == [("REF001", "rules/a.yml:5:11", "there is no severity 'high'")]
    assert desired.findings[0].hint == "did you mean 'hihg'?"


def test_a_missing_reference_in_another_document_is_told_there(compiled):
    desired = compiled({"rules/a.yml": RULE, "rules/b.yml": SEVERITY.format("ops")})
    assert told(desired) == [("REF001", "rules/b.yml:6:12", "there is no channel 'ops'")]


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("type: plain", "type: plane", "4:7", "there is no rule type 'plane'"),
        ("type: plain", "type: ../monitors/plain", "4:7", "there is no rule type"),
        ("type: plain", 'type: "pl\\0ain"', "4:7", "there is no rule type"),
        ("type: plain", f"type: {'x' * 5000}", "4:7", "there is no rule type"),
        ("type: plain", "type: [plain]", "4:7", "type: a list is not text"),
        ("query: 'a:b'", "qeury: 'a:b'", "9:1", "unknown key 'qeury'"),
        ("query: 'a:b'", "query: [1]", "9:8", "query: a list is not text"),
        ("schedule: 1m", "schedule: 1", "7:11", "schedule: 1 is not text"),
        ("id: r1", "id: r1\nid: r2", "3:1", "stands twice"),
    ],
)
def test_mistakes_in_a_rule(make_repository, old, new, place, words):
    root = make_repository({**TEMPLATES, "rules/a.yml": RULE.replace(old, new)})
    found = {str(finding.origin): finding for finding in repository.load(root).findings}[f"rules/a.yml:{place}"]
    assert words in found.message
    assert found.hint


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{", "unexpected end"),
        ("[]", ""),
        ('{"properties": {"query": {"type": "strin"}}}', "strin"),
        ('{"properties": {"query": {"$ref": "http://127.0.0.1:1/x"}}}', "http://127.0.0.1:1/x"),
        ('{"properties": {"query": {"pattern": "("}}}', ""),
        (b"\xff", "utf-8"),
    ],
)
def test_a_broken_schema_of_a_rule_type(compiled, schema, words):
    desired = compiled({"rules/a.yml": RULE, "templates/monitors/plain.schema.json": schema})
    ((code, origin, message),) = told(desired)
    assert (code, origin) == ("TPL001", "templates/monitors/plain.schema.json:1:1")
    assert words in message


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("a: {{ doc.nothing }}", "has no attribute 'nothing' (templates/monitors/plain.yml.j2:1)"),
        ("- a", "gives no mapping"),
        ("a: {{ ref('severity', 'high') }}", "a severity becomes nothing in the cluster: use lookup"),
        ("a: {{ ref('rule', ['r1']) }}", "unhashable"),
        ("a: {{ ms('5 minutes') }}", "'5 minutes' is no duration"),
        ("a: {{ read('../rules/a.yml') }}", "there is no file"),
        ("{% if %}", "templates/monitors/plain.yml.j2:1"),
        ("source: {file: ../../../../etc/passwd}", "there is no file"),
        ("source: {file: /etc/passwd}", "there is no file"),
        ('source: {file: "a\\0b"}', "there is no file"),
        ("source: {file: latin1.txt}", "can't be read"),
        ("source: {file: link.txt}", "there is no file"),
    ],
)
def test_a_template_that_cannot_be_rendered(compiled, tmp_path, template, words):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "latin1.txt").write_bytes(b"\xe9")
    (tmp_path / "rules" / "link.txt").symlink_to("/etc/passwd")
    desired = compiled({"rules/a.yml": RULE, "templates/monitors/plain.yml.j2": template})
    ((code, origin, message),) = told(desired)
    assert (code, origin) == ("TPL001", "rules/a.yml:1:1")
    assert words in message


def test_a_rule_type_without_a_body_template(compiled):
    desired = compiled(
        {"rules/a.yml": RULE.replace("plain", "bare"), "templates/monitors/bare.schema.json": RULE_SCHEMA}
    )
    assert "there is no body template templates/monitors/bare.yml.j2" in told(desired)[0][2]


PIPELINE = "kind: ingest_pipeline\nid: {}\nprocessors:\n  - {}\n"


def test_a_script_from_the_file_beside_the_document(compiled):
    text = PIPELINE.format("p", "script: {source: {file: sub/s.painless}, params: {source: {file: 1}, file: x}}")
    desired = compiled({"templates/a/p.yml": text, "templates/a/sub/s.painless": "ctx.x = '{{ no }}' + \"ä\";\n"})
    assert only(desired, "ingest_pipeline").body["processors"] == [
        {"script": {"source": "ctx.x = '{{ no }}' + \"ä\";\n", "params": {"source": {"file": 1}, "file": "x"}}}
    ]


def test_pipelines_that_call_each_other_in_a_circle(compiled):
    desired = compiled(
        {
            "templates/a.yml": PIPELINE.format("a", "pipeline: {name: b}"),
            "templates/b.yml": PIPELINE.format("b", "pipeline: {name: a}"),
            "templates/c.yml": PIPELINE.format("c", "pipeline: {name: c}"),
        }
    )
    ((code, origin, message),) = told(desired)
    assert code == "REF002"
    assert origin in ("templates/a.yml:1:1", "templates/b.yml:1:1")
    assert "ingest_pipeline acme-a → ingest_pipeline acme-b" in message


def test_two_documents_of_one_name_in_the_cluster(compiled):
    desired = compiled(
        {
            "templates/a.yml": "kind: component_template\nid: x\ntitle: t\ntemplate: {settings: {}}\n",
            "templates/b.yml": "\nkind: schema\nid: x\ntitle: t\nfields: {a: {type: keyword, description: d}}\n",
        }
    )
    assert told(desired) == [
        (
            "DOC003",
            "templates/b.yml:2:1",
            "component_template 'acme-x' is made already by the document at templates/a.yml:1:1",
        )
    ]


def test_data_streams_bear_no_owner_but_the_namespace(compiled):
    files = {"templates/index/data_stream.yml.j2": "{}", "templates/d.yml": "kind: data_stream\nid: system\n"}
    assert only(compiled(files), "data_stream").key == "logs-system-default"


def test_an_empty_repository_and_one_without_resources(compiled):
    assert compiled({}).resources == ()
    assert compiled({"rules/a.yml": SEVERITY.format("")}).findings == ()


def test_a_text_of_a_template_sees_the_same_names(make_repository):
    root = make_repository({"templates/shippers/s.j2": "{{ owner }} {{ namespace }} {{ target.name }} {{ doc.id }}"})
    root = make_repository({"templates/s.yml": "kind: shipper\nid: s\n"})
    chosen = settings.load(root, None)
    read = source.load(root, {})
    compiler = Compiler(root, chosen, read)
    assert compiler.text(read.documents["shipper", "s"], "shippers/s.j2") == '"acme" "default" "dev" "s"'


def test_what_fails_only_because_of_another_document_says_nothing(compiled):
    # Without `level` the severity is wrong, and the rule's template can't find it: one finding, at the severity.
    broken = SEVERITY.format("").replace("level: '2'\n", "")
    desired = compiled({"rules/a.yml": RULE, "rules/b.yml": broken})
    assert told(desired) == [("DOC002", "rules/b.yml:1:1", "severity lacks the key 'level'")]


def test_the_id_stands_in_for_a_missing_title(compiled):
    template = "a: {{ doc.title }}\nb: {{ lookup('severity', 'high').title }}\nc: {{ documents('severity')[0].title }}"
    severity = SEVERITY.format("").replace("title: High\n", "")
    desired = compiled({"rules/a.yml": RULE + "---\n" + severity, "templates/monitors/plain.yml.j2": template})
    assert only(desired, "monitor").body == {"a": "high", "b": "high", "c": "high"}


def test_shippers_are_rendered_too(compiled):
    shipper = (ROOT / "templates/shippers/filebeat.yml").read_text(encoding="utf-8")
    template = "{{ doc.title }} {{ ref('data_stream', 'none') }}"
    desired = compiled({"templates/shippers/filebeat.yml": shipper, "templates/shippers/filebeat.j2": template})
    ((code, origin, message),) = told(desired)
    assert (code, message) == ("REF001", "there is no data_stream 'none'")
    assert origin.startswith("templates/shippers/filebeat.yml:")


RAW = "kind: raw\nid: {id}\nresource: {resource}\nname: {name}\nbody: {body}\n"


def raw(resource, name, body, id_="x"):
    return RAW.format(id=id_, resource=resource, name=json.dumps(name), body=json.dumps(body))


def test_a_raw_document_is_sent_as_it_is(compiled):
    body = {"name": "Failed {{x}} logins", "a": ["{{ctx.results.0}}", "\\{{ host }}", "1e3"], "source": {"file": "x"}}
    monitor = only(compiled({"rules/a.yml": raw("monitor", body["name"], body)}), "monitor")
    assert monitor.key == "Failed {{x}} logins"
    assert monitor.body == {**body, "a": ["{{ctx.results.0}}", "{{ host }}", "1e3"]}
    assert monitor.origin == Origin("rules/a.yml", 1, 1)
    assert monitor.document.kind == "raw"


def test_raw_documents_depend_on_what_their_bodies_name(compiled):
    template = {"index_patterns": ["a-*"], "composed_of": ["acme-c", "gone"], "template": {}}
    settings = {"settings": {"index": {"final_pipeline": "p"}}}
    files = {
        "templates/a.yml": raw("index_template", "t", template, "t"),
        "templates/b.yml": raw("ingest_pipeline", "p", {"processors": [{"pipeline": {"name": "p"}}]}, "p"),
        "templates/c.yml": f"kind: component_template\nid: c\ntemplate: {json.dumps(settings)}\n",
    }
    desired = compiled(files)
    assert desired.findings == ()
    assert {r.ref: r.depends_on for r in desired.resources} == {
        ("index_template", "t"): {("component_template", "acme-c")},
        ("ingest_pipeline", "p"): frozenset(),
        ("component_template", "acme-c"): {("ingest_pipeline", "p")},
    }


def test_a_raw_data_stream_comes_after_its_retention(compiled):
    policy = {"ism_template": [{"index_patterns": ["app-*"]}], "states": []}
    files = {
        "ilm/a.yml": raw("ism_policy", "keep", policy, "a"),
        "ilm/b.yml": raw("ism_policy", "other", {"ism_template": [{"index_patterns": ["web-*"]}]}, "b"),
        "templates/a.yml": raw("data_stream", "app-x", {"template": "t"}, "c"),
    }
    assert only(compiled(files), "data_stream").depends_on == {("ism_policy", "keep")}


CATCH = """\
owner: acme
targets:
  dev: {hosts: ["http://127.0.0.1:19799"], catch: {http: "http://127.0.0.1:19790", smtp: "127.0.0.1:19791"}}
"""


@pytest.mark.parametrize(
    ("body", "caught"),
    [
        (
            {"name": "n", "is_enabled": False, "config_type": "slack", "slack": {"url": "https://x"}},
            {"webhook": {"url": "http://127.0.0.1:19790/x", "method": "POST", "header_params": {}}},
        ),
        (
            {"name": "n", "config_type": "webhook", "webhook": {"url": "https://x", "header_params": {"A": "b"}}},
            {"webhook": {"url": "http://127.0.0.1:19790/x", "method": "POST", "header_params": {}}},
        ),
        (
            {"name": "n", "config_type": "ses_account", "ses_account": {"region": "eu", "from_address": "a@b"}},
            {"smtp_account": {"host": "127.0.0.1", "port": 19791, "method": "none", "from_address": "a@b"}},
        ),
        ({"name": "n", "config_type": "email_group", "email_group": {"recipient_list": []}}, {}),
        ({"name": "n"}, {}),
    ],
)
def test_raw_channels_of_a_development_target_send_to_nobody_else(compiled, body, caught):
    channel = only(compiled({"provisioner.yml": CATCH, "rules/a.yml": raw("channel", "key", body)}), "channel")
    kept = {key: value for key, value in body.items() if key != body.get("config_type")} if caught else body
    assert channel.body == {**kept, **caught, **({"config_type": next(iter(caught))} if caught else {})}
    # Only channels are.
    pipeline = only(
        compiled({"provisioner.yml": CATCH, "rules/a.yml": raw("ingest_pipeline", "key", body)}), "ingest_pipeline"
    )
    assert pipeline.body == body


def test_a_rule_can_name_a_raw_channel(compiled):
    channel = raw("channel", "hand-made", {"config_type": "slack"}, "ops")
    monitor = only(
        compiled({"rules/a.yml": "\n".join([RULE, "---", SEVERITY.format("ops"), "---", channel])}), "monitor"
    )
    assert monitor.body["channels"] == ["hand-made"]
    assert monitor.depends_on == {("channel", "hand-made")}


def test_a_raw_channel_of_another_id_is_suggested(compiled):
    channel = raw("channel", "hand-made", {}, "opps")
    desired = compiled({"rules/a.yml": "\n".join([RULE, "---", SEVERITY.format("ops"), "---", channel])})
    assert [f.hint for f in desired.findings] == ["did you mean 'opps'?"]


def test_one_object_from_two_documents(compiled):
    desired = compiled({"rules/a.yml": CHANNEL, "rules/b.yml": raw("channel", "acme-ops", {"config_type": "slack"})})
    told_ = told(desired)
    assert told_ == [
        ("DOC003", "rules/b.yml:1:1", "channel 'acme-ops' is made already by the document at rules/a.yml:1:1")
    ]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (raw("moniter", "x", {}), "3:11", "resource: 'moniter' is none of the values allowed here", "'monitor'?"),
        (raw("channel", "", {}), "4:7", "name: is empty", ""),
        (raw("channel", "x", []), "5:7", "body: a list is not a mapping", ""),
        (raw("channel", "x", {}) + "owner: me\n", "6:1", "unknown key 'owner' in raw", ""),
        ("kind: raw\nid: x\nresource: channel\nname: x\n", "1:1", "raw lacks the key 'body'", ""),
        (raw("monitor", "x", {"name": "y"}), "5:16", "the monitor's body must have the document's name, 'x'", "`name`"),
        (raw("monitor", "x", {}), "5:7", "the monitor's body must have the document's name, 'x'", "`name`"),
    ],
)  # fmt: skip
def test_a_wrong_raw_document(compiled, text, place, message, hint):
    (finding,) = compiled({"rules/a.yml": text}).findings
    assert (finding.code, str(finding.origin), finding.message) == ("DOC002", f"rules/a.yml:{place}", message)
    assert hint in finding.hint


@pytest.mark.parametrize("access", ["", "access: true"])
def test_raw_roles_take_a_target_with_access(compiled, access):
    config = f'owner: acme\ntargets: {{dev: {{hosts: ["http://127.0.0.1:19799"]{", " * bool(access)}{access}}}}}\n'
    desired = compiled({"provisioner.yml": config, "rules/a.yml": raw("role", "writer", {"cluster_permissions": []})})
    assert desired.findings == ()
    assert [r.ref for r in desired.resources] == ([("role", "writer")] if access else [])


def test_the_schema_of_raw_documents_knows_every_kind():
    assert schema.load("raw")["properties"]["resource"]["enum"] == sorted(all_kinds())

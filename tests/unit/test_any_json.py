"""Bodies can be any JSON: raw documents say what a person wrote, and the cluster shows what other tools wrote."""

import contextlib
import copy
import json
import random
from pathlib import Path

import pytest

from provisioner import diff, mentions, plainsecrets, plan, planfile, schema, secretplaces, source, terms
from provisioner.bodytemplates import TemplateError, Templates
from provisioner.compile import RESOURCE_KINDS, Compiler
from provisioner.errors import ProvisionerError
from provisioner.fingerprint import masked, of, secrets
from provisioner.kinds import all_kinds, ism_policy, monitor
from provisioner.known import Known
from provisioner.model import Document, Facts, Index, Live, Options, Origin, Record
from provisioner.rawfile import FOLDERS, UnwritableError, Writer
from provisioner.report import json as as_json
from provisioner.report import markdown, text
from provisioner.settings import Settings, Target
from provisioner.source import Source
from provisioner.terms import Held

ROOT = Path(__file__).parents[2]
EXAMPLES = 2_000
SALT = "5a" * 16
PATHS = {name: kind.secret_paths for name, kind in all_kinds().items()}
NOW = 1_800_000_000_000
ORIGIN = Origin("rules/any.yml", 3, 1)
TARGET = Target("tests", ("http://127.0.0.1:9",), vars={"replicas": 1}, access=True)
CATCH = Target(
    "tests",
    TARGET.hosts,
    vars=TARGET.vars,
    catch={"http": "http://127.0.0.1:9281", "smtp": "127.0.0.1:9282"},
    access=True,
)
READ = source.load(ROOT, TARGET.vars)
TEMPLATES = Templates([ROOT / "templates"])
JUNK = (
    None,
    True,
    False,
    0,
    5,
    -1,
    1.5,
    2**63,
    "",
    "x",
    "*",
    "-",
    "30d",
    "9" * 5000 + "d",
    "{{ a",
    "${env:X",
    "a\u0000ü\n",
)
JUNK += ([], [5], [None], [[]], ["x"], [{}], {}, {"x": None}, {"": 5}, {"config": 5}, {"name": []}, {"id": {}})
"""What a value may be replaced by; copied, since bodies are changed in place."""
SHOWN = (*JUNK, 10**30, -(10**30))
"""The cluster may show more than a document can say."""


def seeds():
    """Bodies that make sense, by kind: those of the pack, and by hand what it has none of."""
    found = {kind: [] for kind in all_kinds()}
    for resource in Compiler(ROOT, Settings("acme", TARGET), READ).run().resources:
        found[resource.kind].append(resource.body)
    hook = {"url": "https://h/x", "scheme": "https", "header_params": {"A": "b"}, "query_params": {"key": "c"}}
    destination = {"slack": {"url": "https://h/${env:X}"}, "custom_webhook": {**hook, "password": "p"}}
    found["ism_policy"].append(
        {
            "description": "provisioner owner=acme",
            "error_notification": {"destination": destination, "message_template": {"source": "x"}},
            "default_state": "hot",
            "states": [
                {
                    "name": "hot",
                    "actions": [{"rollover": {"min_index_age": "1d"}}, {"notification": {"channel": {"id": "x"}}}],
                    "transitions": [{"state_name": "gone", "conditions": {"min_rollover_age": "1d"}}],
                },
                {"name": "gone", "actions": [{"delete": {}}], "transitions": []},
            ],
            "ism_template": [{"index_patterns": ["logs-*"], "priority": 1}],
        }
    )
    channel = {"name": "x", "description": "", "is_enabled": True}
    found["channel"] += [
        {**channel, "config_type": "slack", "slack": {"url": "https://hooks.slack.com/x"}},
        {
            **channel,
            "config_type": "webhook",
            "webhook": {"url": "https://u:p@h/?token=x", "header_params": {"A": "b"}},
        },
        {**channel, "config_type": "smtp_account", "smtp_account": {"host": "h", "port": 25, "from_address": "a@b"}},
        {**channel, "config_type": "email", "email": {"email_account_id": "x", "email_group_id_list": ["y"]}},
    ]
    found["role"].append(
        {
            "cluster_permissions": ["*"],
            "index_permissions": [
                {
                    "index_patterns": ["a*"],
                    "allowed_actions": ["read"],
                    "dls": "{}",
                    "fls": ["~a"],
                    "masked_fields": ["b::x"],
                }
            ],
            "tenant_permissions": [{"tenant_patterns": ["t"], "allowed_actions": ["w"]}],
        }
    )
    found["role_mapping"].append({"users": ["a"], "backend_roles": ["b"], "hosts": [], "and_backend_roles": ["c"]})
    found["user"].append(
        {"password": "${env:X}", "backend_roles": ["a"], "opendistro_security_roles": ["r"], "attributes": {"a": "b"}}
    )
    delegates = [{"order": 1, "monitor_id": "@acme-x"}]
    chained = {"id": "acme:w", "name": "w", "severity": "1", "actions": [{"id": "a", "destination_id": "x"}]}
    chained["condition"] = {"script": {"source": "monitor[id=@acme-x]", "lang": "painless"}}
    found["workflow"].append(
        {
            "type": "workflow",
            "name": "acme-w",
            "workflow_type": "composite",
            "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
            "inputs": [{"composite_input": {"sequence": {"delegates": delegates}}}],
            "triggers": [{"chained_alert_trigger": chained}],
        }
    )
    assert all(found.values())
    return found


SEEDS = seeds()


def ways(value, at=()):
    yield at
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from ways(child, (*at, key))


def mutated(body, chance, junk=JUNK):
    """The body with one to four of its values replaced, removed, doubled, or put one level deeper; still a mapping."""
    made = copy.deepcopy(body)
    for _ in range(chance.randint(1, 4)):
        all_ways = [way for way in ways(made) if way]
        if not all_ways:
            return made
        # A short way as often as a long one: most values stand deep.
        depth = chance.choice(sorted({len(way) for way in all_ways}))
        *up, key = chance.choice([way for way in all_ways if len(way) == depth])
        holder = made
        for step in up:
            holder = holder[step]
        what = chance.randrange(8)
        if what == 0:
            del holder[key]
        elif what == 1:
            holder[key] = [holder[key], copy.deepcopy(holder[key])]
        elif what == 2:
            holder[key] = {chance.choice(["config", "name", "id", "delete", "0"]): holder[key]}
        else:
            holder[key] = copy.deepcopy(chance.choice(junk))
    return made


def resources(kind, body, target):
    """A raw document with this body, compiled."""
    said = {"resource": kind, "name": "acme-x", "body": body}
    document = Document("raw", "x", said, {(): ORIGIN}, {(): ORIGIN})
    compiler = Compiler(ROOT, Settings("acme", target), Source({("raw", "x"): document}, ()))
    compiler.templates = TEMPLATES  # compiled once
    desired = compiler.run()
    secretplaces.misplaced(desired.resources)
    plainsecrets.plain(desired.resources, [document])
    return desired.resources


def looked_at(kind, there, writer):
    """What is asked of an object by others than a plan."""
    mentions.mentions(kind, there, "acme-x")
    mentions.attaches(there, "logs-x")
    monitor.normalize(there)
    monitor.marks(there)
    ism_policy.normalize(there)
    terms.shortened(there, there)
    json.dumps(secrets(there, PATHS[kind]))
    with contextlib.suppress(UnwritableError):
        writer.file(Live(kind, "acme-x", there, "x"), PATHS[kind])


def known(kind, sent, there, owner, chance):
    shown = masked(there, PATHS[kind], SALT)
    document = {"body": sent}
    blobs = {of(body): body for body in (sent, shown, document)}
    ref = (kind, "acme-x")
    record = Record(kind, "acme-x", "x", of(sent), chance.choice([of(shown), "other"]), of(document))
    created, entered = NOW - 40 * terms.DAY, chance.choice([None, NOW - terms.DAY])
    indices = (Index("a", 1, 1, created), Held("b", 1, 1, created, None, sent, chance.choice([None, "hot"]), entered))
    live = {ref: Live(kind, "acme-x", there, "x", owner=owner)} if chance.random() < 0.9 else {}
    records = {ref: record} if chance.random() < 0.8 else {}
    return Known("acme", SALT, 1, records, live, PATHS, blobs=blobs, facts=Facts(indices={ref: indices}, now=NOW))


def reports(planned, wanted, options):
    as_json.dumps(as_json.plan(planned))
    markdown.plan(planned, "tests", now=NOW)
    assert all(line.plain.isprintable() for line in text.plan(planned, 100, NOW))
    planfile.dump(planned, wanted, options, "tests", None)


@pytest.mark.parametrize("kind", sorted(SEEDS))
def test_any_body_is_planned_and_reported_or_refused_in_words(kind, monkeypatch):
    monkeypatch.setenv("X", "y")
    writer = Writer(ROOT, Settings("acme", TARGET))
    writer._compiler.templates = TEMPLATES
    reported = 0
    for number in range(EXAMPLES // len(SEEDS)):
        chance = random.Random(f"{kind} {number}")
        body, sent, there = (mutated(chance.choice(SEEDS[kind]), chance, junk) for junk in (JUNK, JUNK, SHOWN))
        options = Options(prune=chance.random() < 0.5, adopt=chance.random() < 0.5)
        try:
            wanted = resources(kind, body, chance.choice([TARGET, CATCH]))
            found = known(kind, sent, there, chance.choice(["acme", "acme", None, "other"]), chance)
            if kind in FOLDERS:
                looked_at(kind, there, writer)
            wanted = wanted if chance.random() < 0.8 else []
            reports(plan.build(wanted, found, options), wanted, options)
            drifted = plan.explain(diff.drifted(found), found)
            as_json.dumps(as_json.drift(drifted))
            reported += 1
        except ProvisionerError:
            continue
        except Exception as error:
            raise AssertionError(f"{kind} {number}: {body} {sent} {there}") from error
    assert reported > EXAMPLES // len(SEEDS) // 2  # conflicts with other owners' objects are the rest


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in READ.documents}))
def test_any_document_is_compiled_or_refused_in_words(kind):
    """A document of its own kind; what it refers to is there."""
    of_kind = READ.of_kind(kind)
    compiler = Compiler(ROOT, Settings("acme", TARGET), READ)
    for number in range(100):
        chance = random.Random(f"{kind} {number}")
        whole = chance.choice(of_kind)
        document = Document(kind, whole.id, mutated(whole.body, chance), {(): ORIGIN}, {(): ORIGIN})
        try:
            if not list(compiler.check(document)) and kind in RESOURCE_KINDS:
                resource = compiler.resource(document)
                secretplaces.misplaced([resource])
            plainsecrets.plain([], [document])
        except TemplateError:
            continue
        except Exception as error:
            raise AssertionError(f"{kind} {number}: {document.body}") from error


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in READ.documents}))
def test_both_libraries_of_json_schema_agree(kind):
    """What the fast one takes, the one that tells has nothing to say about; and the other way round."""
    of_kind = READ.of_kind(kind)
    compiler = Compiler(ROOT, Settings("acme", TARGET), READ)
    verdicts = set()
    for number in range(200):
        chance = random.Random(f"{kind} {number}")
        whole = chance.choice(of_kind)
        body = mutated(whole.body, chance) if number else whole.body
        document = Document(kind, whole.id, body, {(): ORIGIN}, {(): ORIGIN})
        for rules in (schema.load(kind), *compiler.rule_schemas.values()):
            instance = {"kind": kind, "id": whole.id, **body}
            fits, told = schema._fits(instance, rules), list(schema._told(document, instance, rules, "DOC002"))
            assert fits is not bool(told), (body, told)
            verdicts.add(fits)
        list(compiler.check(document))
    assert verdicts == {True, False}

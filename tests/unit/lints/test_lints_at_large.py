"""Lints over many documents: what real plugins gave back has no key that they drop; a thousand monitors; time."""

import gzip
import json
import pathlib
import time

from provisioner import lints, settings, source
from provisioner.lints import dropped_key, monitor_limits
from provisioner.model import Document, Origin, Resource
from provisioner.source import Source

RECORDINGS = pathlib.Path(__file__).parents[2] / "contract" / "recordings"


def _objects(value):
    """Monitors and channels in a recorded answer."""
    if isinstance(value, dict):
        if "monitor_type" in value and "triggers" in value:
            yield "monitor", value
        if isinstance(config := value.get("config"), dict) and "config_type" in config:
            yield "channel", config
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from _objects(child)


def _view(documents=(), resources=(), root=None):
    return lints.View(Source({(d.kind, d.id): d for d in documents}, ()), resources, root)


def test_no_key_that_the_real_plugins_show_is_told_as_dropped():
    documents = []
    for name in ("alerting.jsonl.gz", "notifications.jsonl"):
        opened = gzip.open if name.endswith("gz") else open
        with opened(RECORDINGS / name, "rt", encoding="utf-8") as lines:
            for line in lines:
                for resource, body in _objects(json.loads(line)["response"]):
                    whole = {"resource": resource, "name": "n", "body": body}
                    documents.append(Document("raw", f"r{len(documents)}", whole, {(): Origin(name)}))
    assert sum(document.body["resource"] == "monitor" for document in documents) > 50
    assert sum(document.body["resource"] == "channel" for document in documents) > 20
    assert [finding.message for finding in dropped_key.check(_view(documents))] == []


def test_the_first_monitor_too_many_is_told():
    monitors = tuple(Resource("monitor", f"m{n}", {}, Origin("rules/m.yml", n + 1)) for n in range(1001))
    (finding,) = monitor_limits.check(_view(resources=monitors))
    assert finding.origin.line == 1001
    assert finding.message.startswith("1,001 monitors")
    assert list(monitor_limits.check(_view(resources=monitors[:1000]))) == []


RULE = """\
kind: rule
id: rule-{n}
title: Rule {n}
type: threshold
log_type: authentication
query: 'category:authentication AND actor.username:(user{n} OR admin{n}*) AND NOT source.ip:"10.{part}.0.0/16"'
group_by: [source.ip]
threshold: {{count: 5, within: 5m}}
"""


def test_the_time_grows_with_the_number_of_rules_not_with_its_square(make_repository):
    """Loose, for a machine that is shared: a pass over all pairs would be 64 times as long, not eight."""

    def seconds(number):
        files = {f"rules/r{n}.yml": RULE.format(n=n, part=n % 256) for n in range(number)}
        root = make_repository(files)
        view = lints.View(source.load(root, {}), (), settings.load(root, None))
        start = time.process_time()
        assert len(view.rules) == number
        lints.run(view)
        return time.process_time() - start

    few = min(seconds(100) for _ in range(3))
    assert seconds(800) < 24 * few

"""References to secrets where the cluster would show their values."""

import pytest

from provisioner import fingerprint, secretplaces, source
from provisioner.compile import Compiler
from provisioner.kinds import all_kinds
from provisioner.model import Document, Origin, Resource
from provisioner.settings import Settings, Target

PATHS = {name: kind.secret_paths for name, kind in all_kinds().items()}
TOKEN = "${env:TOKEN}"


def found(kind, body, document=None):
    return secretplaces.misplaced(
        [Resource(kind, "acme-x", body, Origin("rules/a.yml", 3, 1), document=document)], PATHS
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("channel", {"slack": {"url": TOKEN}}),
        ("channel", {"webhook": {"url": f"https://a/{TOKEN}", "header_params": {"X": TOKEN, "Y": f"Bearer {TOKEN}"}}}),
        ("user", {"password": TOKEN, "backend_roles": []}),
        ("monitor", {"name": "a", TOKEN: "keys are not resolved"}),
        ("unknown", {"a": 1, "b": None, "c": [True, "text"]}),
    ],
)
def test_where_a_secret_may_stand(kind, body):
    assert found(kind, body) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("channel", {"description": f"see {TOKEN}", "slack": {"url": TOKEN}}),
        ("channel", {"email": {"recipient_list": [{"recipient": TOKEN}]}}),
        ("channel", {"webhook": {"method": TOKEN}}),
        ("monitor", {"inputs": [{"search": {"query": {"query_string": {"query": f"user:{TOKEN} OR {TOKEN}"}}}}]}),
        ("user", {"attributes": {"key": TOKEN}}),
        ("unknown", {"a": [[TOKEN]]}),
    ],
)
def test_where_it_would_be_shown(kind, body):
    (finding,) = found(kind, body)
    assert finding.code == "DOC004"
    assert TOKEN in finding.message
    assert finding.origin == Origin("rules/a.yml", 3, 1)
    assert "variable of the target" in finding.hint
    assert (fingerprint.masked(body, PATHS.get(kind, ())) != body) == (kind == "channel" and "slack" in body)


def test_the_place_is_that_in_the_document():
    origins = {(): Origin("r.yml", 1, 1), ("labels",): Origin("r.yml", 5, 9), ("labels", 1): Origin("r.yml", 6, 3)}
    document = Document("rule", "x", {"labels": ["a", TOKEN]}, origins)
    (finding,) = found("monitor", {"name": TOKEN}, document)
    assert str(finding.origin) == "r.yml:6:3"


def test_of_a_repository(tmp_path):
    (tmp_path / "rules").mkdir()
    text = "kind: channel\nid: ops\ntitle: Ops ${env:TOKEN}\ntype: slack\nurl: ${env:SLACK}\n"
    (tmp_path / "rules" / "channels.yml").write_text(text)
    read = source.load(tmp_path, {})
    compiled = Compiler(tmp_path, Settings("acme", Target("dev", ("http://127.0.0.1:9",))), read)
    resource = compiled.resource(read.documents["channel", "ops"])
    (finding,) = secretplaces.misplaced([resource], PATHS)
    assert str(finding.origin) == "rules/channels.yml:3:8"
    assert (
        finding.message == "the secret ${env:TOKEN} would be shown by the cluster to everyone who may read the channel"
    )

"""Secrets that stand in a document in plain text."""

import pytest

from provisioner import fingerprint, plainsecrets, repository, secretplaces
from provisioner.kinds import all_kinds
from provisioner.model import Origin, Resource

SLACK = "https://hooks.slack.com/services/T0/B0/s3cret"
UUID = "0b0f3c4e-7d5e-4a57-9f3c-2f6d1f0a9c11"


def found(kind, body):
    return plainsecrets.plain([Resource(kind, "acme-x", body, Origin("a.yml", 3, 1))])


def webhook(url="https://h.corp/x", **headers):
    return {"webhook": {"url": url, "header_params": headers}}


def policy(destination):
    return {"states": [{"actions": [{"notification": {"destination": destination}}]}]}


@pytest.mark.parametrize(
    ("kind", "body", "place"),
    [
        ("channel", {"slack": {"url": SLACK}}, "slack.url"),
        ("channel", {"slack": {"url": "https://chat.corp/x"}}, "slack.url"),
        ("channel", {"chime": {"url": "https://[no address"}}, "chime.url"),
        ("channel", {"microsoft_teams": {"url": "https://a.webhook.office.com/x"}}, "microsoft_teams.url"),
        ("channel", webhook(SLACK), "webhook.url"),
        ("channel", webhook("https://me:s3cret@h.corp/"), "webhook.url"),
        ("channel", webhook("http://me:s3cret@127.0.0.1/"), "webhook.url"),
        ("channel", webhook("https://h.corp/in?token=s3cret"), "webhook.url"),
        ("channel", webhook("https://h.corp/in?api_key=s3cret"), "webhook.url"),
        ("channel", webhook(f"https://h.corp/in/{UUID}"), "webhook.url"),
        ("channel", webhook("https://h.corp/in/s3cretS3cretS3cret99"), "webhook.url"),
        ("channel", webhook(Authorization="Bearer s3cret"), "webhook.header_params.Authorization"),
        ("channel", webhook(**{"X-Routing-Key": "s3cret"}), "webhook.header_params.X-Routing-Key"),
        ("channel", webhook(**{"x-api-key": 12345}), "webhook.header_params.x-api-key"),
        ("user", {"password": "s3cret"}, "password"),
        ("user", {"password": 12345}, "password"),
        ("ism_policy", policy({"slack": {"url": SLACK}}), "states.actions.notification.destination.slack.url"),
        (
            "ism_policy",
            {"error_notification": {"destination": {"custom_webhook": {"host": "h", "password": "s3cret"}}}},
            "error_notification.destination.custom_webhook.password",
        ),
    ],
)
def test_credentials(kind, body, place):
    (finding,) = found(kind, body)
    assert (finding.code, finding.origin) == ("DOC005", Origin("a.yml", 3, 1))
    assert finding.message.startswith(f"{place} of the {kind} holds ")
    assert "s3cret" not in finding.message + finding.hint
    assert "12345" not in finding.message + finding.hint


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("channel", {"slack": {"url": "${env:SLACK}"}}),
        ("channel", {"slack": {"url": "https://hooks.slack.com/services/${env:SLACK}"}}),
        ("channel", {"slack": {"url": "http://127.0.0.1:9281/slack"}}),
        ("channel", {"chime": {"url": "http://localhost/x"}}),
        ("channel", {"chime": {"url": "http://[::1]/x"}}),
        ("channel", {"microsoft_teams": {"url": "https://teams.example.org/x"}}),
        ("channel", webhook()),
        ("channel", webhook("https://events.pagerduty.com/v2/enqueue")),
        ("channel", webhook("https://h.corp/hooks/opensearch-alerts-production-2026?team=security&page=2")),
        ("channel", webhook("https://h.corp/in?token=${env:TOKEN}")),
        ("channel", webhook("https://me:${env:PASSWORD}@h.corp/in")),
        ("channel", webhook("https://hooks.slack.com/services/${env:SLACK}")),
        ("channel", webhook(Authorization="Bearer ${env:TOKEN}", Accept="a/b", **{"Content-Type": "a/b"})),
        ("channel", webhook(Authorization="", **{"X-Author": "me", "X-Keyboard": "de"})),
        ("user", {"password": "${file:/run/secret}", "hash": "$2y$12$abc", "backend_roles": ["a"]}),
        ("ism_policy", policy({"custom_webhook": {"url": "http://127.0.0.1/x", "username": "me", "password": None}})),
        ("monitor", {"name": "x", "password": "this is no place for secrets"}),
    ],
)
def test_what_is_none(kind, body):
    assert found(kind, body) == []


def test_where_it_stands_even_if_the_target_catches_all_notifications(tmp_path):
    (tmp_path / "rules").mkdir()
    text = f"kind: channel\nid: ops\ntype: slack\nurl: {SLACK}\n"
    (tmp_path / "rules" / "channels.yml").write_text(text)
    target = "owner: acme\ntargets:\n  dev:\n    hosts: ['http://127.0.0.1:9']\n"
    for catch in ("", "    catch: {http: 'http://127.0.0.1:9281', smtp: '127.0.0.1:9282'}\n"):
        (tmp_path / "provisioner.yml").write_text(target + catch)
        loaded = repository.load(tmp_path)
        (finding,) = (finding for finding in loaded.findings if finding.code == "DOC005")
        assert str(finding.origin) == "rules/channels.yml:4:6"
        assert finding in loaded.errors


def test_policies_of_old_hold_secrets_that_are_masked():
    hook = {"host": "h", "path": "a", "password": "b", "query_params": {"q": "c"}, "header_params": {"h": "d"}}
    destination = {"slack": {"url": "e"}, "chime": {"url": "f"}, "custom_webhook": {"url": "g", **hook}}
    body = {"error_notification": {"destination": destination}, **policy(destination)}
    paths = all_kinds()["ism_policy"].secret_paths
    assert sorted(fingerprint.secrets(body, paths)) == sorted("abcdefg" * 2)
    token = "${env:TOKEN}"
    assert secretplaces.misplaced([Resource("ism_policy", "x", policy({"slack": {"url": token}}), Origin("a"))]) == []
    (wrong,) = secretplaces.misplaced([Resource("ism_policy", "x", {"description": token}, Origin("a"))])
    assert wrong.code == "DOC004"

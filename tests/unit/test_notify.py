"""What a notification says in each format, and what counts as a failure."""

import json
from pathlib import Path

import pytest

from provisioner import notify, yamlfile

SUBJECT = 'drift: 2 objects of "acme"'
MESSAGE = 'monitor acme-a: {{changed}}\n\n  - enabled: true\n  + enabled: false \\ "x" ü☃'
ROOT = Path(__file__).parents[2]


def test_people_get_the_subject_and_then_the_message_as_it_is():
    assert notify.filled(SUBJECT, MESSAGE, "text") == f"{SUBJECT}\n\n{MESSAGE}"


def test_a_short_message_is_one_line():
    said = notify.filled(SUBJECT, MESSAGE, "short")
    assert said == f'{SUBJECT}: monitor acme-a: {{{{changed}}}} - enabled: true + enabled: false \\ "x" ü☃'


def test_machines_get_json():
    assert json.loads(notify.filled(SUBJECT, MESSAGE, "json")) == {"subject": SUBJECT, "message": MESSAGE}


def test_pagerduty_gets_an_event_that_it_takes():
    event = json.loads(notify.filled("x" * 2000, MESSAGE, "pagerduty"))
    assert event["event_action"] == "trigger"
    assert set(event["payload"]) >= {"summary", "source", "severity"}
    assert len(event["payload"]["summary"]) == 1024
    assert event["payload"]["custom_details"] == {"message": MESSAGE}


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ({"type": "webhook"}, "json"),
        ({"type": "webhook", "message": "text"}, "text"),
        ({"type": "webhook", "message": "pagerduty"}, "pagerduty"),
        ({"type": "sns"}, "short"),
        ({"type": "slack"}, "text"),
        ({"type": "email"}, "text"),
    ],
)
def test_a_channel_gets_what_it_gets_for_alerts(channel, expected):
    assert notify.format_of(channel) == expected


def test_every_channel_of_the_starter_pack_has_a_format():
    documents, findings = yamlfile.read((ROOT / "rules/channels.yml").read_text(), "rules/channels.yml")
    assert findings == []
    formats = {d.value["id"]: notify.format_of(d.value) for d in documents if d.value["kind"] == "channel"}
    assert formats["pagerduty"] == "pagerduty"
    assert set(formats.values()) <= set(notify.FORMATS)


class Answering:
    """A cluster's answer, without the cluster: those of tests/e2e/test_drift_notification.py come from a real one."""

    def __init__(self, answer):
        self.answer = answer

    def request(self, *_arguments):
        return self.answer


def answer(action=None, **more):
    actions = {} if action is None else {"send": action}
    return {"trigger_results": {"always": {"action_results": actions, "error": None}}, **more}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "no answer"),
        ({"error": "alert index is red"}, "alert index is red"),
        (answer(), "ran no action"),
        (answer(input_results={"error": "no such index"}), "no such index"),
        ({"trigger_results": {"always": {"error": "compile error", "action_results": {}}}}, "compile error"),
        (answer({"error": "Unable to find a Notification Channel"}), "Unable to find"),
    ],
)
def test_what_was_not_sent_is_an_error_in_the_plugins_words(given, words):
    with pytest.raises(notify.ProvisionerError, match=words) as caught:
        notify.send(Answering(given), "acme-slack", SUBJECT, MESSAGE)
    assert "acme-slack" in caught.value.message
    assert caught.value.hint


def test_an_error_does_not_tell_the_secret_in_the_address():
    failed = {"error": 'Failed to send "https://hooks.slack.com/services/T0/B0/s3cret": 404'}
    with pytest.raises(notify.ProvisionerError) as caught:
        notify.send(Answering(answer(failed)), "acme-slack", SUBJECT, MESSAGE)
    assert "s3cret" not in caught.value.message
    assert "hooks.slack.com/(secret)" in caught.value.message


def test_a_message_that_went_out_is_fine_whatever_became_of_the_input():
    notify.send(
        Answering(answer({"error": None}, input_results={"error": "forbidden"})), "acme-slack", SUBJECT, MESSAGE
    )

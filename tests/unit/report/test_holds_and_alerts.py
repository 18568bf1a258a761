"""Alerts and holds, for people and for machines."""

from provisioner.alerts import Alert, Answer
from provisioner.holds import Hold, Was
from provisioner.report import alerts, holds

ALERT = Alert("a1", "brute-force-login", "m1", False, "2", 1_778_509_425_123, ("203.0.113.5", "alice\x1b[2J"))
MANY = Alert("a2", "many", "m1", False, "1", 1_778_509_425_123, tuple(f"doc{n}" for n in range(9)))
HOLD = Hold(
    "inc-1", "lawsuit\x1b[2J", "alice", "web-1", "2026-05-11T14:23:45Z", ("audit",), {"a": Was("p"), "b": Was()}
)


def lines(texts):
    return [text.plain for text in texts]


def test_an_alert_is_a_line_without_what_moves_a_terminal():
    first, second = lines(alerts.text([ALERT, MANY]))
    assert first.startswith("brute-force-login  203.0.113.5, alice")
    assert "\x1b" not in first
    assert first.endswith("since 2026-05-11T14:23:45Z, severity 2, a1")
    assert "doc0, doc1, doc2, doc3 and 5 more" in second


def test_what_could_not_be_acknowledged_is_told_with_the_reason():
    found = [Answer(ALERT), Answer(MANY, "it may have already completed")]
    told, summary = lines(alerts.answers(found))
    assert told.startswith("not acknowledged: many")
    assert told.endswith(": it may have already completed")
    assert summary == "Acknowledged 1 alert."
    said = alerts.json(found, written=True)["alerts"]
    assert [(each["id"], each["acknowledged"], each["error"]) for each in said] == [
        ("a1", True, None),
        ("a2", False, "it may have already completed"),
    ]
    assert not any(each["acknowledged"] for each in alerts.json(found, written=False)["alerts"])


def test_holds():
    assert lines(holds.text([], {})) == ["Nothing is held."]
    first, second, third = lines(holds.text([HOLD], {"inc-1": {"a": "it is gone"}}))
    assert first == "inc-1  audit: 2 indices held"
    assert second.startswith("  since 2026-05-11T14:23:45Z by alice: lawsuit")
    assert "\x1b" not in second
    assert third == "  a: it is gone"
    (said,) = holds.json([HOLD], {"inc-1": {"a": "it is gone"}})["holds"]
    assert said["indices"][0] == {"index": "a", "policy": "p", "blocked": False}
    assert (said["wrong"], said["released"]) == ({"a": "it is gone"}, None)

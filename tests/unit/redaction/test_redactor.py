"""The Redactor: events, texts and lines, whatever they hold."""

import json
import random
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redactionevents import HOSTILE, Maker
from test_redaction_catalogue import SHIPPED, changed, examples

from provisioner.redaction import Found, Redactor, glance

REDACTOR = Redactor(SHIPPED)
EVERYTHING = changed(email={"enabled": True}, phone={"enabled": True})
EXAMPLES = [text for kind in ("found", "left") for _, text in examples(kind)]
CARD, MASKED = "4111111111111111", "[credit_card_REDACTED]"


def plain(catalogue):
    """A redactor that takes no glance, as where google-re2 is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glance, "of", lambda _: None)
        return Redactor(catalogue)


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def test_an_event_is_redacted_at_any_depth_and_says_so():
    event = {"message": f"card {CARD}", "labels": [{"apiKey": ["a", 1, None, True, {"b": 2.5}]}], "n": int(CARD)}
    assert REDACTOR.event(event) == {
        "message": f"card {MASKED}",
        "labels": [{"apiKey": ["[api_key_REDACTED]", "[api_key_REDACTED]", None, True, {"b": "[api_key_REDACTED]"}]}],
        "n": int(CARD),
        "ingest": {"redacted": {"detectors": ["api_key", "credit_card"], "fields": ["labels.apiKey", "message"]}},
    }
    assert REDACTOR.found(event) == [Found("labels.apiKey", "api_key", 3), Found("message", "credit_card", 1)]
    assert event["message"] == f"card {CARD}"


def test_the_last_part_of_a_dotted_key_counts_as_a_key_of_its_own():
    headers = {"http.request.headers.authorization": "abc", "http.request.headers.cookie": "a=1"}
    event = {"app.pin": "1234", "a": {"b.card_number": 5, ".jwt.": "x"}, **headers}
    stays = {"pin.length": "1234", "app.pins": "1", "app.": "x", ".": "y", "a.pin.b": "z"}
    got = REDACTOR.event(event | stays)
    assert got.pop("ingest")["redacted"]["fields"] == ["a..jwt.", "a.b.card_number", "app.pin", *headers]
    token = "[access_token_REDACTED]"
    want = {"app.pin": "[password_REDACTED]", "a": {"b.card_number": MASKED, ".jwt.": token}}
    assert got == want | dict.fromkeys(headers, token) | stays


def test_an_event_without_anything_to_hide_is_itself():
    event = {"message": "login failed", "count": 3, "tags": ["a", None]}
    assert REDACTOR.event(event) is event
    assert REDACTOR.found(event) == []


def _texts_of(node):
    if isinstance(node, dict):
        return [text for item in node.items() for part in item for text in _texts_of(part)]
    if isinstance(node, list):
        return [text for item in node for text in _texts_of(item)]
    return [node] if isinstance(node, str) else []


@pytest.mark.parametrize("redactor", [Redactor, plain])
def test_texts_are_looked_through_together_as_alone(redactor):
    """Whatever one text opens and does not close, a neighbour's secrets are found; and never what only both are."""
    openings = [
        "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "-----BEGIN PRIVATE KEY", "bearer", "basic", "bearer ",
        "password=", 'password="', "password: [", "token='", "curl -u", "curl -u 'a", "curl ", "--password",
        "authorization:", "cookie: ", "x-api-key: {", "https://user:", "4111 1111", "DE89", "eyJ", "12345678:AA",
        "Bearer abc", 'password="[password_REDACTED]', "[", "{", "a\\\\", "user@", "+49", "(212)",
    ]  # fmt: skip
    texts = redactor(EVERYTHING)._texts
    alone = {text: sorted(texts.spans(text)) for text in [*EXAMPLES, *openings, *HOSTILE]}
    assert sum(map(bool, alone.values())) > 40
    for text in EXAMPLES:
        for other in [*openings, *HOSTILE]:
            for together in ([other, text], [text, other], [other, "", text, other]):
                found = texts.each(together)
                assert {each: sorted(found.get(each, [])) for each in together if each} == {
                    each: alone[each] for each in together if each
                }
    maker, secrets = Maker(77, SHIPPED.body), 0
    for _ in range(300):
        event = list(dict.fromkeys(_texts_of(maker.event())))
        found = texts.each(event)
        secrets += bool(found)
        assert [sorted(found.get(text, [])) for text in event] == [sorted(texts.spans(text)) for text in event]
    assert secrets > 100


def test_a_line_that_only_looks_suspicious_comes_back_as_it_is():
    line = b'{"a":  "call bearer",  "b": "abcdefgh12345678 of news"}'  # together they would be a token
    assert REDACTOR.line(line) == line


def test_what_json_has_not():
    """Bytes are looked through as text, tuples are lists; anything else goes below sensitive keys only."""
    thing = object()
    event = {"a": b"pin=1 \xff", "b": ("pin=1", thing), 5: "pin=1", "token": thing, "n": thing}
    pin = "pin=[password_REDACTED]"
    got = REDACTOR.event(event)
    assert got.pop("ingest")["redacted"]["fields"] == ["", "a", "b", "token"]
    want = {"a": pin.encode() + b" \xff", "b": [pin, thing], 5: pin, "n": thing}
    assert got == want | {"token": "[access_token_REDACTED]"}


def test_secrets_in_keys_are_renamed_and_keep_apart():
    event = {f"card {CARD}": 1, "card 5555555555554444": 2, f"card {MASKED}": 3}
    got = REDACTOR.event(event)
    report = got.pop("ingest")["redacted"]
    assert got == {f"card {MASKED}": 3, f"card {MASKED}_2": 1, f"card {MASKED}_3": 2}
    assert report == {"detectors": ["credit_card"], "fields": [f"card {MASKED}"]}


def test_an_earlier_report_is_kept_and_not_trusted():
    earlier = {"detectors": ["ssn", "password=hunter2", 5], "fields": ["a.b", "password=hunter2", None]}
    got = REDACTOR.event({"message": "x", "ingest": {"redacted": earlier, "received": "now"}})
    assert got["ingest"]["redacted"] == {"detectors": ["ssn"], "fields": ["a.b", "password=[password_REDACTED]"]}
    assert got["ingest"]["received"] == "now"
    assert "ingest" not in REDACTOR.event({"message": "x", "password": ""})


def test_partial_drop_allow_and_scope():
    catalogue = changed(
        credit_card={"action": "partial", "allow": ["5555555555554444"], "except": ["labels.raw"]},
        password={"action": "drop"},
        ssn={"fields": ["message"]},
    )
    event = {
        "message": f"{CARD} 5555555555554444 123-45-6789 password=x",
        "card_number": int(CARD),
        "password": {"a": 1},
        "labels": {"raw": CARD, "other": "123-45-6789", "cvv": "123"},
    }
    got = Redactor(catalogue).event(event)
    assert got.pop("ingest")["redacted"]["detectors"] == ["credit_card", "password", "ssn"]
    assert got == {
        "message": "[credit_card_REDACTED:1111] 5555555555554444 [ssn_REDACTED] password=[password_REDACTED]",
        "card_number": "[credit_card_REDACTED:1111]",
        "labels": {"raw": CARD, "other": "123-45-6789", "cvv": MASKED},
    }


def test_log_types_switch_detectors():
    catalogue = changed(email={"log_types": {"application": True}}, iban={"log_types": {"network": False}})
    event = {"message": "a.b@example.org DE89370400440532013000"}
    seen = {t: [f.detector for f in Redactor(catalogue, t).found(event)] for t in (None, "application", "network")}
    assert seen == {None: ["iban"], "application": ["email", "iban"], "network": []}


def test_pseudonyms_correlate_under_one_key_only():
    catalogue = changed(email={"enabled": True, "action": "pseudonym"})
    event = {"a": "mail john@example.org", "b": ["john@example.org"], "c": "jane@example.org"}
    first = Redactor(catalogue, pseudonym_key=b"k" * 16, key_id="k1")
    got, other = first.event(event), Redactor(catalogue, pseudonym_key="l" * 16, key_id="k1").event(event)
    marker = got["b"][0]
    assert marker.startswith("[email_REDACTED:k1:")
    assert len(marker) == len("[email_REDACTED:k1:0123456789abcdef]")
    assert got["a"] == f"mail {marker}"
    assert len({got["c"], marker, other["b"][0]}) == 3
    assert first.event(got) == got
    assert Redactor(catalogue).event(event)["a"] == "mail [email_REDACTED]"
    assert "kkkk" not in repr(first._texts.marks)


@pytest.mark.parametrize(("key", "key_id"), [(b"short", "k1"), (b"k" * 16, None), (None, "k1"), (b"k" * 16, "k]1")])
def test_a_wrong_key_is_refused(key, key_id):
    with pytest.raises(ValueError, match="key"):
        Redactor(SHIPPED, pseudonym_key=key, key_id=key_id)


DEEP = '{"password":"hunter2","x":' * 3_000 + "1" + "}" * 3_000
LEVELS = '[{"password":"hunter2","x":' * 120 + "1" + "}]" * 120


@pytest.mark.parametrize(
    ("line", "want"),
    [
        (b'{"a": 1,   "b": "login"}', b'{"a": 1,   "b": "login"}'),
        (b'{"password": "x", "n": 1.50}',
         b'{"password":"[password_REDACTED]","n":1.5,'
         b'"ingest":{"redacted":{"detectors":["password"],"fields":["password"]}}}'),
        (b'{"\\u0070assword":"x"}',
         b'{"password":"[password_REDACTED]","ingest":{"redacted":{"detectors":["password"],"fields":["password"]}}}'),
        # a key twice: the last value counts, and the first one is gone
        (b'{"password":"hunter2","password":null}', b'{"password":null}'),
        (b'{"a":{"x":"card 4111111111111111","x":"y"}}', b'{"a":{"x":"y"}}'),
        (b'{"a":{"x":{"pin":1},"x":"4111111111111112"}}', b'{"a":{"x":"4111111111111112"}}'),
        (b'{"a":{"x":["\\u0070in=1"],"x":"y"}}', b'{"a":{"x":"y"}}'),
        # unless nothing is in any of them
        (b'{"a": {"x":"card 4111111111111112","x":"y"}}', b'{"a": {"x":"card 4111111111111112","x":"y"}}'),
        (b'{"a": {"x":"x","x":"y"}}', b'{"a": {"x":"x","x":"y"}}'),
        # numbers that orjson would not write again as they were
        (b'{"n":123456789012345678901234567890,"pin":1}',
         b'{"n":123456789012345678901234567890,"pin":"[password_REDACTED]",'
         b'"ingest":{"redacted":{"detectors":["password"],"fields":["pin"]}}}'),
        (b'{"n":123456789012345678901234567890}', b'{"n":123456789012345678901234567890}'),
        (b'{"n":NaN,"m":-Infinity}', b'{"n":NaN,"m":-Infinity}'),
        (b'{"n":NaN,"pin":1}',
         b'{"n":NaN,"pin":"[password_REDACTED]","ingest":{"redacted":{"detectors":["password"],"fields":["pin"]}}}'),
        # lone surrogates, and bytes that are no UTF-8
        (b'{"a":"\\ud800","b":"password=x"}',
         b'{"a":"\\ud800","b":"password=[password_REDACTED]",'
         b'"ingest":{"redacted":{"detectors":["password"],"fields":["b"]}}}'),
        (b'{"a":"\\ud800"}', b'{"a":"\\ud800"}'),
        (b"\xff password=hunter2 \xfe", b"\xff password=[password_REDACTED] \xfe"),
        (b'\xff{"password":"hunter2"}', b'\xff{"password":"[password_REDACTED]"}'),
        # no objects, and no JSON
        (b'["password=x",{"pin":1}]', b'["password=[password_REDACTED]",{"pin":"[password_REDACTED]"}]'),
        (b'"\\u0070assword=x"', b'"password=[password_REDACTED]"'),
        (b"4111111111111111", b"4111111111111111"),
        (b'{"password":"hunter2"', b'{"password":"[password_REDACTED]"'),
        (b"", b""),
        (b"May 11 sshd[1]: pwd=hunter2", b"May 11 sshd[1]: pwd=[password_REDACTED]"),
    ],
)  # fmt: skip
def test_lines_of_any_form(line, want):
    assert REDACTOR.line(line) == want
    assert REDACTOR.line(want) == want


def test_what_is_too_deep_comes_back_without_content():
    assert json.loads(REDACTOR.line(DEEP.encode())) == {
        "message": "[content_REDACTED]", "ingest": {"redacted": {"detectors": ["failure"], "fields": ["*"]}},
    }  # fmt: skip
    got = json.loads(REDACTOR.line(LEVELS.encode()))
    assert "hunter2" not in canonical(got)
    nested = {"password": "x"}
    for _ in range(5_000):
        nested = {"a": nested}
    assert REDACTOR.event(nested)["message"] == "[content_REDACTED]"
    assert REDACTOR.event(nested) is not REDACTOR.event(nested)


@pytest.mark.parametrize("seed", range(3))
def test_events_made_up(seed):
    """Twice is once; JSON stays JSON; what is no text and under no sensitive key stays."""
    redactor = Redactor(EVERYTHING)
    maker = Maker(seed, SHIPPED.body)
    for _ in range(200):
        event = maker.event()
        before = canonical(event)
        got = redactor.event(event)
        assert canonical(event) == before
        assert canonical(redactor.event(json.loads(canonical(got)))) == canonical(got)
        line = redactor.line(json.dumps(event).encode())
        assert canonical(json.loads(line)) == canonical(got)
        assert redactor.line(line) == line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_any_json_stays_json_and_keeps_what_is_no_text(event):
    got = REDACTOR.event(event)
    assert REDACTOR.event(got) == got
    line = json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert canonical(json.loads(REDACTOR.line(line))) == canonical(json.loads(canonical(got)))
    if not REDACTOR.found(event):
        assert got == event


@given(st.text(), st.sampled_from(["password=hunter2", CARD, "123-45-6789"]), st.text())
def test_a_secret_between_spaces_goes_whatever_is_around(before, secret, after):
    got = REDACTOR.text(f"{before} {secret} {after}")
    assert secret not in got
    assert REDACTOR.text(got) == got


@given(st.text() | st.text("=:-[]{}\"'\\@./ eyJabB01pin", max_size=60))
def test_twice_is_once_for_any_text(text):
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


CHAINED = (
    CARD, "4111 1111 1111 1111", "123-45-6789", "DE89370400440532013000", "+49 30 901820", "(212) 555-0142",
    "212-555-0142", "a.b@example.org", "AKIAIOSFODNN7EXAMPLE", "Bearer abcdef1234567890", "Basic dXNlcjpwYXNz",
    "pin=x1", "--pin x1", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3", "postgres://u:p@h",
    "Cookie: a=b", "token: [a",
)  # fmt: skip


@pytest.mark.parametrize("secret", CHAINED)
def test_twice_is_once_for_values_right_behind_each_other(secret):
    """What one marker bares would be found by the next turn only, and there are not as many turns as values."""
    redactor = Redactor(EVERYTHING)
    for glue in ("", ".", "-", " ", "+", "_", "/", ",", "=", ":", "(", "@", "[", '"', "\\", "\\n", "\n", "`"):
        once = redactor.text(glue.join([secret] * 15))
        assert redactor.text(once) == once, glue


def test_what_does_not_settle_goes_as_a_whole():
    """Each of these is too long a key as long as the next one stands behind it: a turn bares one of them."""
    unit = "GR1348941" + "a" * 19 + "-"
    assert REDACTOR.text("x " + unit * 6) == "x " + "[api_key_REDACTED]" * 6
    assert REDACTOR.text("x " + unit * 40) == "[api_key_REDACTED]"


def test_a_key_that_is_dropped_stays_with_a_marker():
    event = {"password: \x7f": {"customer_iban": "x"}, "iban": "[iban_REDACTED]", "b": {"iban": "x", "n": 1}}
    redactor = Redactor(changed(iban={"action": "drop"}))
    got = redactor.event(event)
    assert got["iban"] == "[iban_REDACTED]"
    assert got["b"] == {"n": 1}
    assert redactor.event(got) == got


def test_telephones_right_behind_each_other_all_go():
    redactor = Redactor(EVERYTHING)
    assert redactor.text("+49 30 901820" * 9) == "[phone_REDACTED]" * 9
    assert redactor.text("212-555-0142(212) 555-0142+442079460958") == "[phone_REDACTED]" * 3


def seconds(redactor, unit, size):
    text = unit * (size // len(unit)) + " password=hunter2"
    begin = time.process_time()
    assert "hunter2" not in redactor.text(text)
    return time.process_time() - begin


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_as_the_text_does(unit):
    """What any finder could begin with, 200 KB of it.

    A finder that went through the rest of the text at each place would take ten thousand times as long as for 2 KB; ten
    times what is due is allowed, as other things run on the machine.
    """
    redactor = Redactor(EVERYTHING)
    assert seconds(redactor, unit, 200_000) < 1_000 * max(seconds(redactor, unit, 2_000), 0.001)


@pytest.mark.long
@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_as_the_text_does_up_to_a_megabyte(unit):
    redactor = Redactor(EVERYTHING)
    assert seconds(redactor, unit, 1_000_000) < 5_000 * max(seconds(redactor, unit, 2_000), 0.001)


def test_threads_share_one():
    redactor = Redactor(SHIPPED)
    maker = Maker(5, SHIPPED.body)
    lines = [json.dumps(maker.event()).encode() for _ in range(200)]
    want = [REDACTOR.line(line) for line in lines]
    wrong = []

    def work(seed):
        for i in random.Random(seed).sample(range(200), 200):
            if redactor.line(lines[i]) != want[i]:
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

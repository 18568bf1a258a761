"""The glance by google-re2: it calls nothing clean in which a finder finds anything, and changes no result."""

import json
import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redactionevents import GLUE, HOSTILE, KEYS, LEFT, Maker
from test_redaction_catalogue import SHIPPED, changed
from test_redactor import CHAINED, EVERYTHING, EXAMPLES, plain

from provisioner import schema
from provisioner.redaction import Redactor, glance, tables

FEW = changed(
    **{name: {"enabled": False} for name in ("credit_card", "ssn", "password", "email", "phone", "api_key", "iban")}
)
CATALOGUES = {"shipped": SHIPPED, "everything": EVERYTHING, "few": FEW}


PLAIN = {name: plain(catalogue) for name, catalogue in CATALOGUES.items()}
QUICK = {name: Redactor(catalogue) for name, catalogue in CATALOGUES.items()}


def missed(text):
    """The catalogues by which the glance calls a text clean in which there is something."""
    data = text.encode("utf-8", "surrogatepass")
    return [name for name in CATALOGUES if not QUICK[name]._texts.glance(data) and PLAIN[name]._texts.spans(text)]


def made(rng, maker):
    """A text near a secret: pieces of any kind, of which one may be cut or changed."""
    sources = (
        lambda: rng.choice(EXAMPLES), lambda: rng.choice(GLUE), lambda: rng.choice(KEYS), lambda: rng.choice(LEFT),
        lambda: rng.choice(HOSTILE), lambda: rng.choice(CHAINED), maker.secret, maker.secret,
    )  # fmt: skip
    text = "".join(rng.choice(sources)() for _ in range(rng.randint(1, 4)))
    for _ in range(rng.choice((0, 0, 1, 2))):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(("", *GLUE, *"aZ0 .-_=:")) + text[at + rng.randint(0, 3) :]
    return text


def test_every_finder_has_its_expression():
    schemas = schema.load("redaction")["properties"]["detectors"]["items"]["properties"]["finders"]["items"]["enum"]
    assert set(schemas) == {*glance._FINDERS, "iban"}


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SHORTEST = (
    "+@b.cd", "bearer\u00a0abcdefg1", "Basic dXM6cA==", "eyJabcdefg.abcdefghij", "+49123456", "212-555-0142",
    f"abc0Q~{LETTERS[:31]}", f"abc9Q~{LETTERS[:31]}", f"12345678:AA{LETTERS[:33]}", "4222222222222",
    "4111\u00a01111\u00a01111\u00a01111", "--password_ x", "--pass-word- x", "pass_.-word \"\\' = x", "NO9386011117947",
    "_NO9386011117947", "NO93 8601 1117 947", "no9386011117947", "-no93 8601 1117 947", "NL91 ABNA 0417 1643 00",
    "nl91abna0417164300", "nl91 abna 0417 1643 00", "_AKIAIOSFODNN7EXAMPLE", "curl -ua:b", "curl --proxy-user a:b",
    "a://b:c@", f"{LETTERS[:14]}.atlasv1.{LETTERS[:60]}", f"sig={LETTERS[:43]}=", "-----BEGIN PRIVATE KEY-----",
    "001-01-0001",
)  # fmt: skip
"""What finders find with nothing to spare."""


@pytest.mark.parametrize("text", SHORTEST)
def test_the_shortest_forms_are_seen(text):
    assert PLAIN["everything"]._texts.spans(text)
    assert missed(text) == []


def found_somewhere(name, texts):
    return sum(bool(PLAIN[name]._texts.spans(text)) for text in texts)


def test_nothing_that_is_found_is_called_clean():
    texts = [*EXAMPLES, *HOSTILE, *CHAINED]
    assert [text for text in texts if missed(text)] == []
    assert found_somewhere("everything", texts) > 60
    assert 10 < found_somewhere("few", texts) < found_somewhere("shipped", texts)


@pytest.mark.parametrize("count", [3_000, pytest.param(300_000, marks=pytest.mark.long)])
def test_nothing_made_up_is_called_clean(count):
    rng, maker = random.Random(count), Maker(count, SHIPPED.body)
    secrets = 0
    for _ in range(count):
        text = made(rng, maker)
        assert missed(text) == [], text
        secrets += bool(PLAIN["everything"]._texts.spans(text))
    assert secrets > count // 3


NEAR = st.text("=:-[]{}\"'\\\\@./ \u00a0eyJabB01pinPIN", max_size=60)


@settings(max_examples=300)
@given(st.text() | NEAR, st.sampled_from([*EXAMPLES, *KEYS]), st.text() | NEAR)
def test_nothing_around_makes_it_be_called_clean(before, text, after):
    assert missed(before + text + after) == []


def lines(rng, maker):
    """A line of every form, as bytes."""
    text = made(rng, maker)
    key = json.dumps(rng.choice(KEYS))
    event = json.dumps(maker.event(), ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)))
    return [
        event.encode(), text.encode("utf-8", "surrogatepass"), json.dumps({"a": text, "b": [text, {text: 1}]}).encode(),
        json.dumps({"a": text}, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        f'{{"x": {json.dumps(text)}, "x": "y"}}'.encode(), f'{{"x": {{{key} : 1}}, "x": {{{key}\t: "z"}}}}'.encode(),
        b"\xff\xc2" + text.encode("utf-8", "surrogatepass"),
        b'{"a": NaN, "b": "' + text.encode(errors="replace") + b'"}',
    ]  # fmt: skip


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=pytest.mark.long)])
def test_lines_come_out_the_same_without_it(count):
    rng, maker = random.Random(count), Maker(count, SHIPPED.body)
    changed_lines = 0
    for _ in range(count):
        for line in lines(rng, maker):
            for name in CATALOGUES:
                want = PLAIN[name].line(line)
                assert QUICK[name].line(line) == want, (name, line)
                changed_lines += want != line
    assert changed_lines > 5 * count


@pytest.mark.parametrize("line", [
    b'{"x":' * 2_000 + b"1" + b"}" * 2_000, b"[" * 5_000 + b"]" * 5_000, b'{"x":' * 300 + b"1" + b"}" * 300,
    b'{"redacted":{"fields":["a"]}}',
    b'{"ingest":{"redacted":{"detectors":["ssn"],"fields":["a"]}}}',
    b"", b"{}", b"null", b'{"a":"b","a":"c"}', b"\x00\xff", b'{"a":1e400}',
    b'{"pass word":1}', b'{"p.i n" :1}', b'{"p.a/s-s w o r d ?":1}',
    b'{"a":"bearer\\tabcdef1234567890"}', b'{"\\u0070assword":"x"}', b'{"a":"4111\\u00a01111\\u00a01111\\u00a01111"}',
])  # fmt: skip
def test_odd_lines_come_out_the_same_without_it(line):
    for name in CATALOGUES:
        assert QUICK[name].line(line) == PLAIN[name].line(line)


def test_a_clean_line_is_not_even_read(monkeypatch):
    """And one that is not clean is."""
    read = []
    monkeypatch.setattr("provisioner.redaction.lines.redacted", lambda line, *_: read.append(line) or line)
    harmless = b'{"message": "Failed password for root from 10.0.0.1 port 22 ssh2", "n": [1, "SHA256:abc/+9"]}'
    for line in (harmless, harmless + b" --password x", harmless + b"\\"):
        assert QUICK["shipped"].line(line) == line
    assert read == [harmless + b" --password x", harmless + b"\\"]


def test_without_the_library_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    assert glance.of(tables.of(SHIPPED.body)) is None
    assert Redactor(SHIPPED).line(b"pin=1") == b"pin=[password_REDACTED]"


def test_more_keys_than_it_has_room_for(monkeypatch):
    monkeypatch.setattr(glance, "MEMORY", 4_096)
    assert glance.of(tables.of(SHIPPED.body)) is None

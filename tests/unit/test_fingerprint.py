"""Fingerprints: equal for equal bodies, changed by a changed secret, and no way back to it."""

import pytest

from provisioner import fingerprint, secretrefs

SALT = "00" * 16
PATHS = [("slack", "url"), ("webhook", "header_params", "*")]


def test_equal_bodies_whatever_the_order_of_keys():
    assert fingerprint.of({"a": 1, "b": [1, {"c": None}]}) == fingerprint.of({"b": [1, {"c": None}], "a": 1})
    assert fingerprint.of({"a": 1}) != fingerprint.of({"a": "1"})
    assert fingerprint.of({"a": [1, 2]}) != fingerprint.of({"a": [2, 1]})
    assert len(fingerprint.of({})) == 64


def test_masking_leaves_everything_else():
    body = {
        "name": "n",
        "slack": {"url": "hunter2", "x": 1},
        "webhook": {"url": "u", "header_params": {"A": "hunter2"}},
    }
    assert fingerprint.masked(body, PATHS) == {
        "name": "n",
        "slack": {"url": "(secret)", "x": 1},
        "webhook": {"url": "u", "header_params": {"A": "(secret)"}},
    }
    assert fingerprint.masked(body, ()) is body


@pytest.mark.parametrize("value", ["hunter2", ["hunter2"], {"a": {"b": "hunter2"}}, [{"a": ["hunter2"]}], 1234567])
def test_whatever_stands_in_a_secrets_place_is_masked(value):
    for salt in (None, SALT):
        masked = str(fingerprint.masked({"slack": {"url": value}}, PATHS, salt))
        assert "hunter2" not in masked
        assert "1234567" not in masked


def test_below_a_list_too():
    assert fingerprint.masked({"a": [{"p": "x", "q": "y"}]}, [("a", "p")]) == {"a": [{"p": "(secret)", "q": "y"}]}


def test_odd_shapes_are_left():
    for body in (None, "x", 5, [], {"slack": None}, {"slack": "x"}, {"slack": {"url": None}}, {"webhook": []}):
        assert fingerprint.masked(body, PATHS) == body


@pytest.mark.parametrize("value", ["hunter2", 7, {"a": ["b", {"c": "d"}], "e": None, "f": True}])
def test_secrets_are_exactly_what_is_masked(value):
    body = {"name": "n", "slack": {"url": value}, "webhook": {"url": "u", "header_params": {"A": "B"}}}
    found = fingerprint.secrets(body, PATHS)
    assert len(found) == str(fingerprint.masked(body, PATHS)).count("(secret)")
    keyed = {f"secret:{secretrefs.keyed(secret, SALT)}" for secret in found}
    assert all(each in str(fingerprint.masked(body, PATHS, SALT)) for each in keyed)
    assert "B" in found
    assert "n" not in found


def test_shown_changes_with_the_secret_and_with_the_rest():
    def shown(url, x=1):
        return fingerprint.shown({"slack": {"url": url, "x": x}}, PATHS, SALT)

    assert shown("a") == shown("a")
    assert len({shown("a"), shown("b"), shown("a", 2)}) == 3

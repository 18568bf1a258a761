"""Secrets: resolved where they are needed, told by name where they are missing, hidden everywhere else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioner import secretrefs
from provisioner.secretrefs import MissingSecretError

SALT = "00" * 16


def test_references_at_any_depth_in_order():
    body = {"a": "${env:A}", "b": [1, {"c": "x ${env:B} y ${file:/run/c}"}], "d": None}
    assert list(secretrefs.references(body)) == ["${env:A}", "${env:B}", "${file:/run/c}"]


@pytest.mark.parametrize("text", ["$env:A", "${env:}", "${ENV:A}", "${env A}", "{env:A}", "${env:A", ""])
def test_what_is_no_reference_stays(text):
    assert list(secretrefs.references(text)) == []
    assert secretrefs.resolve(text) == text


def test_resolving(monkeypatch, tmp_path):
    monkeypatch.setenv("A", "top ${env:B}\n")
    (tmp_path / "secret").write_text("from file\r\n")
    body = {"${env:A}": "${env:A}", "b": [f"<${{file:{tmp_path}/secret}}>", 5, None, True]}
    assert secretrefs.resolve(body) == {"${env:A}": "top ${env:B}\n", "b": ["<from file>", 5, None, True]}
    assert body["b"][1] == 5


def test_missing_ones_are_told_by_name(monkeypatch, tmp_path):
    monkeypatch.delenv("NOT_THERE", raising=False)
    with pytest.raises(MissingSecretError, match="NOT_THERE is not set") as error:
        secretrefs.resolve("${env:NOT_THERE}")
    assert error.value.exit_code == 2
    assert "NOT_THERE" in error.value.hint
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00hunter2")
    for name in (tmp_path / "none", tmp_path, tmp_path / "binary", "a\0b", "x" * 5000):
        with pytest.raises(MissingSecretError, match="can't be read") as error:
            secretrefs.resolve(f"${{file:{name}}}")
        assert "hunter2" not in str(error.value)


def test_an_environment_variable_of_other_bytes(monkeypatch):
    monkeypatch.setenv("ODD", "hunter2\udcff")
    with pytest.raises(MissingSecretError, match="ODD is not UTF-8") as error:
        secretrefs.resolve("${env:ODD}")
    assert "hunter2" not in str(error.value)


def test_fingerprints_are_keyed_and_leave_out_what_is_missing(monkeypatch):
    monkeypatch.setenv("A", "hunter2")
    monkeypatch.delenv("B", raising=False)
    found = secretrefs.fingerprints(["${env:A}", "${env:B}", "${env:A}"], SALT)
    assert set(found) == {"${env:A}"}
    assert len(found["${env:A}"]) == 32
    assert found != secretrefs.fingerprints(["${env:A}"], "11" * 16)
    assert found["${env:A}"] == secretrefs.keyed("hunter2", SALT)


def test_prepared_ones_are_remembered(monkeypatch):
    secretrefs._known.clear()
    secretrefs.prepare(["hunter2", "hunter3", "hunter2"], SALT)
    assert len(secretrefs._known) == 3  # each, and both together
    monkeypatch.delattr("hashlib.scrypt")  # it is not needed again
    assert len({secretrefs.keyed("hunter2", SALT), secretrefs.keyed("hunter3", SALT)}) == 2


def test_hiding_what_a_server_repeats(monkeypatch):
    monkeypatch.setenv("A", 'hun"ter2')
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("B", raising=False)
    text = 'bad url hun"ter2 in {"url": "hun\\"ter2"}'
    assert secretrefs.hide(text, ["${env:A}", "${env:EMPTY}", "${env:B}"]) == 'bad url ${env:A} in {"url": "${env:A}"}'


def test_what_is_remembered_of_secrets_is_bounded(monkeypatch):
    monkeypatch.setattr(secretrefs, "_REMEMBERED", 3)
    monkeypatch.setattr(secretrefs, "_known", {})
    for n in range(5):
        secretrefs.remember({f"secret-{n}": str(n)}, SALT)
    assert list(secretrefs._known.values()) == ["2", "3", "4"]


def test_a_memo_spares_the_work_as_long_as_no_secret_changes(monkeypatch):
    memo = secretrefs.prepare(["hunter2", "hunter3"], SALT)
    expected = [secretrefs.keyed("hunter2", SALT), secretrefs.keyed("hunter3", SALT)]
    assert list(memo.each) == expected
    worked = []
    real = secretrefs._scrypt
    monkeypatch.setattr(secretrefs, "_scrypt", lambda text, salt: worked.append(text) or real(text, salt))

    secretrefs._known.clear()
    assert secretrefs.prepare(["hunter3", "hunter2", "hunter2"], SALT, memo) == memo
    assert [secretrefs.keyed("hunter2", SALT), secretrefs.keyed("hunter3", SALT)] == expected
    assert len(worked) == 1

    secretrefs._known.clear()
    other = secretrefs.prepare(["hunter2", "hunter4"], SALT, memo)
    assert other.joint != memo.joint
    assert other.each[0] == memo.each[0]
    assert len(worked) == 1 + 3
    assert secretrefs.prepare(["alone"], SALT, memo) == secretrefs.NO_MEMO


def test_what_is_worked_out_ahead_is_the_memo_of_then_and_is_not_worked_out_twice(monkeypatch):
    monkeypatch.setattr(secretrefs, "_known", {})
    worked = []
    real = secretrefs._scrypt
    monkeypatch.setattr(secretrefs, "_scrypt", lambda text, salt: worked.append(text) or real(text, salt))
    memo = secretrefs.ahead(["b", "a", "b"], ["other"], SALT)
    several = ThreadPoolExecutor(4)
    found = list(several.map(lambda _: secretrefs.keyed("a", SALT), range(8)))  # while it is worked out
    assert secretrefs.prepare(["a", "b"], SALT) == memo.result(30)
    assert found == [memo.result().each[0]] * 8
    assert sorted(worked) == sorted(["a", "b", "other", '["a", "b"]'])
    assert secretrefs.ahead(["alone"], (), SALT).result(30) == secretrefs.NO_MEMO


def test_a_memo_that_fails_spares_nothing_and_stops_nothing(monkeypatch):
    def fails(text, salt):
        raise MemoryError

    monkeypatch.setattr(secretrefs, "_known", {})
    monkeypatch.setattr(secretrefs, "_scrypt", fails)
    assert secretrefs.ahead(["a", "b"], (), SALT).result(30) == secretrefs.NO_MEMO
    with pytest.raises(MemoryError):
        secretrefs.keyed("a", SALT)

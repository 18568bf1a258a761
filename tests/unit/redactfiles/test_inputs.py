"""Chunks of whole lines, whatever comes in whatever pieces."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import ProvisionerError
from provisioner.redactfiles import inputs
from provisioner.redactfiles.inputs import IDLE, Withheld


def _read(data, name="x"):
    return list(inputs.lines(io.BufferedReader(io.BytesIO(data)), name))


PIECES = st.sampled_from(
    [b"a", b"\n", b"bc\n", b"-----BEGIN RSA PRIVATE KEY-----\n", b"-----END RSA PRIVATE KEY-----\n", b""]
)


@given(st.lists(st.lists(PIECES, max_size=6).map(b"".join).filter(bool), max_size=8))
def test_nothing_is_lost_and_no_line_is_cut(parts):
    got = list(inputs._whole(iter(parts)))
    assert b"".join(got) == b"".join(parts)
    assert all(chunk.endswith(b"\n") for chunk in got[:-1])
    assert all(got)
    assert [chunk for chunk in got[:-1] if chunk.rfind(b"-----BEGIN") > chunk.rfind(b"-----END")] == []


def test_a_line_without_end_is_withheld_and_the_next_one_is_not(monkeypatch):
    monkeypatch.setattr(inputs, "LONGEST", 10)
    parts = [b"one\n" + b"x" * 8, b"y" * 8, b"z" * 8, b"zz\ntwo\nthr", b"ee"]
    assert list(inputs._whole(iter(parts))) == [b"one\n", Withheld(), b"two\n", b"three"]
    assert list(inputs._whole(iter([b"x" * 20, b"y\n"]))) == [Withheld()]
    assert list(inputs._whole(iter([b"x" * 20]))) == [Withheld()]
    assert list(inputs._whole(iter([IDLE, b"a\n"]))) == [IDLE, b"a\n"]


def test_gzip_is_known_by_its_first_bytes():
    assert _read(gzip.compress(b"one\ntwo")) == [b"one\n", b"two"]
    assert _read(gzip.compress(b"one\n") + gzip.compress(b"two\n")) == [b"one\ntwo\n"]
    assert _read(b"") == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"one\n" * 1000, mtime=0)[:-9], "x is cut off or damaged"),
        (b"\x1f\x8b\x08\x00nonsense, that goes on for a while", "x is cut off or damaged"),
        (b"\x28\xb5\x2f\xfdabc", "x is compressed by zstd"),
        (b"BZh9abc", "compressed by bzip2"),
        ("password=x".encode("utf-16"), "x is in UTF-16"),
    ],
)
def test_what_would_hide_secrets_is_refused(data, words):
    with pytest.raises(ProvisionerError, match=words):
        _read(data)

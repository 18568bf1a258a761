"""Chunks redacted and counted; what can't be looked at is not passed on."""

import os
import signal
import time

import pytest

from provisioner.errors import ProvisionerError
from provisioner.redactfiles import stream
from provisioner.redactfiles.inputs import IDLE, Withheld
from provisioner.redactfiles.work import WITHHELD_EVENT, Worker
from provisioner.redaction import Catalogue

SETUP = (Catalogue.shipped(), None, None, None, False)
TEXT = (*SETUP[:4], True)
KEY = b"-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n0123456789abcdef\n-----END RSA PRIVATE KEY-----"


def test_a_chunk_is_counted_and_its_ends_stay():
    data = b'{"password":"a","message":"token=b"}\r\nplain\r\n\r\n{"x":"password=c"\nlast password=d'
    done, counts = Worker(*SETUP).chunk(data)
    lines = done.split(b"\n")
    assert lines[1:3] == [b"plain\r", b"\r"]
    assert lines[3] == b'{"x":"password=[password_REDACTED]"'
    assert lines[4] == b"last password=[password_REDACTED]"
    assert (counts.lines, counts.changed, counts.broken, counts.withheld) == (5, 3, 1, 0)
    assert counts.detectors == {"password": 3, "access_token": 1}


def test_markers_that_stood_there_do_not_count():
    line = b'{"message":"token=[access_token_REDACTED]"}\npassword=[password_REDACTED] token=x\n'
    _, counts = Worker(*SETUP).chunk(line)
    assert counts.detectors == {"access_token": 1}


def test_as_text_nothing_is_read_as_json():
    done, counts = Worker(*TEXT).chunk(b'{"password":"a"}\n\xff password=b\n')
    assert done == b'{"password":"[password_REDACTED]"}\n\xff password=[password_REDACTED]\n'
    assert (counts.changed, counts.broken) == (2, 0)


def test_a_private_key_over_several_lines_goes_as_one():
    done, counts = Worker(*SETUP).chunk(b"before\nkey " + KEY + b" end\nafter\n")
    assert done == b"before\nkey [api_key_REDACTED] end\nafter\n"
    assert counts.lines == 6
    assert b"MIIE" not in Worker(*SETUP).chunk(KEY[:60])[0]


def test_a_line_that_fails_is_withheld_and_the_next_one_is_read(monkeypatch):
    worker = Worker(*SETUP)
    real = worker.redactor.line

    def line(body):
        if b"boom" in body:
            raise RuntimeError(body)
        return real(body)

    monkeypatch.setattr(worker.redactor, "line", line)
    done, counts = worker.chunk(b"one\nboom secret\r\ntwo\n")
    assert done == b"one\n" + WITHHELD_EVENT + b"\r\ntwo\n"
    assert (counts.lines, counts.withheld) == (3, 1)


@pytest.mark.parametrize("processes", [1, 2])
def test_chunks_keep_their_order(processes):
    work = stream.Stream(TEXT, processes)
    chunks = [f"{n} password=x{n}\n".encode() * (200 if n % 3 == 0 else 1) for n in range(40)]
    chunks[5:5] = [IDLE, Withheld(), IDLE]
    try:
        done = list(work.run(iter(chunks)))
    finally:
        work.close()
    numbers = [data.split(b" ")[0] for data, _ in done]
    assert numbers == [b"0", b"1", b"2", b"3", b"4", b"[content_REDACTED]\n", *(b"%d" % n for n in range(5, 40))]
    assert sum(counts.withheld for _, counts in done) == 1


def test_a_killed_process_is_an_error_in_words():
    work = stream.Stream(TEXT, 2)

    def chunks():
        yield b"a\n"
        while not work._pool._processes:
            time.sleep(0.01)
        for process in list(work._pool._processes):
            os.kill(process, signal.SIGKILL)
        while True:
            yield b"b\n"

    try:
        with pytest.raises(ProvisionerError, match="was killed"):
            list(work.run(chunks()))
    finally:
        work.close()

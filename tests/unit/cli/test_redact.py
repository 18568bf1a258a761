"""`provisioner redact` as a process: pipes, files, signals."""

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-m", "provisioner", "redact"]
SECRET = "hunter2secret"
LINE = f'{{"message":"login password={SECRET}","n":1}}\n'.encode()
REPORT = b'"ingest":{"redacted":{"detectors":["password"],"fields":["message"]}}'
DONE = b'{"message":"login password=[password_REDACTED]","n":1,' + REPORT + b"}\n"
CATALOGUE = """\
kind: redaction
id: redaction
title: t
detectors:
  - {name: user, action: pseudonym, names: [username]}
issuers: [{name: visa, from: "4", to: "4", lengths: [16]}]
"""


def _run(*arguments, data=b"", cwd=None, env=None):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], input=data, capture_output=True, cwd=cwd, env={**os.environ, **(env or {})},
        timeout=60, check=False,
    )  # fmt: skip


def test_a_filter(tmp_path):
    done = _run("--report", "json", data=LINE + b"plain\n" + b'{"a":\n', cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, DONE + b'plain\n{"a":\n')
    report = json.loads(done.stderr)
    assert report["detectors"] == {"password": 1}
    assert (report["lines"], report["changed"], report["broken"], report["withheld"]) == (3, 1, 1, 0)


def test_files_and_gzip_into_a_folder(tmp_path):
    (tmp_path / "a.log").write_bytes(LINE)
    (tmp_path / "a.log").chmod(0o640)
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(LINE * 3))
    done = _run("a.log", "b.log.gz", "-o", "out", "-j", "2", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / "out" / "a.log").read_bytes() == DONE
    assert stat.S_IMODE((tmp_path / "out" / "a.log").stat().st_mode) == 0o640
    assert gzip.decompress((tmp_path / "out" / "b.log.gz").read_bytes()) == DONE * 3
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.log", "b.log.gz"]

    again = _run("a.log", "-o", "out", cwd=tmp_path)
    assert again.returncode == 2
    assert b"is there already" in again.stderr
    assert _run("a.log", "-o", "out", "--overwrite", cwd=tmp_path).returncode == 0


def test_files_to_standard_output_in_their_order(tmp_path):
    (tmp_path / "a").write_bytes(b"a\n")
    (tmp_path / "b").write_bytes(gzip.compress(b"b\n"))
    assert _run("a", "b", "-", "a", data=b"c\n", cwd=tmp_path).stdout == b"a\nb\nc\na\n"


def test_in_place(tmp_path):
    file = tmp_path / "a.log"
    file.write_bytes(LINE)
    assert _run(file, "--in-place").returncode == 0
    assert file.read_bytes() == DONE
    (tmp_path / "link").symlink_to(file)
    (tmp_path / "hard").hardlink_to(file)
    for name in ("link", "hard"):
        done = _run(tmp_path / name, "--in-place")
        assert (done.returncode, b"other names" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing"], "there is no file missing"),
        (["a", "-o", "."], "written over itself"),
        (["a", "sub/a", "-o", "out"], "two files are named a"),
        (["-o", "out"], "no name to write under"),
        (["a", "--in-place", "-o", "out"], "exclude each other"),
        (["a", "--key-id", "k"], "--key-id without a key"),
        (["a", "--key-env", "NO_SUCH_VARIABLE", "--key-id", "k"], "is not set"),
        (["a", "--key-file", "a"], "without --key-id"),
        (["a", "--key-file", "a", "--key-id", "k"], "the key of pseudonyms"),
        (["a", "--catalogue", "a"], "a"),
    ],
)
def test_mistakes_are_told_in_words(tmp_path, arguments, words):
    (tmp_path / "sub").mkdir()
    for name in ("a", "sub/a"):
        (tmp_path / name).write_bytes(b"short\n")
    done = _run(*arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.part"))


def test_pseudonyms_and_the_repositorys_catalogue(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "redaction.yml").write_text(CATALOGUE, encoding="utf-8")
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123\n", encoding="utf-8")
    data = b'{"username":"john"}\n{"username":"john"}\n{"password":"x"}\n'
    masked = _run(data=data, cwd=tmp_path)
    assert b"[user_REDACTED]" in masked.stdout
    assert b"--key-file" in masked.stderr
    one = _run("--key-file", key, "--key-id", "k1", data=data, cwd=tmp_path)
    two = _run("--key-env", "K", "--key-id", "k1", "-C", tmp_path, data=data, env={"K": "0123456789abcdef0123"})
    assert one.stdout == two.stdout
    first, second, third = one.stdout.splitlines()
    assert first == second
    assert b"[user_REDACTED:k1:" in first
    assert b"john" not in one.stdout
    assert third == b'{"password":"x"}'  # this catalogue says nothing of it


def test_a_reader_that_leaves_is_no_mistake(tmp_path):
    file = tmp_path / "a.log"
    file.write_bytes(LINE * 60_000)
    with subprocess.Popen([*COMMAND, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(30) == 141
    assert said == b""


@pytest.mark.parametrize("processes", ["1", "2"])
def test_lines_come_out_while_the_pipe_stays_open(processes):
    with subprocess.Popen([*COMMAND, "-j", processes], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for _ in range(3):
            process.stdin.write(LINE)
            process.stdin.flush()
            assert process.stdout.readline() == DONE
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_half_file(tmp_path, sent):
    fifo = tmp_path / "big.log"
    fifo.write_bytes(LINE * 400_000)
    out = tmp_path / "out"
    arguments = [*COMMAND, str(fifo), "-o", str(out), "-j", "2"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        end = time.monotonic() + 30
        while not list(out.glob(".*.part")) and time.monotonic() < end:
            time.sleep(0.02)
        os.killpg(process.pid, sent)
        said = process.stderr.read()
        assert process.wait(30) == 130
    assert b"Traceback" not in said
    assert list(out.iterdir()) == []


@pytest.mark.long
def test_memory_stays_flat(tmp_path):
    """Peak memory of 200,000 lines is that of 40,000, but for a little."""

    def peak(times):
        code = (
            "import resource, subprocess, sys\n"
            f"p = subprocess.Popen({COMMAND!r}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)\n"
            f"data = {LINE!r} * 20_000\n"
            f"[p.stdin.write(data) for _ in range({times})]\n"
            "p.stdin.close(); p.wait()\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        )
        return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=300).stdout)

    assert peak(10) < 1.2 * peak(2)

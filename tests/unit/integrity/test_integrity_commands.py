"""`provisioner sign`, `verify` and `proof`, as a person runs them."""

import gzip
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys

import lab
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "root.key").write_text(lab.ROOT.hex() + "\n", encoding="ascii")
    pem = lab.SIGNING.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "cp.pem").write_bytes(pem)
    public = lab.SIGNING.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "cp.pub").write_bytes(public)
    return tmp_path


def run(folder, *arguments, stdin=b"", code=0, **environment):
    program = [sys.executable, "-m", "provisioner", *map(str, arguments)]
    whole = {**os.environ, **environment}
    done = subprocess.run(program, input=stdin, capture_output=True, timeout=60, cwd=folder, check=False, env=whole)
    assert done.returncode == code, (done.stdout.decode(), done.stderr.decode())
    assert b"Traceback" not in done.stderr
    assert lab.ROOT.hex().encode() not in done.stdout + done.stderr
    return done


def lines(*events):
    return b"".join((event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n" for event in events)


SIGN = ("sign", "log/a.jsonl", "--key", "file:root.key", "--stream", "web1")
VERIFY = ("verify", "log", "--key", "file:root.key")
PLACES = ("--checkpoint-key", "file:cp.pem", "--checkpoint-to", "file:cp/checkpoints")
CHECKED = ("--checkpoints", "cp/checkpoints", "--public-key", "cp.pub")


def test_from_events_to_a_verdict(folder):
    done = run(folder, *SIGN, "--tee", *PLACES, stdin=lines({"message": "one"}, b"no JSON \xff", {"message": "two"}))
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["message"] for record in records] == ["one", "no JSON \ufffd", "two"]
    done = run(folder, *VERIFY, *CHECKED)
    assert done.stdout.decode().splitlines()[-1] == (
        "web1: intact: 4 records (0 to 3) in 1 file; the first 3 agree with 1 checkpoint, 1 came later"
    )
    run(folder, "sign", "log/a.jsonl", stdin=lines({"message": "three"}))  # the key state suffices
    assert b"nothing is proven of them" in run(folder, "verify", "log", *CHECKED).stdout  # without the key
    told = json.loads(run(folder, *VERIFY, *CHECKED, "-o", "json").stdout)
    assert (told["intact"], told["records"], told["streams"][0]["covered"]) == (True, 5, 3)


def test_an_edited_record_is_named_and_the_page_says_so(folder):
    run(folder, *SIGN, stdin=lines(*(lab.event(number) for number in range(9))))
    log = folder / "log" / "a.jsonl"
    log.write_bytes(log.read_bytes().replace(b"export 4", b"<script>"))
    done = run(folder, *VERIFY, "--html", "page.html", code=1)
    assert done.stdout.decode().splitlines()[0] == (
        "log/a.jsonl:5: edited: record 4: the record is not as it was signed "
        "(what it says does not agree with its signature)"
    )
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "log/a.jsonl:5" in page
    assert hashlib.sha256(log.read_bytes()).hexdigest() in page
    told = json.loads(run(folder, *VERIFY, "-o", "json", code=1).stdout)
    (problem,) = told["streams"][0]["problems"]
    assert (problem["kind"], problem["line"], problem["seq"]) == ("edited", 5, 4)


def test_what_a_page_shows_can_never_become_markup(folder):
    run(folder, *SIGN, stdin=lines({"message": "x"}))
    (folder / "log" / "<b>.jsonl").write_bytes(b'{"integrity":"<img src=x>"}\n')
    run(folder, *VERIFY, "--html", "page.html", code=1)
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_rotated_gzipped_and_piped_logs(folder):
    for begin in (0, 10, 20):
        some = [lab.event(number) for number in range(begin, begin + 10)]
        run(folder, *SIGN, "--rotate", "3k", stdin=lines(*some))
    archive = folder / "log" / "a.jsonl.000001"
    with gzip.open(f"{archive}.gz", "wb") as packed:
        packed.write(archive.read_bytes())
    archive.unlink()
    run(folder, *VERIFY)
    files = sorted((folder / "log").glob("a.jsonl.0*"))
    whole = b"".join(gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in files)
    whole += (folder / "log" / "a.jsonl").read_bytes()
    run(folder, "verify", "-", "--key", "file:root.key", stdin=whole)
    run(folder, "verify", files[1], "--key", "file:root.key", code=1)
    run(folder, "verify", files[1], "--key", "file:root.key", "--partial")
    files[0].write_bytes(files[0].read_bytes()[:-20])
    assert b"can't be read" in run(folder, *VERIFY, code=2).stderr


def test_a_key_that_is_not_the_one(folder):
    run(folder, *SIGN, stdin=lines(*(lab.event(number) for number in range(9))))
    done = run(folder, "verify", "log", "--key", "env:OTHER", code=1, OTHER="f" * 64)
    assert b"wrong-key" in done.stdout
    done = run(folder, "verify", "log", "--key", "k7=file:root.key", code=1)
    assert done.stdout.count(b"wrong-key") == 9


def test_keys_from_environment_and_command(folder):
    run(folder, "sign", "log/a.jsonl", "--key", "env:AUDIT", stdin=lines({"message": "x"}), AUDIT=lab.ROOT.hex())
    run(folder, "verify", "log", "--key", "command:cat root.key")
    for source in ("env:NOT_SET", "command:false", "command:/not/there", "file:/not/there", "hunter2", "k1=hunter2"):
        done = run(folder, "verify", "log", "--key", source, code=2)
        assert b"hunter2" not in done.stderr
    assert b"32 are needed" in run(folder, "verify", "log", "--key", "env:SHORT", code=2, SHORT="short").stderr


def test_proofs_hold_with_the_public_key_alone(folder):
    run(folder, *SIGN, *PLACES, stdin=lines(*(lab.event(number) for number in range(9))))
    run(folder, "sign", "log/a.jsonl", *PLACES, stdin=lines(*(lab.event(number) for number in range(9))))
    proof = run(folder, "proof", "inclusion", "log", "--seq", "4", *CHECKED).stdout
    (folder / "proof.json").write_bytes(proof)
    checked = ("proof", "check", "proof.json", "--public-key", "cp.pub")
    assert b"The proof holds: record 4 of web1 was among the first 9" in run(folder, *checked).stdout
    (folder / "proof.json").write_bytes(proof.replace(b"export 4", b"export 5"))
    assert b"does not hold" in run(folder, *checked, code=1).stdout
    proof = run(folder, "proof", "consistency", "log", "--from", "9", "--to", "19", *CHECKED).stdout
    (folder / "proof.json").write_bytes(proof)
    assert json.loads(run(folder, *checked, "-o", "json").stdout) == {"holds": True, "wrong": ""}
    (folder / "proof.json").write_bytes(proof.replace(b'"first": 9', b'"first": 8'))
    assert json.loads(run(folder, *checked, "-o", "json", code=1).stdout)["wrong"]
    run(folder, "proof", "inclusion", "log", "--seq", "400", *CHECKED, code=2)
    (folder / "proof.json").write_bytes(b"[]")
    run(folder, *checked, code=1)


def test_a_checkpoint_by_somebody_who_cannot_sign_records(folder):
    run(folder, *SIGN, stdin=lines({"message": "x"}))
    made = ("proof", "checkpoint", "log/a.jsonl", "--checkpoint-key", "file:cp.pem")
    assert b"checkpoint 0: 1 records" in run(folder, *made, "--checkpoint-to", "file:cp/checkpoints").stdout
    assert b"no new records" in run(folder, *made, "--checkpoint-to", "file:cp/checkpoints").stdout
    run(folder, "sign", "log/a.jsonl", stdin=lines({"message": "y"}))
    said = json.loads(run(folder, *made, "--checkpoint-to", "stdout").stdout)
    assert (said["count"], said["number"]) == (2, 1)
    run(folder, *VERIFY, *CHECKED)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify", "log"), b"a key or checkpoints are needed"),
        (("verify",), b"name logs"),
        (("verify", "not-there", "--key", "file:root.key"), b"there is no such file"),
        (("verify", "log", "--key", "file:root.key", "--checkpoints", "x"), b"need the public key"),
        (("verify", "log", "--key", "file:root.key", "--checkpoints", "x", "--public-key", "root.key"), b"no Ed25519"),
        (("sign", "log/b.jsonl", "--key", "file:root.key", "--rotate", "big"), b"no size"),
        (("sign", "log/b.jsonl", "--key", "file:root.key", "--evolve", "soon"), b"no duration"),
        (("sign", "log/b.jsonl", "--key", "file:root.key", "--checkpoint-key", "file:cp.pem"), b"a key and a place"),
        (("sign", "log/b.jsonl"), b"no key yet"),
        (("sign", "root.key/b.jsonl", "--key", "file:root.key"), b"can't be written"),
    ],
)
def test_what_cannot_be_done_is_said(folder, arguments, words):
    (folder / "log").mkdir()
    (folder / "x").touch()
    assert words in run(folder, *arguments, code=2).stderr


# The article's format


def article(path, secret, first=None, events=6):
    """What a mended SecureLogger writes."""
    previous, written = first, []
    for number in range(events):
        event = {"message": f"event {number} ä", "_prev_hash": previous, "_timestamp": "2026-05-11T14:23:45"}
        payload = json.dumps(event, sort_keys=True)
        event["_signature"] = previous = hmac.new(secret, payload.encode(), hashlib.sha256).hexdigest()
        written.append(json.dumps(event).encode())
    path.write_bytes(b"".join(line + b"\n" for line in written))
    return written


@pytest.mark.parametrize("first", [None, "", "0" * 64])
def test_logs_of_the_article_are_read(folder, first):
    written = article(folder / "old.log", b"secret", first)
    command = ("verify", "old.log", "--article", "--key", "env:SECRET")
    done = run(folder, *command, SECRET="secret")
    assert b"intact as far as this format can tell: 6 records" in done.stdout
    assert b"is not proven" in done.stdout
    for name, changed in {
        "edited": [written[0], written[1].replace(b"event 1", b"event 7"), *written[2:]],
        "deleted": [written[0], *written[2:]],
        "duplicated": [*written[:3], *written[1:]],
    }.items():
        (folder / "old.log").write_bytes(b"".join(line + b"\n" for line in changed))
        told = json.loads(run(folder, *command, "-o", "json", SECRET="secret", code=1).stdout)
        assert name in {each["kind"] for each in told["logs"][0]["problems"]}


def test_help_names_all_three():
    out = run(pathlib.Path.cwd(), "--help").stdout
    assert all(name in out for name in (b"sign", b"verify", b"proof"))

"""The trail of a run on a real chain: what is written when, and what becomes of a chain that can't be written."""

import dataclasses
import json
import os
import pwd
import resource
import signal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provisioner.audit import Trail, events, place, shipping
from provisioner.errors import AuditError, LimitError, ProvisionerError
from provisioner.integrity import KeyRing, keysource
from provisioner.integrity.checking import Checkpoints
from provisioner.integrity.places import from_file
from provisioner.integrity.verdict import Kind
from provisioner.integrity.verify import verify
from provisioner.model import Plan
from provisioner.releases import COMPLETE, RUNNING, Release
from provisioner.settings import Audit, AuditCheckpoints, Settings, Target

PLAN = Plan((), digest="d" * 64)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("PROVISIONER_AUDIT", str(tmp_path / "audit"))
    return Settings("acme", Target("dev/eu", ("http://127.0.0.1:9",)))


@pytest.fixture
def told():
    return []


@pytest.fixture
def trail(settings, told, tmp_path):
    return lambda command="apply", **options: Trail(settings, command, tmp_path, tell=told.append, **options)


def records(settings):
    file = place.file(settings)
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def actions(settings):
    return [(r["action"].removeprefix("provisioner_"), r["outcome"].get("reason", "")) for r in records(settings)]


def intact(settings):
    file = place.file(settings)
    ring = keysource.ring([f"local=file:{place.key_file(file)}"])
    result = verify([file.parent], ring)
    return not result.problems and result.records == len(records(settings))


def test_a_look_is_two_records(settings, trail, told):
    with trail("plan") as run:
        run.begin()
        run.ended(events.looked(PLAN))
    assert actions(settings) == [("plan_started", "started"), ("plan_ended", "")]
    assert place.file(settings).name == "acme.dev%2Feu.jsonl"
    assert place.file(settings).parent.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in place.file(settings).parent.iterdir()} == {0o600}
    assert intact(settings)
    assert told == []


def test_whatever_ends_a_run_is_recorded(settings, trail):
    for error in (LimitError("deletes: x"), KeyboardInterrupt(), RuntimeError("x")):
        with pytest.raises(type(error)), trail(changes=True) as run:
            run.intend(PLAN)
            raise error
    assert [reason for _, reason in actions(settings)[1::2]] == ["limit_exceeded", "interrupted", "error"]
    with pytest.raises(SystemExit), trail("bootstrap", changes=True) as run:
        run.ended(events.Ended("failure", "unfit"))
        raise SystemExit(1)
    assert actions(settings)[-1] == ("bootstrap_ended", "unfit")
    assert intact(settings)


def test_the_user_is_the_kernels_not_the_environments(settings, trail, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    with trail("plan"):
        pass
    (ended,) = records(settings)
    assert ended["actor"] == {"username": pwd.getpwuid(os.getuid()).pw_name, "user_id": str(os.getuid())}


def unwritable(settings):
    """A folder stands where the chain belongs: not even root writes that."""
    place.file(settings).mkdir(parents=True)


def test_a_run_that_changes_something_is_refused_without_a_record(settings, trail, told):
    unwritable(settings)
    with pytest.raises(AuditError, match=r"the audit chain .* can.t be written") as raised, trail(changes=True) as run:
        run.ready()
    assert raised.value.exit_code == 1
    assert "--force audit" in raised.value.hint
    with pytest.raises(AuditError), trail(changes=True) as run:
        run.intend(PLAN)
    with pytest.raises(AuditError), trail("bootstrap", changes=True) as run:
        run.begin()
    with pytest.raises(AuditError), trail(changes=True) as run:  # there was nothing to do
        run.ended(events.Ended("success", "nothing_to_do"))
    assert told == []


def test_forced_it_goes_on_and_says_so_once(settings, trail, told):
    unwritable(settings)
    with trail(changes=True, forced=["audit"]) as run:
        run.ready()
        assert run.intend(PLAN) == ""
        run.left([release(1, RUNNING)])
        run.ended(events.Ended("success"), acted=True)
    assert len(told) == 1
    assert told[0].startswith("Not recorded: the audit chain")


def test_what_changes_nothing_goes_on(settings, trail, told):
    unwritable(settings)
    with trail("plan") as run:
        run.begin()
    assert len(told) == 1


def test_an_error_of_its_own_counts_more_than_one_of_the_audit(settings, trail):
    unwritable(settings)
    with pytest.raises(LimitError), trail(changes=True):
        raise LimitError("deletes: x")


@pytest.fixture
def full():
    """Calling it makes the kernel refuse to write any file beyond that size, as on a full disk."""
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size=soft):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    yield limit
    limit()
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_refuses_before_the_first_change(settings, trail, full):
    with trail("plan") as run:
        run.begin()
    full(place.file(settings).stat().st_size + 10)
    with pytest.raises(AuditError, match="File too large"), trail(changes=True) as run:
        run.ready()
        run.intend(PLAN)
    full()
    with trail(changes=True) as run:
        assert run.intend(PLAN) == run.run.id
    result = verify([place.file(settings)], keysource.ring([f"local=file:{place.key_file(place.file(settings))}"]))
    assert not result.problems  # what was written of the intent is recorded as torn
    assert b"log_recovered" in place.file(settings).read_bytes()


def test_a_disk_that_fills_up_after_the_change_is_told(settings, trail, told, full):
    with trail(changes=True) as run:
        run.intend(PLAN)
        full(place.file(settings).stat().st_size)
        run.ended(events.Ended("success"), acted=True)
    full()
    assert len(told) == 1
    assert "File too large" in told[0]
    with trail("plan") as run:
        run.begin()
    assert [name for name, _ in actions(settings)] == ["apply_started", "plan_started", "plan_ended"]
    assert intact(settings)


def release(number, outcome, audit="a" * 32):
    return Release(number, f"2026-11-29T10:0{number}:00Z", "bob", "ci-1", None, "0.1.0", outcome, audit=audit)


def test_releases_that_nobody_recorded_are_recorded_once(settings, trail):
    open_ = [release(1, COMPLETE), release(2, RUNNING), release(3, COMPLETE, ""), release(4, RUNNING, None)]
    for _ in range(2):
        with trail(changes=True) as run:
            run.left(open_)
            run.ended(events.Ended("success", "nothing_to_do"))
    found = [r for r in records(settings) if "release" in r["labels"]]
    assert [(r["action"], r["labels"]["release"]) for r in found] == [
        ("provisioner_apply_interrupted", "2"),
        ("provisioner_apply_unrecorded", "3"),
        ("provisioner_apply_interrupted", "4"),
    ]
    assert found[0]["context"]["request_id"] == "a" * 32
    assert intact(settings)


def test_a_key_of_ones_own(settings, tmp_path, monkeypatch, trail):
    monkeypatch.setenv("OWN_KEY", "6b" * 32)
    own = Settings(
        "acme", Target("dev", ("http://x",), audit=Audit(str(tmp_path / "own.jsonl"), "${env:OWN_KEY}", "k7"))
    )
    with place.chain(own, "never") as chain:
        chain.append({"message": "m"})
    assert not (tmp_path / "own.jsonl.key").exists()
    assert (tmp_path / "own.jsonl").stat().st_mode & 0o777 == 0o600
    assert not verify([tmp_path / "own.jsonl"], KeyRing({"k7": b"k" * 32})).problems
    monkeypatch.delenv("OWN_KEY")
    place.chain(own, "never").close()  # the key state suffices
    (tmp_path / "own.jsonl.state").unlink()
    with pytest.raises(ProvisionerError, match="OWN_KEY is not set"):
        place.chain(own, "never")
    monkeypatch.setenv("OWN_KEY", "short")
    with pytest.raises(ProvisionerError, match="32 are needed") as raised:
        place.chain(own, "never")
    assert "short" not in raised.value.message


def test_two_first_uses_share_one_key(settings):
    file = place.key_file(place.file(settings))
    file.parent.mkdir(parents=True)
    first = place._made_here(file)
    assert place._made_here(file) == first
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    file.write_text("no key")
    with pytest.raises(ProvisionerError, match="is no key"):
        place._made_here(file)


def test_a_damaged_memory_of_what_was_shipped_is_none(settings):
    file = place.file(settings)
    file.parent.mkdir(parents=True)
    for content in (b"", b"{", b"[]", b'{"places": {"x": {"no": 1}}, "told": []}', b'{"places": [], "told": 1}'):
        place.shipped_file(file).write_bytes(content)
        assert shipping.told(file) == ()
    shipping.tell(file, "7")
    assert shipping.told(file) == ("7",)


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def checkpointed(settings, key_file, *to):
    audit = Audit(checkpoints=AuditCheckpoints(f"${{file:{key_file}}}", to))
    return dataclasses.replace(settings, target=dataclasses.replace(settings.target, audit=audit))


def test_a_run_that_changes_something_ends_with_a_checkpoint(settings, told, tmp_path):
    """What was cut off the chain behind its back is missing then, and nobody without the checkpoint's key can tell
    otherwise."""
    key, elsewhere = Ed25519PrivateKey.generate(), tmp_path / "elsewhere" / "acme"
    (tmp_path / "checkpoint.pem").write_text(pem(key), encoding="ascii")
    chosen = checkpointed(settings, tmp_path / "checkpoint.pem", f"file:{elsewhere}")

    def trail(command="apply", **options):
        return Trail(chosen, command, tmp_path, tell=told.append, **options)

    with trail("plan") as run:
        run.begin()
    assert not elsewhere.exists()  # what looks alone makes none
    with pytest.raises(LimitError), trail(changes=True) as run:
        run.ready()
        raise LimitError("deletes: x")
    assert not elsewhere.exists()
    with trail(changes=True) as run:
        run.intend(PLAN)
    with trail("ack", changes=True) as run:
        run.begin()
    made = from_file(elsewhere)
    assert [each.made.count for each in made if each.made] == [5, 8]  # each is followed by the record that names it
    file = place.file(chosen)
    ring = keysource.ring([f"local=file:{place.key_file(file)}"])
    assert verify([file], ring, Checkpoints(made, [key.public_key()])).intact
    assert told == []
    lines = file.read_bytes().splitlines(keepends=True)
    assert b"log_checkpointed" in lines[-1]
    file.write_bytes(b"".join(lines[:6]))
    file.with_name(f"{file.name}.lock").unlink()
    result = verify([file], ring, Checkpoints(made, [key.public_key()]))
    assert [each.kind for each in result.problems] == [Kind.TRUNCATED]


def test_a_checkpoint_that_cannot_be_made_is_told_and_refuses_nothing(settings, told, tmp_path):
    for n, (key, to) in enumerate([("none.pem", "file:/dev/null/x"), ("wrong.pem", f"file:{tmp_path}/c")]):
        (tmp_path / "wrong.pem").write_text("x", encoding="ascii")
        chosen = checkpointed(settings, tmp_path / key, to)
        with Trail(chosen, "apply", tmp_path, tell=told.append, changes=True) as run:
            run.intend(PLAN)
            run.ended(events.Ended("success"), acted=True)
        assert len(told) == n + 1
        assert told[-1].startswith("No checkpoint of the audit chain was made: ")
    assert intact(settings)

"""Our own audit on a real cluster: what each command leaves in its chain, and what of it arrives in the data stream."""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import subprocess
from typing import Any

import pytest
from clusters import Repository
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from faulteffects import proxied
from faultproxy import Fault
from test_ownership import HOOK, PARTS, PIPELINES, apply

from provisioner.audit import place, shipping
from provisioner.client import path
from provisioner.integrity import Chain, KeyRing, Options
from provisioner.releases import RUNNING, Release

SECRET = "s3cr3t-Hunter2-nobody-may-see"
SLOW = (
    "kind: ingest_pipeline\nid: p{n}\ntitle: P\nprocessors: [{{script: {{lang: painless, source: 'int n = {n};'}}}}]\n"
)
MORE = "kind: ingest_pipeline\nid: more\ntitle: More\nprocessors: [{{set: {{field: c, value: {n}}}}}]\n"


@pytest.fixture
def audited(repository: Repository) -> Repository:
    """The audit data stream with its schema and pipelines, two component templates, a pipeline: no rules."""
    others = [f"templates/index/{log_type}.yml" for log_type in ("application", "authentication", "network", "system")]
    repository.remove("rules", "ilm", "templates/shippers", "templates/access", "templates/pipelines/sshd.yml", *others)
    repository.write({"templates/parts.yml": PARTS, "templates/tail.yml": PIPELINES})
    repository.settings(catch=None)
    return repository


def file(repository: Repository) -> pathlib.Path:
    return pathlib.Path(os.environ["PROVISIONER_AUDIT"], f"{repository.owner}.e2e.jsonl")


def chain(repository: Repository) -> list[dict[str, Any]]:
    """The records of the local chain."""
    return [json.loads(line) for line in file(repository).read_bytes().splitlines()]


def actions(repository: Repository) -> list[str]:
    return [record["action"].removeprefix("provisioner_") for record in chain(repository)]


def stored(repository: Repository) -> list[dict[str, Any]]:
    """The events of the data stream, in the chain's order; empty where there is no stream."""
    stream = f"logs-audit-{repository.namespace}"
    if repository.client.get(path("_data_stream", stream)) is None:
        return []
    repository.client.request("POST", path(stream, "_refresh"))
    by_number = {"integrity.seq": {"order": "asc", "unmapped_type": "long"}}
    query = {"size": 1000, "query": {"exists": {"field": "integrity.seq"}}, "sort": [by_number]}
    answer = repository.client.request("POST", path(stream, "_search"), query, safe=True)
    return [hit["_source"] for hit in answer["hits"]["hits"]]


def intact(repository: Repository) -> str:
    """What the verifier says of chain and stream; both must be intact."""
    key = f"local=file:{file(repository)}.key"
    done = repository.run("verify", str(file(repository)), "--key", key)
    assert done.code == 0, done.text
    said = done.out
    if stored(repository):
        done = repository.run("verify", "--stream", f"logs-audit-{repository.namespace}", "--key", key)
        assert done.code == 0, done.text
        said += done.out
    return said


def more(repository: Repository, number: int) -> None:
    """Another change each time."""
    repository.write({"templates/more.yml": MORE.format(n=number)})


def test_every_command_leaves_its_begin_and_its_end(audited: Repository) -> None:
    assert audited.run("plan").code == 0
    assert actions(audited) == ["plan_started", "plan_ended"]
    apply(audited)
    assert len(stored(audited)) == 4  # the plan before it as well
    for command in (["plan"], ["drift"], ["pull", "--dry-run", "--kind", "channel"], ["apply", "--yes"]):
        assert audited.run(*command).code == 0
    assert len(stored(audited)) == 4  # nothing of these writes to the cluster
    more(audited, 1)
    apply(audited)
    assert audited.run("rollback", "1", "--dry-run").code == 0
    assert audited.run("rollback", "1", "--yes").code == 0
    assert audited.run("bootstrap", "--yes").code == 0
    assert actions(audited) == [
        *("plan_started", "plan_ended", "apply_started", "apply_ended", "plan_started", "plan_ended"),
        *("drift_started", "drift_ended", "pull_started", "pull_ended", "apply_ended"),
        *("apply_started", "apply_ended", "plan_started", "plan_ended", "rollback_started", "rollback_ended"),
        *("bootstrap_started", "apply_started", "apply_ended", "bootstrap_ended"),
    ]
    records = chain(audited)
    events = stored(audited)
    assert [{k: v for k, v in event.items() if k != "ingest"} for event in events] == records
    assert intact(audited).count("intact: 21 records (0 to 20)") == 2
    _tells(audited, records)


def _tells(repository: Repository, records: list[dict[str, Any]]) -> None:
    """What the first apply's two events say."""
    started, ended = records[2:4]
    planned = json.loads(repository.run("plan", "-o", "json").out)
    assert started["labels"]["cluster"] == planned["cluster"]
    assert started["labels"]["plan"] == records[1]["labels"]["plan"]
    assert started["labels"]["create"] == str(started["details"]["result_count"]) == ended["labels"]["create"]
    assert (ended["outcome"], ended["labels"]["release"]) == ({"status": "success"}, "1")
    assert started["context"]["request_id"] == ended["context"]["request_id"]
    release = repository.client.get(path(repository.state_index, "_doc", "release:1"))["_source"]
    assert (release["audit"], release["forced"]) == (started["context"]["request_id"], [])
    assert {r["details"]["resource"] for r in records} == {f"{repository.owner}/e2e"}
    nothing = next(record for record in records if record["outcome"].get("reason") == "nothing_to_do")
    assert nothing["outcome"]["status"] == "success"


def test_what_can_not_be_recorded_is_not_applied_unless_forced(audited: Repository, tmp_path: pathlib.Path) -> None:
    blocked = tmp_path / "no-folder"
    blocked.write_text("a file")
    nowhere = {"PROVISIONER_AUDIT": str(blocked / "chains")}
    done = audited.run("plan", **nowhere)
    assert done.code == 0
    assert "warning: Not recorded: the audit chain" in done.err
    for command in (["apply", "--yes"], ["bootstrap", "--yes"], ["apply", "--yes", "--force", "deletes"]):
        done = audited.run(*command, **nowhere)
        assert done.code == 1, done.text
        assert f"can't be written: {blocked}: File exists" in done.err
        assert "--force audit" in done.err
        assert (audited.objects(), audited.state()) == ({}, [])
    assert json.loads(audited.run("apply", "-y", "-o", "json", **nowhere).out)["error"]["exit_code"] == 1

    done = audited.run("apply", "--yes", "--force", "audit", "--force", "deletes", **nowhere)
    assert done.code == 0, done.text
    assert "warning: Not recorded" in done.err
    (release,) = (document for document in audited.state() if document["type"] == "release")
    assert (release["audit"], release["forced"], release["open"]) == ("", ["audit", "deletes"], True)
    assert json.loads(audited.run("history", "1", "-o", "json").out)["forced"] == ["audit", "deletes"]
    assert "forced: audit, deletes" in audited.run("history", "1").out
    assert stored(audited) == []

    more(audited, 1)
    apply(audited)
    assert actions(audited) == ["apply_started", "apply_unrecorded", "apply_ended"]
    found = chain(audited)[1]
    assert (found["details"]["policy"], found["severity"]) == (["audit", "deletes"], "high")
    assert (found["labels"]["release"], found["labels"]["release_by"]) == ("1", release["who"])
    kept = audited.client.get(path(audited.state_index, "_doc", "release:1"))["_source"]
    assert (kept["audit"], kept["open"]) == (found["context"]["request_id"], False)
    more(audited, 2)
    apply(audited)
    assert actions(audited).count("apply_unrecorded") == 1
    assert intact(audited).count("intact: 5 records") == 2


def test_a_killed_apply_is_recorded_by_the_next_one(audited: Repository) -> None:
    apply(audited)
    audited.write({"templates/slow.yml": "---\n".join(SLOW.format(n=n) for n in range(24))})
    with audited.start("apply", "--yes") as running:
        next(line for line in running.stdout or () if " created in " in line)
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=30)
    assert actions(audited)[-1] == "apply_started"
    apply(audited)
    assert actions(audited)[2:] == ["apply_started", "apply_started", "apply_interrupted", "apply_ended"]
    killed, _, found, ended = chain(audited)[2:]
    assert found["context"]["request_id"] == killed["context"]["request_id"] != ended["context"]["request_id"]
    assert (found["outcome"]["status"], found["labels"]["release"]) == ("unknown", "2")
    assert intact(audited).count("intact: 6 records") == 2


@pytest.mark.long
def test_killed_at_random_moments_the_chain_stays_whole(audited: Repository) -> None:
    """Each release of the state is in the chain, by its outcome or as a killed one, and all of it is in the cluster."""
    apply(audited)
    moments = random.Random(7)
    for number in range(40):
        audited.write({"templates/slow.yml": "---\n".join(SLOW.format(n=n + number) for n in range(6))})
        with audited.start("apply", "--yes", "--prune", "--force", "deletes") as running:
            try:
                running.communicate(timeout=moments.uniform(0.2, 3))
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                running.communicate(timeout=30)
        if number % 4 == 3:
            apply(audited, "--prune", "--force", "deletes")
    more(audited, 1)
    apply(audited)
    said = {(record["action"], record["labels"].get("release")) for record in chain(audited)}
    found = json.loads(audited.run("history", "-o", "json").out)["releases"]
    outcomes = {"complete": "provisioner_apply_ended", "interrupted": "provisioner_apply_interrupted"}
    assert {release["outcome"] for release in found} == outcomes.keys()
    # One that was killed right behind its last write is complete in the state, and has an intent without an end here.
    missing = [r for r in found if (outcomes[r["outcome"]], str(r["number"])) not in said]
    begun = {record["context"]["request_id"] for record in chain(audited) if record["action"].endswith("_started")}
    addresses = [path(audited.state_index, "_doc", f"release:{release['number']}") for release in missing]
    kept = [audited.client.get(address)["_source"] for address in addresses]
    assert all(r["outcome"] == "complete" and r["audit"] in begun for r in kept), missing
    assert len(stored(audited)) == len(chain(audited))
    intact(audited)


def test_a_killed_apply_that_left_nothing_to_do_is_recorded_once(audited: Repository) -> None:
    apply(audited)
    said = audited.client.get(path(audited.state_index, "_doc", "release:1"))["_source"]
    lost = Release.of({**said, "number": 2, "outcome": RUNNING, "manifest": None, "audit": "f" * 32})
    address, body = path(audited.state_index, "_doc", "release:2"), {"type": "release", **lost.packed()}
    audited.client.request("PUT", address, body, {"refresh": "true"})
    for _ in range(2):
        assert "No changes" in apply(audited)
    assert actions(audited)[2:] == ["apply_interrupted", "apply_ended", "apply_ended"]
    assert chain(audited)[2]["context"]["request_id"] == "f" * 32
    assert "intact: 5 records" in intact(audited)


def test_refusals_are_recorded(audited: Repository) -> None:
    audited.write({"templates/many.yml": "---\n".join(SLOW.format(n=n) for n in range(20))})
    apply(audited)
    audited.remove("templates/many.yml")
    assert audited.run("apply", "--yes", "--prune").code == 1
    refused = chain(audited)[-1]
    assert (refused["action"], refused["outcome"]) == (
        "provisioner_apply_ended",
        {"status": "failure", "reason": "limit_exceeded"},
    )
    assert refused["labels"]["limits"] == "deletes"
    apply(audited, "--prune", "--force", "deletes")
    started, ended = chain(audited)[-2:]
    assert started["details"]["policy"] == ["deletes"]
    assert "policy" not in ended["details"]  # a forced apply is one alert
    assert ended["labels"]["delete"] == "20"
    audited.settings(catch=None, hosts=["http://127.0.0.1:19799"], timeout=1)
    assert audited.run("apply", "--yes").code == 2
    assert chain(audited)[-1]["outcome"]["reason"] == "cluster_refused_or_unreachable"
    audited.settings(catch=None)
    assert "intact" in intact(audited)


def test_two_applies_at_once_append_to_one_chain(audited: Repository) -> None:
    with audited.start("apply", "--yes") as one, audited.start("apply", "--yes") as other:
        for running in (one, other):
            out, err = running.communicate(timeout=60)
            assert running.returncode in (0, 1), out + err
    assert sorted(actions(audited)) in (
        ["apply_ended"] * 2 + ["apply_started"] * 2,
        ["apply_ended"] * 2 + ["apply_started"],
    )
    runs = {record["context"]["request_id"] for record in chain(audited)}
    assert len(runs) == 2
    more(audited, 1)
    apply(audited)
    assert [event["integrity"]["seq"] for event in stored(audited)] == list(range(len(chain(audited))))
    intact(audited)


def test_no_secret_is_recorded(audited: Repository) -> None:
    channel = f"{HOOK}headers: {{X-Key: '${{env:AUDIT_E2E_SECRET}}'}}\n"
    audited.write({"rules/hook.yml": channel, "templates/bad.yml": _refused(SECRET)})
    done = audited.run("apply", "--yes", AUDIT_E2E_SECRET=SECRET)
    assert done.code == 1, done.text  # the cluster refuses the pipeline, in words that hold what was sent
    audited.remove("templates/bad.yml")
    for other in (SECRET, f"{SECRET}-2"):
        for command in (["plan"], ["apply", "--yes"], ["drift"], ["pull", "--dry-run"]):
            assert audited.run(*command, AUDIT_E2E_SECRET=other).code == 0
    folder = file(audited).parent
    ours = [each for each in folder.iterdir() if each.name.startswith(audited.owner)]
    assert {each.name.removeprefix(f"{audited.owner}.e2e.jsonl") for each in ours} == {
        *("", ".key", ".lock", ".state", ".shipped")
    }
    assert {each.stat().st_mode & 0o777 for each in ours} == {0o600}
    kept = b"".join(each.read_bytes() for each in ours) + json.dumps(stored(audited)).encode()
    assert b"step_failed" in kept
    for secret in (SECRET, "Hunter2", "nobody-may-see"):
        assert secret.encode() not in kept
    root = file(audited).with_name(f"{file(audited).name}.key").read_text()
    assert root not in json.dumps(stored(audited)) + file(audited).read_text()


def _refused(said: str) -> str:
    return f"kind: ingest_pipeline\nid: bad\ntitle: Bad\nprocessors: [{{no_such_processor: {{field: {said}}}}}]\n"


LOST = ("503 after the write", "503", "reset after the body", "reset before the body")


@pytest.mark.parametrize("effect", [LOST[0], *(pytest.param(each, marks=pytest.mark.long) for each in LOST[1:])])
def test_a_lost_answer_ships_nothing_twice(audited: Repository, effect: str) -> None:
    with proxied(audited.cluster) as proxy:
        through = audited.at(proxy.url)
        through.settings(catch=None)
        apply(through)
        more(through, 1)
        proxy.arm(None)
        apply(through)
        last = proxy.count("write")  # the shipping: the lock is given back by then
        assert [seen.path for seen in proxy.seen if seen.writes][-1] == f"/logs-audit-{audited.namespace}/_bulk"
        more(through, 2)
        proxy.arm(Fault(effect, last))
        done = through.run("apply", "--yes")
        assert done.code == 0, done.text
        assert "warning: The audit events were not shipped" in done.err
        proxy.arm(None)
        proxy.settle()
        audited.client.request("POST", path(f"logs-audit-{audited.namespace}", "_rollover"))  # ids are by index
        audited.client.request("POST", path(f"logs-audit-{audited.namespace}", "_refresh"))
        more(through, 3)
        apply(through)
        assert [event["integrity"]["seq"] for event in stored(audited)] == list(range(8))
        through.run("doctor")
        audited.settings(catch=None)
        assert intact(audited).count("intact: 8 records") == 2


def test_an_older_schema_keeps_the_events_here_until_the_rollover(audited: Repository) -> None:
    schema = (audited.root / "templates/schema/event.yml").read_text(encoding="utf-8")
    audited.write({"templates/schema/event.yml": schema[: schema.index("  # A signed event")]})
    done = audited.run("apply", "--yes")
    assert done.code == 0, done.text
    stream = f"logs-audit-{audited.namespace}"
    assert f"has an older schema: POST {stream}/_rollover gives it the new one" in done.err
    audited.write({"templates/schema/event.yml": schema})
    assert "_rollover" in audited.run("apply", "--yes").err
    assert stored(audited) == []
    assert "4 records for the next apply that writes" in " ".join(audited.run("doctor").out.split())
    audited.client.request("POST", path(stream, "_rollover"))
    more(audited, 1)
    apply(audited)
    assert len(stored(audited)) == 6
    intact(audited)


def test_without_the_data_stream_the_chain_stays_here(audited: Repository) -> None:
    audited.remove("templates/index", "templates/schema", "templates/pipelines", "templates/redaction.yml")
    done = audited.run("apply", "--yes")
    assert (done.code, done.err) == (0, "")
    assert actions(audited) == ["apply_started", "apply_ended"]
    assert f"there is no logs-audit-{audited.namespace}, so it stays here" in " ".join(
        audited.run("doctor").out.split()
    )
    intact(audited)


def test_file_and_key_of_the_users_own(audited: Repository, tmp_path: pathlib.Path) -> None:
    keys = {"AUDIT_E2E_KEY": "6b" * 32, "AUDIT_E2E_OTHER": "6c" * 32}
    audit = {"file": "../chains/own.jsonl", "key": "${env:AUDIT_E2E_KEY}"}
    audited.settings(catch=None, audit=audit)
    done = audited.run("apply", "--yes")
    assert done.code == 1
    assert "can't be written: the environment variable AUDIT_E2E_KEY is not set" in done.err
    assert audited.objects() == {}
    assert audited.run("apply", "--yes", **keys).code == 0
    own = audited.root.parent / "chains/own.jsonl"
    assert not file(audited).exists()
    assert not own.with_name("own.jsonl.key").exists()
    assert audited.run("plan").code == 0  # the key state suffices by now
    audited.settings(catch=None, audit={**audit, "key": "${env:AUDIT_E2E_OTHER}", "key_id": "k2"})
    more(audited, 1)
    assert audited.run("apply", "--yes", **keys).code == 0
    audited.client.request("POST", path(f"logs-audit-{audited.namespace}", "_refresh"))
    both = ["--key", "k1=env:AUDIT_E2E_KEY", "--key", "k2=env:AUDIT_E2E_OTHER"]
    for what in ([str(own)], ["--stream", f"logs-audit-{audited.namespace}"]):
        done = audited.run("verify", *what, *both, **keys)
        assert done.code == 0, done.text
        assert "intact: 7 records" in done.out  # one of them says that the key was changed
    assert b"6b" * 32 not in own.read_bytes()


def test_checkpoints_of_the_chain_lie_in_two_places(audited: Repository, tmp_path: pathlib.Path) -> None:
    key, public = Ed25519PrivateKey.generate(), tmp_path / "checkpoint.pub"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    stream = f"logs-audit-{audited.namespace}"
    places = ["file:../elsewhere/acme", f"stream:{stream}"]
    audited.settings(catch=None, audit={"checkpoints": {"key": "${env:AUDIT_E2E_PEM}", "to": places}})
    done = audited.run("apply", "--yes", AUDIT_E2E_PEM=pem)
    assert done.code == 0, done.text
    assert "checkpoint" not in done.text
    more(audited, 1)
    done = audited.run("apply", "--yes")
    assert "No checkpoint of the audit chain was made: the environment variable AUDIT_E2E_PEM is not set" in done.text
    assert done.code == 0, done.text
    more(audited, 2)
    assert audited.run("apply", "--yes", AUDIT_E2E_PEM=pem).code == 0
    elsewhere = audited.root.parent / "elsewhere/acme"
    assert [json.loads(line)["number"] for line in elsewhere.read_bytes().splitlines()] == [0, 1]
    audited.client.request("POST", path(stream, "_refresh"))
    for place_ in (str(elsewhere), f"stream:{stream}"):
        for log in ([str(file(audited))], ["--stream", stream]):
            done = audited.run("verify", *log, "--checkpoints", place_, "--public-key", str(public))
            assert done.code == 0, done.text
            assert "2 checkpoints" in done.out, done.out
    assert pem.splitlines()[1].encode() not in file(audited).read_bytes()


def test_rotated_files_and_many_batches_arrive_once(
    audited: Repository, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(audited)
    monkeypatch.setattr(shipping, "BATCH", 7)
    log, stream = tmp_path / "chain.jsonl", f"logs-audit-{audited.namespace}"
    event = {key: value for key, value in chain(audited)[0].items() if key not in ("event_id", "integrity")}
    written = 0
    options = Options(fsync="never", rotate_bytes=6_000)
    with Chain(log, KeyRing({"k1": b"k" * 32}), stream="rotated", options=options) as own:
        for _ in range(4):
            for _ in range(20):
                own.append(event)
            written, before = own.head.seq + 1, written
            assert shipping.waiting(audited.client, stream, log) == written - before
            assert shipping.ship(audited.client, stream, log) == written - before
            assert shipping.waiting(audited.client, stream, log) == 0
    assert len(list(tmp_path.glob("chain.jsonl.0*"))) > 8
    place.shipped_file(log).unlink()  # what is not remembered is sent again, and stored once
    assert shipping.ship(audited.client, stream, log) == written
    numbers = [event["integrity"]["seq"] for event in stored(audited) if event["integrity"]["stream"] == "rotated"]
    assert numbers == list(range(written))

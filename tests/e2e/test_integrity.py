"""Signed events through the starter pack's pipelines into the cluster and back: what verifies, and what is named."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pack_cluster import OWNER, Pack, stream

from provisioner.client import Client
from provisioner.integrity import Chain, KeyRing, Options, clusterreader
from provisioner.integrity.checking import Checkpoints
from provisioner.integrity.checkpointing import Checkpointer
from provisioner.integrity.complete import complete
from provisioner.integrity.handlers import ChainHandler
from provisioner.integrity.places import StreamPlace, from_stream
from provisioner.integrity.verdict import Kind

KEYS = KeyRing({"k1": b"k" * 32})
AUDIT = stream("audit")


@pytest.fixture
def audit(pack: Pack) -> Iterator[Pack]:
    """An empty audit trail."""
    pack.clear("audit")
    yield pack
    pack.clear("audit")


def event(number: int) -> dict:
    """Numbers, texts and times of every kind that a pipeline could change."""
    return {
        "timestamp": ("2026-05-11T14:23:45Z", "2026-05-11 14:23:45.1200", 1778509425123, "2026-05-11T16:23:45.5+02:00")[
            number % 4
        ],
        "category": "data_access",
        "action": "data_export",
        "severity": "high",
        "message": f'Export {number} \u2028 ä 😀 \\ " \x7f \x01 of 2^53',
        "details": {
            "records_count": 2**53 + 1 + number,
            "limit": -(2**63),
            "duration": (0.1, 1e-7, 1.0, 1e21)[number % 4],
        },
        "labels": {"zeta": "z", "Alpha": "a", "\ue000": "private", "😀": "beyond", "nested": {"f": [1.5, None, True]}},
    }


def signed(tmp_path, events, **options) -> list[dict]:
    """The events as a chain wrote them."""
    with Chain(tmp_path / "a.jsonl", KEYS, stream="app1", options=Options(fsync="never", **options)) as chain:
        return [orjson.loads(line) for line in chain.append_all(events)]


def ship(pack: Pack, lines: list[bytes]) -> None:
    """Lines of a log, as a shipper sends them."""
    for begin in range(0, len(lines), 1_000):
        body = b"".join(b'{"create":{}}\n' + line + b"\n" for line in lines[begin : begin + 1_000])
        answer = pack.client.request("POST", f"/{AUDIT}/_bulk", body.decode(), {"refresh": "true"})
        assert not answer["errors"], answer


def lines_of(tmp_path) -> list[bytes]:
    return (tmp_path / "a.jsonl").read_bytes().splitlines()


def as_admin(client: Client, change: dict) -> None:
    """Change events behind the append-only pipeline's back, as only who may change settings can."""
    client.request("PUT", f"/{AUDIT}/_settings", {"index.final_pipeline": "_none"})
    answer = client.request("POST", f"/{AUDIT}/_update_by_query", change, {"refresh": "true"})
    assert answer["updated"] == 1, answer
    client.request("PUT", f"/{AUDIT}/_settings", {"index.final_pipeline": f"{OWNER}-redaction"})


def test_signed_events_verify_after_both_pipelines(audit: Pack, tmp_path):
    signed(tmp_path, map(event, range(3_000)), evolve_records=700)
    lines = lines_of(tmp_path)
    ship(audit, lines)
    stored = audit.search("audit", size=1)
    assert stored[0]["ingest"]["received"]
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert result.intact, result.problems[:3]
    assert result.records == len(lines) > 3_000  # and what the chain says of its keys


def test_what_an_admin_changed_is_named(audit: Pack, tmp_path):
    signed(tmp_path, map(event, range(20)))
    ship(audit, lines_of(tmp_path))
    script = {"source": "ctx._source.actor = ['username': 'somebody.else']"}
    as_admin(audit.client, {"query": {"term": {"integrity.seq": 7}}, "script": script})
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert [(p.kind, p.seq, p.file) for p in result.problems] == [(Kind.EDITED, 7, f"{AUDIT}: app1")]


def test_what_is_missing_and_what_is_there_twice_is_named(audit: Pack, tmp_path):
    signed(tmp_path, map(event, range(20)))
    lines = lines_of(tmp_path)
    ship(audit, [*lines[:5], *lines[6:], lines[9]])
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert sorted((p.kind, p.seq) for p in result.problems) == [(Kind.DELETED, 5), (Kind.DUPLICATED, 9)]


def test_what_the_pipeline_redacted_after_signing_is_told_apart(audit: Pack, tmp_path):
    signed(tmp_path, [event(0), {**event(1), "message": "login password=hunter2"}, event(2)])
    ship(audit, lines_of(tmp_path))
    assert "hunter2" not in json.dumps(audit.search("audit"))
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert [(p.kind, p.seq) for p in result.problems] == [(Kind.REDACTED, 1)]


def test_several_chains_in_one_stream_are_judged_each(audit: Pack, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with Chain(tmp_path / name / "a.jsonl", KEYS, stream=name, options=Options(fsync="never")) as chain:
            chain.append_all(map(event, range(30)))
        lines = lines_of(tmp_path / name)
        ship(audit, lines if name == "one" else lines[:-4] + lines[-3:])
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert [each.stream for each in result.streams] == ["one", "two"]
    assert [(p.stream, p.kind, p.seq) for p in result.problems] == [("two", Kind.DELETED, 26)]


def test_checkpoints_lie_in_a_data_stream_that_nobody_changes(audit: Pack, tmp_path):
    key = Ed25519PrivateKey.generate()
    maker = Checkpointer(key, [StreamPlace(audit.client, AUDIT)])
    options = Options(fsync="never", checkpoint_records=10)
    with Chain(tmp_path / "a.jsonl", KEYS, stream="app1", checkpointer=maker, options=options) as chain:
        for number in range(35):
            chain.append(event(number))
    audit.client.request("POST", f"/{AUDIT}/_refresh")
    placed = from_stream(audit.client, AUDIT)
    assert [each.made.number for each in placed if each.made] == [0, 1, 2]
    signed_ = Checkpoints(placed, [key.public_key()])
    lines = lines_of(tmp_path)
    ship(audit, lines[:25])
    result = clusterreader.verify(audit.client, AUDIT, KEYS, signed_)
    assert [(p.kind, p.seq) for p in result.problems] == [(Kind.TRUNCATED, 25)]
    ship(audit, lines[25:])
    result = clusterreader.verify(audit.client, AUDIT, KEYS, signed_)
    assert result.intact, result.problems
    assert result.streams[0].checkpoints == 3
    place = StreamPlace(audit.client, AUDIT)
    place.put(placed[0].made)  # once more is no error, and no second event
    audit.client.request("POST", f"/{AUDIT}/_refresh")
    assert len(from_stream(audit.client, AUDIT)) == 3


def test_slices_of_a_chain_give_what_one_walk_gives(audit: Pack, tmp_path, monkeypatch):
    monkeypatch.setattr(clusterreader, "_SLICE", 100)
    monkeypatch.setattr(clusterreader, "PAGE", 37)
    signed(tmp_path, map(event, range(500)))
    ship(audit, lines_of(tmp_path))
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert result.intact, result.problems[:3]
    assert result.records == 500


RSYSLOG = """
global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
module(load="imfile")
module(load="omelasticsearch")
module(load="mmjsonparse")
template(name="line" type="string" string="%msg%")
template(name="id" type="string" string="%$!event_id%")
input(type="imfile" file="{log}" tag="audit" ruleset="ship" freshStartTail="off")
ruleset(name="ship") {{
  action(type="mmjsonparse" cookie="")
  action(type="omelasticsearch" server="{host}" serverport="{port}" usehttps="off" template="line" bulkmode="on"
    searchIndex="{stream}" searchType="" writeoperation="create" bulkid="id" dynbulkid="on"
    errorfile="{folder}/errors" action.resumeretrycount="-1")
}}
"""


def test_what_the_python_handler_signed_and_rsyslog_shipped_verifies(audit: Pack, cluster, tmp_path):
    """The whole way: `logging`, redaction of nothing, a file, rsyslog, both pipelines, the cluster, and back."""
    program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
    url = urlsplit(cluster.url)
    if program is None or url.scheme != "http":
        pytest.skip("needs rsyslog with rsyslog-elasticsearch (apt install) and a cluster without TLS")
    log = tmp_path / "log" / "a.jsonl"
    conf = tmp_path / "rsyslog.conf"
    places = {"folder": tmp_path, "log": log, "host": url.hostname, "port": url.port, "stream": AUDIT}
    conf.write_text(RSYSLOG.format(**places))
    logger = logging.Logger("payroll")
    with Chain(log, KEYS, stream="app1") as chain:
        logger.addHandler(ChainHandler(chain))
        for number in range(50):
            logger.warning("Export %d failed: %s", number, "ä 😀 \x7f \t \\", extra={"event": event(number)})
        with pytest.raises(ZeroDivisionError):
            try:
                _ = 1 / 0
            except ZeroDivisionError:
                logger.exception("It broke")
                raise
    process = subprocess.Popen([program, "-n", "-f", str(conf), "-i", str(tmp_path / "pid")])
    try:
        for _ in range(300):
            audit.client.request("POST", f"/{AUDIT}/_refresh")
            if audit.client.request("POST", f"/{AUDIT}/_count", {})["count"] == 51:
                break
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(20)
    assert not (tmp_path / "errors").exists(), (tmp_path / "errors").read_text()
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert result.intact, result.problems[:3]
    assert result.records == 51
    script = {"source": "ctx._source.message = 'Export 9 went well'"}
    as_admin(audit.client, {"query": {"term": {"integrity.seq": 9}}, "script": script})
    result = clusterreader.verify(audit.client, AUDIT, KEYS)
    assert [(p.kind, p.seq) for p in result.problems] == [(Kind.EDITED, 9)]


TIMES = [
    *("2026-05-11T14:23:45.123Z", "2026-05-11T14:23:45Z", "2026-05-11T14:23:45.000Z", "2026-05-11T14:23:45.120000Z"),
    *("2026-05-11T14:23:45.123456789+02:00", "2026-05-11 14:23:45.1", "2026-05-11T14:23", "2026-02-30T00:00:00Z"),
    *("yesterday", "", " 2026-05-11T14:23:45Z ", "2026-05-11T24:00:00Z", "2026-05-11T14:23:60Z", "2026-05-11"),
    *("2026-05-11t14:23:45z", "2026-05-11T14:23:45+0200", "2026-05-11T14:23:45+02", "2026-05-11T14:23:45-23:00"),
    *("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "0000-01-01T00:00:00Z", "\uff12026-05-11T14:23:45Z"),
    *(0, -1, 1778509425123, 2**60, True, 1.5, None, {}, []),
]


@pytest.mark.parametrize("field", ["timestamp", "@timestamp"])
def test_the_pipeline_has_nothing_to_change_in_a_completed_event(pack: Pack, field):
    """`complete` and normalize.painless, on the server's own Painless, for times of every form."""
    made = [
        complete({field: value, "event_id": "", "occurrences": n % 3, "message": "x"}) for n, value in enumerate(TIMES)
    ]
    stored = pack.simulate("normalize", made)
    assert [{k: v for k, v in each.items() if k != "ingest"} for each in stored] == made


def test_a_time_that_both_understand_is_the_same_one(pack: Pack):
    """Where the pipeline takes a raw time, `complete` gives the same; where it does not, the time is now."""
    raw = [{"timestamp": value, "event_id": "x", "message": "x"} for value in TIMES if value is not None]
    for event_, stored in zip(raw, pack.simulate("normalize", raw), strict=True):
        if "ingest" in stored and "timestamp is no time" in str(stored["ingest"].get("error")):
            continue
        made = complete(event_)
        assert made["@timestamp"] == stored["@timestamp"] or made["labels"]["timestamp"], event_  # years 1 to 9999

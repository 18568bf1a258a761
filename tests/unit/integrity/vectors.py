"""Makes tests/vectors/integrity-v1.json. `python tests/unit/integrity/vectors.py` writes it anew: another format."""

from __future__ import annotations

import json
import pathlib
import tempfile

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioner.integrity import KeyRing, merkle, proofs
from provisioner.integrity.canonical import canonical
from provisioner.integrity.checkpoint import Checkpoint, sign
from provisioner.integrity.format import body, first_prev, leaf
from provisioner.integrity.notes import key_changed
from provisioner.integrity.signing import Signer

FILE = pathlib.Path(__file__).parents[2] / "vectors" / "integrity-v1.json"
ROOT, STREAM = bytes(range(32)), "web1.audit"
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
CANONICAL = [
    '{"b":1,"a":2}',
    '{"\\u20ac":"Euro","\\r":"CR","\\ufb33":"Hebrew","1":"One","\\ud83d\\ude00":"Smiley","\\u0080":"Control","\\u00f6":"o"}',
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,1.0,-0.0,1e21,1e16,123456789012345680000]}',
    '{"string":"\\u20ac$\\u000f\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/\\u007f"}',
    '{"beyond":[9007199254740993,-9223372036854775808,18446744073709551615,18446744073709551616]}',
    "[]",
    "{}",
    '{"a":[{},[],null,true,false,""]}',
]
ODD = 'ä 😀 \u2028 " \\ \x01 \x7f'
EVENTS = [
    {"message": "first", "category": "audit", "timestamp": "2026-05-11T14:23:45.123Z"},
    {"message": ODD, "timestamp": "2026-05-11 14:23:45", "labels": {"😀": 1, "\ue000": 2}},
    {"message": "numbers", "timestamp": 1778509425000, "details": {"limit": 2**53 + 1, "duration": 1e-7}},
    {"message": "nested", "timestamp": "2026-05-11T16:23:45.5+02:00", "labels": {"integrity": {"key": "k1.0"}}},
    {"message": "in a cluster", "@timestamp": "2026-05-11T14:23:45Z", "ingest": {"received": "now"}},
]


def make() -> dict:
    """All vectors."""
    keys = KeyRing({"k1": ROOT})
    epochs = [keys.key("k1", epoch, STREAM) for epoch in range(3)]
    signer = Signer(STREAM, epochs[0], 0, first_prev(STREAM))
    lines = signer.lines([{**event, "event_id": f"evt_{n}"} for n, event in enumerate(EVENTS)])
    changed = {**key_changed("k1.1"), "@timestamp": "2026-05-11T14:23:46Z", "event_id": "evt_5"}
    lines += signer.lines([changed])
    signer.use(epochs[1])
    lines += signer.lines([{"message": "another epoch", "@timestamp": "2026-05-11T14:23:47Z", "event_id": "evt_6"}])
    records = [orjson.loads(line) for line in lines]
    leaves = [merkle.leaf_hash(leaf(record)) for record in records]
    roots = [merkle.root(merkle.fold(0, leaves[:count])) for count in range(len(leaves) + 1)]
    signed, previous = [], "0" * 64
    for number, count in enumerate((3, 7)):
        head, time = records[count - 1]["integrity"]["mac"], f"2026-05-11T14:24:0{number}Z"
        made = sign(Checkpoint(STREAM, number, count, head, roots[count].hex(), time, previous, ""), SIGNING)
        signed.append(made)
        previous = made.sha256()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "log")
        file.write_bytes(b"".join(lines))
        inclusion = proofs.inclusion([file], 2, 7, signed[1])
        consistency = proofs.consistency([file], 3, 7, (signed[0], signed[1]))
    return {
        "format": "docs/integrity.md, version 1",
        "canonical": [{"json": text, "canonical": canonical(orjson.loads(text)).decode()} for text in CANONICAL],
        "root_key": ROOT.hex(),
        "key_id": "k1",
        "stream": STREAM,
        "first_prev": first_prev(STREAM).decode(),
        "epochs": [{"key": key.name, "chain": key.chain.hex(), "mac_key": key.mac_key().hex()} for key in epochs],
        "lines": [line.decode()[:-1] for line in lines],
        "bodies": [body(record).decode() for record in records],
        "leaf_hashes": [each.hex() for each in leaves],
        "roots": [each.hex() for each in roots],
        "checkpoint_public_key": SIGNING.public_key().public_bytes_raw().hex(),
        "checkpoints": [made.json() for made in signed],
        "inclusion": inclusion,
        "consistency": consistency,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make(), indent=1, ensure_ascii=True) + "\n", encoding="ascii")

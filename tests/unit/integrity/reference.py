"""A verifier written from docs/integrity.md alone ("The format, version 1"): it shares no code with the product.

Slow and simple. `verify(lines, roots)` gives the records' leaves, or raises AssertionError.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from decimal import Decimal


def frame(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def label(text: str) -> bytes:
    return b"provisioner-integrity-v1:" + text.encode()


# Canonical JSON

_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def number(value: float) -> str:
    """ECMAScript's Number.prototype.toString (ECMA-262, 6.1.6.1.20)."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits_, exponent = Decimal(repr(abs(value))).as_tuple()[1:]
    digits = "".join(map(str, digits_)).lstrip("0")
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    k, n = len(stripped), len(stripped) + exponent
    if k <= n <= 21:
        text = stripped + "0" * (n - k)
    elif 0 < n <= 21:
        text = f"{stripped[:n]}.{stripped[n:]}"
    elif -6 < n <= 0:
        text = f"0.{'0' * -n}{stripped}"
    else:
        mantissa = stripped if k == 1 else f"{stripped[0]}.{stripped[1:]}"
        text = f"{mantissa}e{'+' if n > 0 else '-'}{abs(n - 1)}"
    return sign + text


def canonical(value: object) -> str:
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value) if -(2**63) <= value < 2**64 else number(float(value))
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return '"' + "".join(_SHORT.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return f"{{{','.join(f'{canonical(name)}:{canonical(value[name])}' for name in names)}}}"


def parse(line: bytes) -> dict:
    def once(members: list) -> dict:
        assert len(dict(members)) == len(members), "a name occurs twice"
        return dict(members)

    record = json.loads(line, object_pairs_hook=once)
    assert isinstance(record, dict)
    return record


# Keys


def expand(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand to 32 bytes: one block (RFC 5869, 2.3)."""
    return hmac.digest(key, info + b"\1", "sha256")


def chain(root: bytes, id_: str, stream: str, epoch: int) -> bytes:
    key = expand(hmac.digest(b"\0" * 32, root, "sha256"), frame(label("stream"), id_.encode(), stream.encode()))
    for _ in range(epoch):
        key = expand(key, frame(label("next-epoch")))
    return key


def mac_key(root: bytes, key: str, stream: str) -> bytes:
    id_, epoch = re.fullmatch(r"([a-z0-9][a-z0-9_-]{0,31})\.(0|[1-9][0-9]*)", key).groups()
    return expand(chain(root, id_, stream, int(epoch)), frame(label("mac-key")))


# Records


def body(record: dict) -> bytes:
    inner = {name: value for name, value in record["integrity"].items() if name != "mac"}
    whole = {name: value for name, value in record.items() if name != "ingest"} | {"integrity": inner}
    return canonical(whole).encode()


def leaf(record: dict) -> bytes:
    return canonical({name: value for name, value in record.items() if name != "ingest"}).encode()


def verify(lines: list[bytes], roots: dict[str, bytes]) -> list[bytes]:
    """Every line a record that follows the one before; their leaves."""
    leaves, before = [], None
    for seq, line in enumerate(lines):
        record = parse(line)
        said = record["integrity"]
        assert said.keys() == {"v", "stream", "seq", "prev", "key", "mac"}
        assert (said["v"], said["seq"]) == (1, seq)
        if before is None:
            start = hashlib.sha256(frame(label("start"), said["stream"].encode())).hexdigest()
            assert said["prev"] == start
            assert said["key"].endswith(".0")
        else:
            last = before["integrity"]
            assert (said["stream"], said["prev"]) == (last["stream"], last["mac"])
            if said["key"] != last["key"]:
                assert before["action"] == "log_key_changed"
                assert before["labels"]["next_key"] == said["key"]
        key = mac_key(roots[said["key"].rpartition(".")[0]], said["key"], said["stream"])
        assert hmac.digest(key, frame(label("record"), body(record)), "sha256").hex() == said["mac"], f"record {seq}"
        leaves.append(leaf(record))
        before = record
    return leaves


# The Merkle tree (RFC 9162, 2.1.1)


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\1" + root(leaves[:middle]) + root(leaves[middle:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """2.1.3.1"""
    if len(leaves) == 1:
        return []
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if index < middle:
        return [*path(index, leaves[:middle]), root(leaves[middle:])]
    return [*path(index - middle, leaves[middle:]), root(leaves[:middle])]


def proof(first: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """2.1.4.1"""
    if first == len(leaves):
        return [] if whole else [root(leaves)]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if first <= middle:
        return [*proof(first, leaves[:middle], whole), root(leaves[middle:])]
    return [*proof(first - middle, leaves[middle:], False), root(leaves[:middle])]


def checkpoint_bytes(said: dict) -> bytes:
    """What its signature signs."""
    return frame(label("checkpoint"), canonical({n: v for n, v in said.items() if n != "signature"}).encode())

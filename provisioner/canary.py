"""A canary event for each data stream: written the way a shipper writes, looked at, and removed again.

It proves on the cluster itself that the schema is strict, that redaction can't be skipped, that retention has attached,
and that the monitors which watch the stream are enabled and not in error.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provisioner.client import path
from provisioner.errors import ApiError, ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.client import Client
    from provisioner.model import Document, Resource

PLANTED = "4111 1111 1111 1111"
"""A card number made for tests: valid by Luhn, never given out."""
RETENTION_WAIT = 20.0
"""Seconds. A policy attaches within seconds of the index's creation; `explain` lags about one behind."""
_VALUES: dict[str, Any] = {"ip": "192.0.2.1", "integer": 0, "long": 0, "double": 0.0, "boolean": False}


@dataclass(frozen=True, slots=True)
class Proof:
    """What the canary of one data stream showed: each aspect with "ok" or what is wrong."""

    stream: str
    aspects: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every aspect is as it should be."""
        return all(text.startswith("ok") for text in self.aspects.values())


def event(schemas: Sequence[Document], id_: str) -> dict[str, Any]:
    """An event with every field that the schemas require; its message holds the planted number."""
    made: dict[str, Any] = {
        "@timestamp": datetime.now(UTC).isoformat(),
        "message": f"provisioner canary {id_} card {PLANTED}",
    }
    for schema in schemas:
        for name, about in schema.body["fields"].items():
            if about.get("required") and name not in made:
                made[name] = _VALUES.get(about["type"], "canary")
    return made


@dataclass(frozen=True, slots=True)
class Expected:
    """What the repository wants of one data stream: its policy (None: none), its monitors' names, redaction or not."""

    stream: str
    policy: str | None
    monitors: frozenset[str]
    redacted: bool


def expectations(resources: Sequence[Resource], *, redacted: bool) -> list[Expected]:
    """From the desired resources, one for each data stream."""
    streams = [resource for resource in resources if resource.kind == "data_stream"]
    found = []
    for stream in streams:
        policy = next((key for kind, key in stream.depends_on if kind == "ism_policy"), None)
        monitors = frozenset(r.key for r in resources if r.kind == "monitor" and stream.ref in r.depends_on)
        found.append(Expected(stream.key, policy, monitors, redacted))
    return found


def prove(
    client: Client, expected: Expected, schemas: Sequence[Document], enabled: Mapping[str, bool], errors: frozenset[str]
) -> Proof:
    """Write, look, remove. `enabled` says of each live monitor whether it is, `errors` names those with an ERROR alert.

    What fails becomes an aspect's text; the canary is removed in any case, or the text says that it could not be.
    """
    id_ = f"canary-{uuid.uuid4()}"
    sent = event(schemas, id_)
    aspects: dict[str, str] = {}
    try:
        created = client.request(
            "PUT", path(expected.stream, "_create", id_), sent, {"refresh": "true", "pipeline": "_none"}
        )
    except ProvisionerError as error:
        return Proof(expected.stream, {"stored": str(error)})
    index = created["_index"]
    try:
        stored = client.request("GET", path(index, "_doc", id_))["_source"]
        aspects["stored"] = "ok"
        aspects["schema"] = _strict(client, expected.stream, sent)
        if expected.redacted:
            aspects["redaction"] = _redacted(stored)
        if expected.policy:
            aspects["retention"] = _retention(client, index, expected.policy)
        aspects["monitors"] = _monitors(expected.monitors, enabled, errors)
    except ProvisionerError as error:
        aspects["error"] = str(error)
    finally:
        aspects["removed"] = _remove(client, index, id_)
    return Proof(expected.stream, aspects)


def _strict(client: Client, stream: str, sent: Mapping[str, Any]) -> str:
    """A field that no schema knows must be refused."""
    id_ = f"canary-{uuid.uuid4()}"
    try:
        created = client.request(
            "PUT", path(stream, "_create", id_), {**sent, "canary_unknown_field": 1}, {"refresh": "true"}
        )
    except ApiError as error:
        return "ok" if "strict_dynamic_mapping" in error.type else str(error)
    _remove(client, created["_index"], id_)
    return "an unknown field was not refused"


def _redacted(stored: Mapping[str, Any]) -> str:
    if PLANTED in str(stored):
        return "the planted card number was stored"
    marked = (stored.get("ingest") or {}).get("redacted") or stored.get("ingest.redacted")
    return "ok" if marked else "redacted, but ingest.redacted is missing"


def _retention(client: Client, index: str, policy: str) -> str:
    """The policy that ISM says it manages the index by."""
    deadline = time.monotonic() + RETENTION_WAIT
    while True:
        told = client.request("GET", path("_plugins", "_ism", "explain", index)).get(index, {})
        found = told.get("policy_id") or told.get("index.plugins.index_state_management.policy_id")
        if found == policy:
            return "ok"
        if found or time.monotonic() > deadline:
            return f"managed by {found}, not by {policy}" if found else f"{policy} did not attach: it existed too late"
        time.sleep(0.5)


def _monitors(names: frozenset[str], enabled: Mapping[str, bool], errors: frozenset[str]) -> str:
    wrong = [f"{name} is missing" for name in sorted(names) if name not in enabled]
    wrong += [f"{name} has an ERROR alert" for name in sorted(names & errors)]
    if wrong:
        return "; ".join(wrong)
    running = sum(enabled[name] for name in names)
    return f"ok {running}/{len(names)}" if names else "ok none"


def _remove(client: Client, index: str, id_: str) -> str:
    try:
        client.request("DELETE", path(index, "_doc", id_), params={"refresh": "true"})
    except ProvisionerError as error:
        return f"the canary {id_} is still in {index}: {error}"
    return "ok"

"""What we own and last did, in a hidden index of the cluster: `.provisioner-<owner>`.

One document for each owned resource (server id, fingerprints, last applied body with references for secrets), one for
each release, one with the salt for keyed fingerprints. The index is made at the first write: a plan writes nothing.
"""

from __future__ import annotations

import getpass
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.client import path
from provisioner.errors import ApiError, ProvisionerError
from provisioner.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provisioner.client import Client
    from provisioner.model import Known, Ref

FORMAT = 1
_MOST = 10_000
"""The largest size that a search takes."""

_QUERY = {
    "size": _MOST,
    "track_total_hits": True,
    "query": {"match_all": {}},
    "post_filter": {"terms": {"type": ["head", "resource"]}},  # releases grow without end: only the last one counts
    "aggs": {"release": {"max": {"field": "number"}}},
}
_INDEX = {
    "settings": {"index": {"hidden": True, "number_of_shards": 1, "auto_expand_replicas": "0-1"}},
    "mappings": {
        "dynamic": False,
        "_meta": {"managed_by": "provisioner", "format": FORMAT},
        "properties": {"type": {"type": "keyword"}, "number": {"type": "integer"}, "at": {"type": "date"}},
    },
}


@dataclass(frozen=True, slots=True)
class State:
    """The state as read: a record for each owned resource, the salt, and the number of the last release (0: none)."""

    records: Mapping[Ref, Record]
    salt: str
    release: int
    exists: bool


class StateStore:
    """Reads and writes the state of one owner on one cluster."""

    def __init__(self, client: Client, owner: str) -> None:
        self.client = client
        self.index = f".provisioner-{owner}"

    def read(self) -> State:
        """The state; an empty one with a fresh salt where there is none. Raises ProvisionerError for a newer format."""
        answer = self.client.get(path(self.index, "_search"), _QUERY)
        if answer is None:
            return State({}, secrets.token_hex(16), 0, exists=False)
        if answer["hits"]["total"]["value"] > _MOST:
            raise ProvisionerError(f"the state {self.index} holds more than {_MOST:,} objects", "use several owners")
        documents = [hit["_source"] for hit in answer["hits"]["hits"]]
        head = next((d for d in documents if d["type"] == "head"), None)
        if head and head["format"] > FORMAT:
            raise ProvisionerError(
                f"the state {self.index} was written by a newer provisioner", "install at least that version"
            )
        records = [_record(d) for d in documents if d["type"] == "resource"]
        release = int(answer["aggregations"]["release"]["value"] or 0)
        salt = head["salt"] if head else secrets.token_hex(16)  # a run that was killed may have left no head
        return State({record.ref: record for record in records}, salt, release, exists=head is not None)

    def prepare(self, known: Known) -> None:
        """Make the index and its head, if they are not there."""
        if known.state_exists:
            return
        try:
            self.client.request("PUT", path(self.index), _INDEX)
        except ApiError as error:
            if error.type != "resource_already_exists_exception":
                raise
        head = {"type": "head", "format": FORMAT, "salt": known.salt}
        self.client.request("PUT", path(self.index, "_doc", "head"), head, {"refresh": "true"})

    def write(self, records: Iterable[Record], removed: Iterable[Ref], release: Mapping[str, Any] | None) -> None:
        """Write records, remove others, add a release, in one bulk request. Raises ProvisionerError if one fails."""
        lines: list[Any] = []
        for record in records:
            lines += [{"index": {"_id": _id(record.ref)}}, {"type": "resource", **_packed(record)}]
        lines += [{"delete": {"_id": _id(ref)}} for ref in removed]
        if release is not None:
            lines += [{"create": {"_id": f"release:{release['number']}"}}, {"type": "release", **release}]
        if not lines:
            return
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        answer = self.client.request("POST", path(self.index, "_bulk"), body.decode(), {"refresh": "true"})
        failed = [result for item in answer["items"] for result in item.values() if result.get("error")]
        if failed:
            raise ProvisionerError(
                f"the state {self.index} was not written: {failed[0]['error']['reason']}", "run the command again"
            )


def release(number: int, revision: str | None, counts: Mapping[str, int], outcome: str) -> dict[str, Any]:
    """The document of a release: number, time, git revision, who, counts of changes by action, outcome."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        who = str(os.getuid())
    return {
        "number": number,
        "at": datetime.now(UTC).isoformat(),
        "revision": revision,
        "who": who,
        "counts": counts,
        "outcome": outcome,
    }


def _id(ref: Ref) -> str:
    return ":".join(ref)


def _packed(record: Record) -> dict[str, Any]:
    """The body goes in as text: its own fields must not meet the state's mapping."""
    return {**asdict(record), "body": orjson.dumps(record.body).decode()}


def _record(document: Mapping[str, Any]) -> Record:
    fields = {name: document[name] for name in ("kind", "key", "server_id", "sent", "shown", "secrets")}
    return Record(**fields, body=orjson.loads(document["body"]))

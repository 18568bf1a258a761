"""What we own and last did, in a hidden index of the cluster: `.provisioner-<owner>`.

One small document for each owned resource, one for each release, one with the salt for keyed fingerprints, one lock
(see `provisioner.lock`). Bodies lie apart in blobs, each under its own fingerprint: the document as written, the body
sent, the body that the server then showed (secrets being references, or keyed fingerprints). So a plan reads little,
and releases share what did not change. The index is made at the first write: a plan writes nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from provisioner import fingerprint, retrying
from provisioner.client import path
from provisioner.errors import ApiError, ProvisionerError, UnclearError
from provisioner.holds import Hold
from provisioner.model import Record
from provisioner.releases import Release
from provisioner.secretrefs import NO_MEMO, Memo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provisioner.client import Client
    from provisioner.model import Body, Ref

FORMAT = 2
_PREFIX = ".provisioner-"
_MOST = 10_000
"""The largest size that a search takes."""
_LONGEST_ID = 400
"""An id may have 512 bytes; a monitor's name may be longer."""
_AT_ONCE = 500
"""Blobs read by one request."""

_WHOLE = {"allow_partial_search_results": "false"}
"""A state of which a shard did not answer would look like objects that we do not own."""
_BUSY = (429, 503)
"""By these an item of a bulk request is refused while the node has too much to do, or a shard moves."""

_QUERY = {
    "size": _MOST,
    "track_total_hits": True,
    "query": {"terms": {"type": ["head", "memo", "resource", "release", "hold"]}},
    # Releases grow without end: of the closed ones only the last number counts.
    "post_filter": {"bool": {"should": [{"terms": {"type": ["head", "memo", "resource"]}}, {"term": {"open": True}}]}},
    "aggs": {"release": {"max": {"field": "number"}}},
}
_INDEX = {
    "settings": {"index": {"hidden": True, "number_of_shards": 1, "auto_expand_replicas": "0-1"}},
    "mappings": {
        "dynamic": False,
        "_meta": {"managed_by": "provisioner", "format": FORMAT},
        "properties": {
            "type": {"type": "keyword"},
            "open": {"type": "boolean"},
            "number": {"type": "integer"},
            "at": {"type": "date"},
        },
    },
}


@dataclass(frozen=True, slots=True)
class State:
    """The state as read: a record for each owned resource, the salt, the number of the last release (0: none).

    `open` are releases that never came to their end, or run just now, or left something unclear. `memo` is of the
    secrets that the last apply saw. `holds` are those that last.
    """

    records: Mapping[Ref, Record]
    salt: str
    release: int
    exists: bool
    open: tuple[Release, ...] = ()
    memo: Memo = NO_MEMO
    holds: tuple[Hold, ...] = ()


class StateStore:
    """Reads and writes the state of one owner on one cluster."""

    def __init__(self, client: Client, owner: str) -> None:
        self.client = client
        self.index = f"{_PREFIX}{owner}"

    def read(self) -> State:
        """The state; an empty one with a fresh salt where there is none. Raises ProvisionerError for another format."""
        answer = self.client.get(path(self.index, "_search"), _QUERY, _WHOLE)
        if answer is None:
            return State({}, secrets.token_hex(16), 0, exists=False)
        documents = [hit["_source"] for hit in answer["hits"]["hits"]]
        if answer["hits"]["total"]["value"] > _MOST:
            raise ProvisionerError(f"the state {self.index} holds more than {_MOST:,} objects", "use several owners")
        head = next((d for d in documents if d["type"] == "head"), None)
        if head and head["format"] != FORMAT:
            newer = head["format"] > FORMAT
            raise ProvisionerError(
                f"the state {self.index} was written by {'a newer' if newer else 'an older'} provisioner",
                "install at least that version" if newer else f"delete the index {self.index}; then apply --adopt",
            )
        records = [_record(d) for d in documents if d["type"] == "resource"]
        release = int(answer["aggregations"]["release"]["value"] or 0)
        salt = head["salt"] if head else secrets.token_hex(16)  # a run that was killed may have left no head
        left = tuple(Release.of(d) for d in documents if d["type"] == "release")
        memo = next((Memo(d["joint"], tuple(d["each"])) for d in documents if d["type"] == "memo"), NO_MEMO)
        holds = tuple(Hold.of(d) for d in documents if d["type"] == "hold")
        return State({record.ref: record for record in records}, salt, release, head is not None, left, memo, holds)

    def blobs(self, addresses: Iterable[str]) -> dict[str, Body]:
        """Bodies by their fingerprints; what is not there is left out."""
        found: dict[str, Body] = {}
        wanted = [f"blob:{address}" for address in sorted(set(addresses) - {""})]
        for start in range(0, len(wanted), _AT_ONCE):
            ids = wanted[start : start + _AT_ONCE]
            # No _mget: the security plugin answers that with 200 and an error for each document.
            query = {"size": len(ids), "query": {"ids": {"values": ids}}, "_source": ["text"]}
            answer = self.client.request("POST", path(self.index, "_search"), query, _WHOLE, safe=True)
            for hit in answer["hits"]["hits"]:
                found[hit["_id"].partition(":")[2]] = orjson.loads(hit["_source"]["text"])
        return found

    def taken(self, refs: Iterable[Ref]) -> dict[Ref, str]:
        """Those of the refs that other owners' states on this cluster record, and whose. Raises ClusterError."""
        by_id = {_id(ref): ref for ref in refs}
        if not by_id:
            return {}
        query = {
            "size": _MOST,
            "_source": False,
            "query": {
                "bool": {
                    "filter": [{"ids": {"values": sorted(by_id)}}, {"term": {"type": "resource"}}],
                    "must_not": [{"term": {"_index": self.index}}],
                }
            },
        }
        everywhere = path(f"{_PREFIX}*", "_search")
        params = {"expand_wildcards": "open,hidden", **_WHOLE}
        answer = self.client.request("POST", everywhere, query, params, safe=True)
        return {by_id[hit["_id"]]: hit["_index"].removeprefix(_PREFIX) for hit in answer["hits"]["hits"]}

    def releases(self, most: int = _MOST) -> list[Release]:
        """All releases, the last one first, without their steps and manifests: those of thousands are much."""
        query = {
            "size": most,
            "query": {"term": {"type": "release"}},
            "sort": [{"number": "desc"}],
            "_source": {"excludes": ["manifest", "steps"]},
        }
        answer = self.client.get(path(self.index, "_search"), query)
        return [Release.of(hit["_source"]) for hit in answer["hits"]["hits"]] if answer else []

    def holds(self) -> list[Hold]:
        """All holds, those that ended too, the last one first."""
        query = {"size": _MOST, "query": {"term": {"type": "hold"}}}
        answer = self.client.get(path(self.index, "_search"), query, _WHOLE)
        found = [Hold.of(hit["_source"]) for hit in answer["hits"]["hits"]] if answer else []
        return sorted(found, key=lambda hold: hold.at, reverse=True)

    def put_hold(self, hold: Hold) -> None:
        """Write a hold. Raises ProvisionerError."""
        state = self.read()
        if not state.exists:
            self.prepare(state.salt)
        url = path(self.index, "_doc", f"hold:{hold.id}")
        retrying.write(lambda: self.client.request("PUT", url, hold.packed(), {"refresh": "true"}))

    def release(self, number: int) -> Release | None:
        """One release with its manifest; None where there is none."""
        answer = self.client.get(path(self.index, "_doc", f"release:{number}"))
        return Release.of(answer["_source"]) if answer else None

    def prepare(self, salt: str) -> bool:
        """Make the index and its head, if they are not there; whether the head is ours. Two first runs at once: the
        first one's salt stays."""
        try:
            retrying.write(lambda: self.client.request("PUT", path(self.index), _INDEX))
        except ApiError as error:
            cut = error.status == 400 and not error.type
            if error.type != "resource_already_exists_exception" and not (cut and self._is_there()):
                raise
        head = {"type": "head", "format": FORMAT, "salt": salt}
        create = path(self.index, "_create", "head")
        try:
            retrying.write(lambda: self.client.request("PUT", create, head, {"refresh": "true"}))
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        return True

    def _is_there(self) -> bool:
        """Asked where the words of a refusal were cut off; by search, as the shipped role allows no more."""
        return self.client.get(path(self.index, "_search"), {"size": 0}) is not None

    def write(
        self,
        records: Iterable[Record] = (),
        removed: Iterable[Ref] = (),
        blobs: Mapping[str, Any] | None = None,
        releases: Iterable[Release] = (),
        memo: Memo | None = None,
    ) -> None:
        """Write blobs, records, releases and the memo, remove other records, by one bulk request. Raises
        ProvisionerError.

        All of it may be repeated without harm, so what remains unclear is sent again.
        """
        lines: list[Any] = []
        for address, body in (blobs or {}).items():
            text = fingerprint.encoded(body).decode()
            lines += [{"index": {"_id": f"blob:{address}"}}, {"type": "blob", "text": text}]
        for record in records:
            lines += [{"index": {"_id": _id(record.ref)}}, {"type": "resource", **_packed(record)}]
        lines += [{"delete": {"_id": _id(ref)}} for ref in removed]
        for release in releases:
            lines += [{"index": {"_id": f"release:{release.number}"}}, {"type": "release", **release.packed()}]
        if memo is not None:
            lines += [{"index": {"_id": "memo"}}, {"type": "memo", **asdict(memo)}]
        if not lines:
            return
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines).decode()
        retrying.write(lambda: self._bulk(body))

    def _bulk(self, body: str) -> None:
        answer = self.client.request("POST", path(self.index, "_bulk"), body, {"refresh": "true"})
        failed = [result for item in answer["items"] for result in item.values() if result.get("error")]
        if failed:
            words = f"the state {self.index} was not written: {failed[0]['error']['reason']}"
            busy = all(result["status"] in _BUSY for result in failed)
            raise (UnclearError if busy else ProvisionerError)(words, "run the command again")


def _id(ref: Ref) -> str:
    id_ = ":".join(ref)
    if len(id_.encode()) <= _LONGEST_ID:
        return id_
    return f"{ref[0]}:sha256:{hashlib.sha256(id_.encode()).hexdigest()}"


def _packed(record: Record) -> dict[str, Any]:
    return {**{name: getattr(record, name) for name in _FIELDS}, "depends_on": sorted(record.depends_on)}


def _record(document: Mapping[str, Any]) -> Record:
    fields = {name: document[name] for name in _FIELDS}
    return Record(**{**fields, "depends_on": frozenset((kind, key) for kind, key in fields["depends_on"])})


_FIELDS = tuple(Record.__dataclass_fields__)

"""Documents of a cluster, by a point in time: what is written meanwhile changes nothing, none comes twice."""

from __future__ import annotations

import contextlib
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.errors import ApiError, ProvisionerError
from provisioner.scan.tally import Tally
from provisioner.values import each, mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provisioner.client import Client
    from provisioner.model import Body
    from provisioner.redaction import Redactor

_KEEP = "5m"
_PAGE, _PAGE_DRAWN, _PAGE_OF_LONG = 500, 1_000, 50
_LONG = 8_000_000
"""Characters of a page's texts beyond which the next ones hold fewer documents."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents: `sample` of each stream at random (None: all), those of the last `since` ("7d"; "": any), and
    `limit` in all (None: no limit)."""

    sample: int | None
    since: str = ""
    limit: int | None = None

    @property
    def query(self) -> Body:
        """The time asked for, as a query."""
        return {"range": {"@timestamp": {"gte": f"now-{self.since}"}}} if self.since else {"match_all": {}}


class Scan:
    """A scan of several streams, in `slices` threads each; `tallies` is right at any time, as far as it got."""

    def __init__(self, client: Client, wanted: Wanted, slices: int, seen: Callable[[int], None]) -> None:
        self.client = client
        self.wanted = wanted
        self.slices = slices
        self.tallies: list[Tally] = []
        self._told = seen
        self._lock = threading.Lock()
        self._left = wanted.limit
        self._stopped = False

    def count(self, stream: str) -> Tally:
        """Make a stream's tally, with how many documents there are. Raises ProvisionerError where it is not there."""
        answer = self.client.request("POST", path(stream, "_count"), {"query": self.wanted.query}, safe=True)
        tally = Tally(stream, int(answer["count"]))
        self.tallies.append(tally)
        return tally

    def total(self) -> int:
        """Documents that will be looked at."""
        counts = [min(tally.documents, self.wanted.sample or tally.documents) for tally in self.tallies]
        return min(sum(counts), self.wanted.limit or sum(counts))

    def run(self, tally: Tally, redactor: Redactor) -> None:
        """Look through a stream. Raises ProvisionerError; what was counted until then stays."""
        answer = self.client.request(
            "POST", path(tally.stream, "_search", "point_in_time"), params={"keep_alive": _KEEP}, safe=True
        )
        point = str(answer["pit_id"])
        # the server's slices hold unequal numbers of documents: a share of each would be no fair sample
        slices = self.slices if tally.documents > _PAGE and self.wanted.sample is None else 1
        pool = ThreadPoolExecutor(slices)
        try:
            work = [pool.submit(self._slice, point, number, slices, tally, redactor) for number in range(slices)]
            for done in as_completed(work):
                done.result()
        except BaseException:
            self._stopped = True
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            with contextlib.suppress(ProvisionerError):  # it ends by itself as well
                self.client.request("DELETE", "/_search/point_in_time", {"pit_id": [point]})

    def _slice(self, point: str, number: int, slices: int, tally: Tally, redactor: Redactor) -> None:
        if (sample := self.wanted.sample) is not None:
            pages = self._pages(point, self._drawn(), _PAGE_DRAWN, sample)
        else:
            part = {"slice": {"id": number, "max": slices}} if slices > 1 else {}
            pages = self._pages(point, {"query": self.wanted.query, "sort": ["_shard_doc"], **part}, _PAGE)
        for hits in pages:
            for hit in hits:
                if self._stopped or not self._take():
                    return
                found = redactor.found(mapping(hit.get("_source")))
                with self._lock:
                    tally.add(f"{hit.get('_index')}/{hit.get('_id')}", found)
            self._told(len(hits))

    def _take(self) -> bool:
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0

    def _drawn(self) -> Body:
        """A search for documents in an order at random: the score is made of a seed and of a number that the document
        has, so that the next page goes on in the same order."""
        random = {"random_score": {"seed": secrets.randbits(31), "field": "_seq_no"}, "boost_mode": "replace"}
        return {
            "query": {"function_score": {"query": self.wanted.query, **random}},
            "sort": ["_score", "_shard_doc"],
        }

    def _pages(self, point: str, search: Body, size: int, left: int = sys.maxsize) -> Iterator[list[Body]]:
        """The hits of a search, `left` at most, so many in a page."""
        body = dict(search)
        while left and (hits := self._hits(point, {**body, "size": min(size, left)})):
            yield hits
            left -= len(hits)
            body["search_after"] = hits[-1]["sort"]
            # too much at once, by a tenth of them
            if sum(len(str(hit.get("_source"))) for hit in hits[:: max(len(hits) // 10, 1)]) > _LONG // 10:
                size = _PAGE_OF_LONG

    def _hits(self, point: str, body: Body) -> list[Body]:
        try:
            answer = self.client.request(
                "POST",
                "/_search",
                {**body, "track_total_hits": False, "pit": {"id": point, "keep_alive": _KEEP}},
                {"allow_partial_search_results": "false"},
                safe=True,
            )
        except ApiError as error:
            hint = "run the command again, with less at once: --slices 1, --since 1d, or an --index"
            if "_shard_doc" in error.message:
                hint = "scan needs OpenSearch 3.3 or newer, which sorts by _shard_doc"
            raise ProvisionerError(error.message, hint) from None
        return each(mapping(answer.get("hits")).get("hits"))


def streams(client: Client, patterns: Sequence[str]) -> list[str]:
    """The data streams, and the indices that belong to none, that have such names, sorted. Hidden ones are left out."""
    found: set[str] = set()
    for pattern in patterns:
        answer = mapping(client.get(path("_resolve", "index", pattern)))
        names = [one.get("name") for key in ("data_streams", "indices") for one in each(answer.get(key))]
        parts = {index for one in each(answer.get("data_streams")) for index in one.get("backing_indices") or ()}
        found.update(name for name in names if isinstance(name, str) and name not in parts)
    return sorted(found)

"""Backtests on a cluster: events by time first, then the runs that decide, many in one request."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from provisioner.backtest import bodies, steps, tally
from provisioner.backtest.tally import Episodes, Tally
from provisioner.client import path
from provisioner.errors import ApiError, ProvisionerError, UnclearError
from provisioner.ruletest import searches
from provisioner.ruletest.bench import triggered
from provisioner.ruletest.runner import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from provisioner.client import Client
    from provisioner.model import Body, Document

_BUCKETS = 10_000
"""Intervals of one histogram."""
_SPANS = 100
"""Spans that are resolved before alerts are counted."""
_MOST, _SHORT, _LONG = 20, 1.0, 5.0
"""Searches of one request at most; seconds of a request below which the next one holds more, and above which fewer."""
_KNOWN = 10_000

Found = dict[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Job:
    """One rule with its monitor, and the time to look at (milliseconds since 1970).

    `fields` are those whose most frequent values tell about a match rule's events. `monotone`: more events never lower
    what the rule measures.
    """

    rule: Document
    monitor: Body
    begin: int
    end: int
    fields: tuple[str, ...] = ()
    monotone: bool = False

    @property
    def indices(self) -> str:
        """What the monitor searches."""
        given = self.monitor["inputs"][0]
        return ",".join((given.get("search") or given["doc_level_input"])["indices"])


class Backtest:
    """A backtest of one rule. `tally` is right at any time, as far as it got."""

    def __init__(self, client: Client, job: Job) -> None:
        self.job, self.client = job, client
        self.tally = Tally(job.rule, job.begin, job.end, job.begin)
        self.step = searches.interval(job.monitor)
        self._at_once = 10
        self._known: dict[str, bool] = {}

    def run(self, advance: Callable[[int], None] = lambda _: None) -> None:
        """Run it; `advance` is told up to which time. Raises ProvisionerError."""
        if self.job.monitor["monitor_type"] == "doc_level_monitor":
            self._matches(advance)
            return
        query = self.job.monitor["inputs"][0]["search"]["query"]
        back = bodies.lookback(query)
        planned = steps.Steps(self.job.begin, self.job.end, self.step, back or 0)
        if back is None:
            planned.every()
        else:
            ages = steps.borders(self.job.rule.body, back)
            for begin, end in self._slices(self.job.begin - back):
                found = bodies.over(query, begin + back, end - 1, self.step)["query"]
                planned.seen(self._times(found)[0], ages)
        self._runs(planned, query, advance)

    def _slices(self, begin: int) -> Iterator[tuple[int, int]]:
        begin = begin // self.step * self.step
        for at in range(begin, self.job.end, _BUCKETS * self.step):
            yield at, min(at + _BUCKETS * self.step, self.job.end + 1)

    def _times(self, query: Any, fields: Sequence[str] = ()) -> tuple[dict[int, int], Mapping[str, Any]]:
        self.tally.searches += 1
        body = bodies.times(query, self.step, fields)
        try:
            answer = self.client.request("POST", path(self.job.indices, "_search"), body, safe=True)
        except ApiError as error:
            raise self._failed(error.reason if error.status != 404 else "") from error
        found = answer["aggregations"]
        return {bucket["key"]: bucket["doc_count"] for bucket in found[bodies.TIMES]["buckets"]}, found

    def _failed(self, reason: str) -> ProvisionerError:
        if reason:
            return ProvisionerError(f"the search of rule {self.job.rule.id!r} failed: {reason}")
        return ProvisionerError(
            f"there is no {self.job.indices} in the cluster",
            "`provisioner apply` makes data streams; is it the target?",
        )

    def _matches(self, advance: Callable[[int], None]) -> None:
        """Match rules: each event that is found is an alert, each run with alerts sends one message by each action."""
        rule = self.job.rule.id
        (query,) = searches.doc_queries(self.job.monitor, rule)
        mine: list[Body] = [t["document_level_trigger"] for t in self.job.monitor["triggers"]]
        actions: list[Body] = next((t["actions"] for t in mine if t["id"].endswith(f":{rule}")), [])
        for begin, end in self._slices(self.job.begin):
            buckets, found = self._times(bodies.matching(query, max(begin, self.job.begin), end), self.job.fields)
            for at, count in buckets.items():
                self.tally.fire(max(at, self.job.begin), count)
                self.tally.messages += len(actions)
            for field in self.job.fields:
                for bucket in found[field]["buckets"]:
                    value = bucket.get("key_as_string", bucket["key"])
                    self.tally.about(((field, str(value)),), times=bucket["doc_count"])
            self.tally.until = min(end, self.job.end)
            advance(self.tally.until)
        self.tally.until = self.job.end

    def _runs(self, planned: steps.Steps, query: Body, advance: Callable[[int], None]) -> None:
        triggers = [next(iter(trigger.items())) for trigger in self.job.monitor["triggers"]]
        names = [str(name) for name in self.job.rule.body.get("group_by", ())]
        episodes = [
            Episodes(self.tally, self.step, names, tally.repeats(trigger, self.step)) for _, trigger in triggers
        ]
        spans = planned.spans(self.job.monotone)
        try:
            while part := list(islice(spans, _SPANS if not self.job.monotone else 20)):
                ends = [end for span in part for end in span]
                found = [self._resolve(part, query, kind, trigger) for kind, trigger in triggers]
                for end in ends:
                    for each, results in zip(episodes, found, strict=True):
                        each.run(end, results[end])
                advance(ends[-1])
            self.tally.until = self.job.end
        finally:
            for each in episodes:
                each.close()

    def _resolve(self, spans: Sequence[tuple[int, ...]], query: Body, kind: str, trigger: Body) -> dict[int, Found]:
        """What each run found. A span in which something fires is halved, until its runs are asked one by one."""
        results: dict[int, Found] = {}
        open_ = deque(spans)
        way: tuple[str, ...] = ()
        if kind == "bucket_level_trigger":
            way = tuple(trigger["condition"]["parent_bucket_path"].split(">"))
        while open_:
            part = [open_.popleft() for _ in range(min(len(open_), self._at_once))]
            asked = [bodies.over(query, span[0], span[-1], self.step) for span in part]
            if way:
                asked = [bodies.select(body, way, trigger["condition"]) for body in asked]
            for span, body, answer in zip(part, asked, self._ask(asked), strict=True):
                if way:
                    found = self._groups(body, way, answer, all_=len(span) == 1)
                else:
                    found = self._condition(trigger["condition"]["script"], answer)
                if found and len(span) > 1:
                    open_.extendleft((span[len(span) // 2 :], span[: len(span) // 2]))
                else:
                    results |= dict.fromkeys(span, found)
        return results

    def _ask(self, asked: Sequence[Body]) -> list[Mapping[str, Any]]:
        """Answers to many searches. Those that the cluster is too busy for (429) are asked again, fewer at once."""
        answers: list[Mapping[str, Any]] = self._send(asked)
        for wait in (1, 2, 4, 8, 16):
            busy = [place for place, answer in enumerate(answers) if answer.get("status") == 429]
            if not busy:
                break
            self._at_once = max(self._at_once // 4, 1)
            time.sleep(wait)
            for start in range(0, len(busy), self._at_once):
                part = busy[start : start + self._at_once]
                for place, answer in zip(part, self._send([asked[place] for place in part]), strict=True):
                    answers[place] = answer
        for answer in answers:
            if "error" in answer:
                raise self._failed("" if answer.get("status") == 404 else words(answer["error"]))
        return answers

    def _send(self, asked: Sequence[Body]) -> list[Mapping[str, Any]]:
        """Many searches in one request; how many the next one holds follows how long this one took."""
        head = json.dumps({"index": self.job.indices})
        text = "".join(f"{head}\n{json.dumps(body)}\n" for body in asked)
        began = time.monotonic()
        try:
            answers: list[Mapping[str, Any]] = self.client.request("POST", "/_msearch", text, safe=True)["responses"]
        except UnclearError:  # no answer within the target's timeout: half of them may have one
            if len(asked) == 1:
                raise
            self._at_once, half = 1, len(asked) // 2
            return [*self._send(asked[:half]), *self._send(asked[half:])]
        except ApiError as error:
            if error.status != 429:
                raise
            answers = [{"status": 429, "error": {"reason": error.reason}} for _ in asked]
        took = time.monotonic() - began
        if took > _LONG:
            self._at_once = max(self._at_once // 2, 1)
        elif took < _SHORT:
            self._at_once = min(self._at_once * 2, _MOST)
        self.tally.searches += len(asked)
        return answers

    def _groups(self, body: Body, way: tuple[str, ...], answer: Mapping[str, Any], *, all_: bool) -> Found:
        """The groups that fire on all pages; without `all_` on the first page that has any."""
        names = self.job.rule.body.get("group_by", ())
        found = searches.groups(way, names, answer)
        while (key := bodies.following(answer, way)) is not None and (all_ or not found):
            (answer,) = self._ask([bodies.after(body, way, key)])
            found |= searches.groups(way, names, answer)
        return found

    def _condition(self, script: Mapping[str, Any], answer: Mapping[str, Any]) -> Found:
        """A query-level trigger's condition, asked once for each result that differs."""
        result = {key: answer[key] for key in ("hits", "aggregations", "_shards", "timed_out") if key in answer}
        known = json.dumps([script, result], sort_keys=True)
        if known not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[known] = triggered(self.client, script, answer)
        total = answer["hits"].get("total", {"value": 0})["value"]
        return {(): float(total)} if self._known[known] else {}

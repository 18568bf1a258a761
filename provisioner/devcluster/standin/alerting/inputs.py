"""What a run looks at: the monitor's search, sent to the node with the run's window filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from provisioner.devcluster.standin.alerting.model import Json, Period
from provisioner.devcluster.standin.errors import StandInError, reason_of
from provisioner.devcluster.standin.mustache import render
from provisioner.devcluster.standin.node import Node


class InputError(Exception):
    """The inputs can't be had. `shown` is what a run result says, `detail` what an alert says."""

    def __init__(self, shown: str, detail: str | None = None) -> None:
        super().__init__(shown)
        self.shown = shown
        self.detail = shown if detail is None else detail

    @property
    def alert_message(self) -> str:
        """The message of an alert in state ERROR."""
        return f"Failed fetching inputs:\n{self.detail}"


async def search(node: Node, indices: list[str], query: Mapping[str, Any], period: Period) -> Json:
    """The node's answer, in the order in which the plugin hands it to scripts and templates.

    Raises:
        InputError: the node refuses the search, or not a single shard answered.
    """
    body = await rendered(node, query, period)
    path = f"/{','.join(quote(index, safe='*<>,{}') for index in indices)}/_search" if indices else "/_search"
    reply = await node.request("POST", path, params={"preference": "_primary_first"}, body=body)
    if not reply.ok:
        raise InputError(reply.reason, _detail(reply.body))
    return as_map(reply.body)


async def rendered(node: Node, query: Mapping[str, Any], period: Period) -> Json:
    """The search body with `{{period_start}}` and `{{period_end}}`, by the node's mustache."""
    text = orjson.dumps(query).decode()
    try:
        filled = await render(node, text, {"period_start": period.start, "period_end": period.end})
    except StandInError as error:
        raise InputError(reason_of(error.body)) from None
    body: Json = orjson.loads(filled)
    return body


def as_map(answer: Mapping[str, Any]) -> Json:
    """A search answer in the plugin's order: shards, hits, took, and then the rest."""
    shards, hits = answer["_shards"], answer["hits"]
    ordered: Json = {
        "_shards": {key: shards[key] for key in ("total", "failed", "successful", "skipped") if key in shards},
        "hits": {key: hits[key] for key in ("hits", "total", "max_score") if key in hits},
        "took": answer["took"],
    }
    return ordered | {key: value for key, value in answer.items() if key not in ordered}


def _detail(body: Any) -> str:
    """An error of a search in the words of Java's `detailedMessage`, as far as REST tells them."""
    error = body.get("error", {}) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        return reason_of(body)
    if error.get("type") != "search_phase_execution_exception":
        return str(error.get("reason"))
    failures = "; ".join(
        f"[{shard['node']}][{shard['index']}][{shard['shard']}]: {_nested(shard['reason'])}"
        for shard in error.get("failed_shards", [])
    )
    return f"Failed to execute phase [{error.get('phase')}], {error.get('reason')}; shardFailures {{{failures}}}"


def _nested(reason: Mapping[str, Any]) -> str:
    name = "".join(part.capitalize() for part in str(reason["type"]).split("_"))
    text = f"{name}[{reason.get('reason')}]"
    cause = reason.get("caused_by")
    return f"{text}; nested: {_nested(cause)}" if cause else text


async def cluster_metrics(node: Node, uri: Mapping[str, Any]) -> Json:
    """The answer of the cluster API that a cluster metrics monitor watches.

    Raises:
        InputError: the node refuses the call.
    """
    path = f"{uri['path']}/{uri['path_params']}" if uri["path_params"] else uri["path"]
    reply = await node.request("GET", f"/{path.lstrip('/')}", params={"format": "json"})
    if not reply.ok:
        raise InputError(reply.reason)
    return reply.body if isinstance(reply.body, dict) else {"results": reply.body}

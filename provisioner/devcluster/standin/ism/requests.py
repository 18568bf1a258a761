"""What requests about managed indexes ask for, and the answer that tells what became of each index."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument
from provisioner.devcluster.standin.ism.indexes import Index
from provisioner.devcluster.standin.located import expect_object
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.rest import answer, check_params, json_body
from provisioner.devcluster.standin.scalars import boolean, text


class Outcome:
    """Collects what became of each index of a request."""

    def __init__(self) -> None:
        self._updated = 0
        self._failed: list[dict[str, str]] = []

    def note(self, index: Index, reason: str | None) -> None:
        """Count an index as updated, or as failed for a reason."""
        if reason is None:
            self._updated += 1
        else:
            self._failed.append({"index_name": index.name, "index_uuid": index.uuid, "reason": reason})

    def answer(self) -> Response:
        """The API's answer: 200, also when all failed."""
        failed = self._failed
        return answer({"updated_indices": self._updated, "failures": bool(failed), "failed_indices": failed})


def index_names(request: Request) -> list[str]:
    """The indexes of a request, from its path or its parameters. Raises OpenSearchError (400) without any."""
    check_params(request, ("index", "type", "master_timeout", "cluster_manager_timeout"))
    listed = request.path_params.get("index") or request.query_params.get("index") or ""
    names = [name for name in listed.split(",") if name]
    if not names:
        raise illegal_argument("Missing indices")
    return names


async def optional_object(request: Request, node: Node) -> dict[str, Any]:
    """The body, empty where none was sent. Raises OpenSearchError (400) where it is no object."""
    body = await json_body(request, node)
    if body is not None and not isinstance(body, dict):
        raise OpenSearchError(400, "parse_exception", "Failed to parse content to map")
    return body or {}


def parse_change(body: Any) -> dict[str, Any]:
    """A request to change policies: `policy_id`, `state` (or None), `include` (names of states; empty: all).

    Raises OpenSearchError (400).
    """
    made: dict[str, Any] = {"policy_id": None, "state": None, "include": []}
    for name, value in expect_object(body, ()).items():
        match name:
            case "policy_id":
                made[name] = text(value)
            case "state":
                made[name] = None if value is None else text(value)
            case "include":
                made[name] = [text(expect_object(entry, ("include",)).get("state")) for entry in value]
            case "is_safe":
                boolean(value)
            case "user":
                pass
            case _:
                raise illegal_argument(f"Invalid field: [{name}] found in ChangePolicy.")
    if made["policy_id"] is None:
        raise illegal_argument("ChangePolicy policy id is null")
    return made

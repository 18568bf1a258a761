"""What a caller may do, as the security plugin says it.

The node's security plugin tells who a caller is and which roles that makes (`authinfo`). What the roles permit is read
with the stand-in's own certificate and worked out here, because the node knows none of the plugins' actions:
permissions are patterns (`*`, `?`, `/regex/`), and groups of them by name. Of the variables in index patterns, the
user's name is filled in.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from starlette.requests import Request

from provisioner.devcluster.standin.errors import OpenSearchError, StandInError
from provisioner.devcluster.standin.node import Node

MANAGED_INDEX = "indices:admin/opensearch/ism/managedindex"
"""What ISM asks of each index before it tells or changes anything about its policy."""
API = "/_plugins/_security/api"
_FRESH_SECONDS = 1.0
_BACKING_INDEX = re.compile(r"\.ds-(.+)-\d{6}")


@dataclass(frozen=True)
class Caller:
    """Who asks, in the security plugin's own words, and what the roles permit: on the cluster, and on which indices."""

    words: str
    cluster: tuple[str, ...]
    indices: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def may(self, action: str) -> bool:
        """Whether an action on the cluster is permitted."""
        return _any_fits(self.cluster, action)

    def may_on(self, index: str, action: str) -> bool:
        """Whether an action on an index is; what is permitted on a data stream is so on its backing indices."""
        stream = _BACKING_INDEX.fullmatch(index)
        names = (index, stream[1]) if stream else (index,)
        return any(
            _any_fits(actions, action) and any(_any_fits(patterns, name) for name in names)
            for patterns, actions in self.indices
        )

    def refusal(self, action: str) -> OpenSearchError:
        """The security plugin's answer to what is not permitted."""
        return OpenSearchError(403, "security_exception", f"no permissions for [{action}] and {self.words}")


def caller_of(request: Request) -> Caller | None:
    """Who sent this request; None on a cluster without security, where everybody may do everything."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller


def may_on(request: Request, index: str, action: str) -> bool:
    """Whether whoever sent this request may do something with an index."""
    caller = caller_of(request)
    return caller is None or caller.may_on(index, action)


class Access:
    """Finds out who callers are."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._roles: dict[str, Any] = {}
        self._groups: dict[str, Any] = {}
        self._read_at = -_FRESH_SECONDS

    def forget(self) -> None:
        """Somebody wrote roles or action groups: read them anew."""
        self._read_at = -_FRESH_SECONDS

    async def admit(self, request: Request, action: str | None) -> None:
        """Remember the caller with the request. Raises StandInError where the caller is unknown, or may not do this."""
        reply = await self._node.as_caller("GET", "/_plugins/_security/authinfo", request.headers)
        if reply.status != 200:
            headers = {name: value for name, value in reply.headers.items() if name.lower() == "www-authenticate"}
            raise StandInError(reply.status, reply.body, headers)
        await self._read()
        caller = self._caller(reply.body)
        if action is not None and not caller.may(action):
            raise caller.refusal(action)
        request.state.caller = caller

    async def _read(self) -> None:
        """Read roles and action groups, unless they were read a moment ago."""
        if time.monotonic() - self._read_at >= _FRESH_SECONDS:
            began = time.monotonic()
            self._roles = (await self._node.request("GET", f"{API}/roles")).checked().body
            self._groups = (await self._node.request("GET", f"{API}/actiongroups")).checked().body
            self._read_at = began

    def _caller(self, about: Mapping[str, Any]) -> Caller:
        roles = [self._roles[name] for name in about["roles"] if name in self._roles]
        cluster = {action for role in roles for action in self._actions(role["cluster_permissions"])}
        granted = [permission for role in roles for permission in role["index_permissions"]]
        indices = tuple(
            (
                tuple(re.sub(r"\$\{user[._]name\}", about["user_name"], pattern) for pattern in one["index_patterns"]),
                tuple(self._actions(one["allowed_actions"])),
            )
            for one in granted
        )
        return Caller(about["user"], tuple(cluster), indices)

    def _actions(self, names: Iterable[str], seen: frozenset[str] = frozenset()) -> Iterator[str]:
        """The actions themselves, groups unfolded; a group may hold groups."""
        for name in names:
            if name in self._groups and name not in seen:
                yield from self._actions(self._groups[name]["allowed_actions"], seen | {name})
            else:
                yield name


def _any_fits(patterns: Iterable[str], name: str) -> bool:
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return re.compile(pattern[1:-1])
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern))

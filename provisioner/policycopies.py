"""The copies of ISM policies that indices hold.

An index takes a copy of its policy when ISM attaches it, and keeps that copy whatever becomes of the policy. The
version of the copy shows in explain (`policy_seq_no`, `policy_primary_term`) once ISM has run on the index for the
first time, which takes minutes; that first run starts with the copy, not with the newest policy. Until then only the
copy itself tells its age (`show_policy`), by `last_updated_time`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.client import path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from provisioner.client import Client
    from provisioner.model import Body

_MOST = 10_000
"""The most that explain gives; it has no second page beyond."""

_FIELDS = (
    *("policy_id", "policy_seq_no", "policy_primary_term", "policy_completed", "state.name"),
    "policy.last_updated_time",
)
_WHOLE = (*_FIELDS, "state.start_time", "policy.default_state", "policy.states")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as ISM stores it: its version, when it was written, its states, and the one where indices begin."""

    key: str
    version: tuple[int, int]
    updated: int
    states: frozenset[str]
    default_state: str

    @classmethod
    def of(cls, item: Body) -> Policy:
        """Read one of the list, or the answer for one alone."""
        body = item["policy"]
        return cls(
            item["_id"],
            (item["_seq_no"], item["_primary_term"]),
            body["last_updated_time"],
            frozenset(state["name"] for state in body["states"]),
            body["default_state"],
        )


@dataclass(frozen=True, slots=True)
class Copy:
    """A managed index and its copy of a policy; `version` is None before ISM has run on it, `updated` None unknown.

    `entered` tells when its state began (None: not yet); `body` is the copy itself, where that was asked for.
    """

    index: str
    policy: str
    version: tuple[int, int] | None
    updated: int | None
    completed: bool
    state: str | None
    entered: int | None = None
    body: Body = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, index: str, shown: Body) -> Copy:
        """Read what explain shows of one index."""
        seq_no, term = shown.get("policy_seq_no"), shown.get("policy_primary_term")
        state, policy = shown.get("state") or {}, shown.get("policy") or {}
        return cls(
            index,
            shown["policy_id"],
            None if seq_no is None or term is None else (seq_no, term),
            policy.get("last_updated_time"),
            bool(shown.get("policy_completed")),
            state.get("name"),
            state.get("start_time"),
            policy,
        )

    def behind(self, policy: Policy) -> bool:
        """Whether this is a copy of another version, which the index may still follow."""
        if self.version is None:
            return self.updated is not None and self.updated != policy.updated
        return not self.completed and self.version != policy.version


def copies(client: Client, keys: Collection[str], *, whole: bool = False) -> list[Copy]:
    """The copies of these policies, in the order of the indices' names; of one policy 10,000 at most.

    One request finds all. The plugin filters by one policy at a time: so it does for a single one, and where the
    cluster has more managed indices than one answer holds. `whole`: with their bodies.
    """
    if not keys:
        return []
    fields = _WHOLE if whole else _FIELDS
    found = [_explain(client, next(iter(keys)) if len(keys) == 1 else None, fields)]
    if found[0].pop("total_managed_indices", 0) > len(found[0]) and len(keys) > 1:
        found = [_explain(client, key, fields) for key in keys]
    shown = {index: entry for answer in found for index, entry in answer.items() if isinstance(entry, dict)}
    made = (Copy.of(index, entry) for index, entry in sorted(shown.items()) if entry.get("policy_id"))
    return [copy for copy in made if copy.policy in keys]


def _explain(client: Client, key: str | None, fields: Iterable[str]) -> dict[str, Any]:
    wanted = ",".join(("total_managed_indices", *(f"*.{name}" for name in fields)))
    params = {"size": _MOST, "show_policy": "true", "filter_path": wanted}
    url = path("_plugins", "_ism", "explain")
    if key is None:
        return dict(client.request("GET", url, params=params))
    return dict(client.request("POST", url, {"filter": {"policy_id": key}}, params, safe=True))


def older(client: Client, policies: Iterable[Policy]) -> dict[str, list[Copy]]:
    """Those copies that are behind, by the policy's key."""
    by_key = {policy.key: policy for policy in policies}
    found: dict[str, list[Copy]] = {}
    for copy in copies(client, by_key.keys()):
        if copy.behind(by_key[copy.policy]):
            found.setdefault(copy.policy, []).append(copy)
    return found


def managed(client: Client, keys: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The indices that these policies manage, by the policy's key; policies without any are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for copy in copies(client, keys):
        found[copy.policy] = (*found.get(copy.policy, ()), copy.index)
    return found

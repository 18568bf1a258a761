"""ISM policies: retention. Unknown fields are refused, so the owner's mark stands in `description`.

`change_policy` to the same id makes an index take the newest version over, at its next run:

- In the middle of its actions only where old and new policy have its state with the same types of actions; otherwise
  once those actions are done. So an index may hold the old copy for as long as it waits for its rollover.
- A state that the new policy does not have fails the index then ("Failed to find state"), unless the request names one.
- An index between two states is refused until its next run has begun the second one.
- A completed index has no runs any more: nothing reaches it. One that failed takes over when somebody retries it.
- Asked again, it takes over again: the action under way starts anew from its first step, its state goes on.

A change that waits shows nowhere.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provisioner.batches import batches
from provisioner.client import path
from provisioner.errors import ApiError, ProvisionerError
from provisioner.kinds._common import delete_if_there
from provisioner.marks import described_owner
from provisioner.model import Live
from provisioner.policycopies import Policy, older
from provisioner.secretplaces import PLACES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from provisioner.client import Client
    from provisioner.model import Body
    from provisioner.policycopies import Copy

_VOLATILE = frozenset({"policy_id", "last_updated_time", "schema_version"})
_PAGE = 1_000
_PATIENCE = 5.0
"""Seconds to ask again for indices that are refused: one between two states is, until its next run."""
_PAUSE = 0.5
_LISTED = 20
_FEW = 2
"""Policies that are asked for one by one; more of them in the list of all."""


def normalize(policy: Body) -> Body:
    """What GET shows without what changes by itself: ids, times, versions, those of `ism_template` included.

    Nor are they sent: a template that says it is older than it is attaches to indices that exist already.
    """
    body = {key: value for key, value in policy.items() if key not in _VOLATILE}
    templates = body.get("ism_template")
    if isinstance(templates, list):
        body["ism_template"] = [_timeless(item) for item in templates]
    elif isinstance(templates, dict):
        body["ism_template"] = _timeless(templates)
    return body


def _timeless(template: Any) -> Any:
    if not isinstance(template, dict):
        return template
    return {key: value for key, value in template.items() if key != "last_updated_time"}


class IsmPolicies:
    """`_plugins/_ism/policies`: the client chooses the id. An update needs `if_seq_no` and `if_primary_term` (409)."""

    name = "ism_policy"
    secret_paths = PLACES["ism_policy"]

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """Two requests whatever there is; one where none of the wanted exists."""
        found = [item for item in _listed(client) if item["_id"] in wanted]
        behind = older(client, map(Policy.of, found))
        return [replace(_live(item), stale=tuple(copy.index for copy in behind.get(item["_id"], ()))) for item in found]

    def all(self, client: Client) -> list[Live]:
        """Every policy, without a look at the indices (`stale`)."""
        return [_live(item) for item in _listed(client)]

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """These few, without a look at the indices (`stale`)."""
        if len(ids) > _FEW:
            return [_live(item) for item in _listed(client) if item["_id"] in ids]
        found = (client.get(path("_plugins", "_ism", "policies", key)) for key in ids)
        return [_live(item) for item in found if item is not None]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; 409 where it exists by now. It attaches only to indices that are created later.

        But indices outlive their policy: those that hold a copy of one that had this name want a `roll_out`.
        """
        client.request("PUT", path("_plugins", "_ism", "policies", key), {"policy": normalize(body)})
        return key

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it, and tell the indices that it manages: by themselves they keep the copy that they have."""
        url = path("_plugins", "_ism", "policies", live.key)
        made = client.request("PUT", url, {"policy": normalize(body)}, live.token)
        self._tell(client, Policy.of({**made, **made["policy"]}))

    def roll_out(self, client: Client, key: str) -> list[str]:
        """Make the indices with an older copy take the newest over, each at its next run; their names.

        Safe to repeat. Raises ProvisionerError where some refuse it for longer than a few seconds.
        """
        return self._tell(client, Policy.of(client.request("GET", path("_plugins", "_ism", "policies", key))))

    def _tell(self, client: Client, policy: Policy) -> list[str]:
        asked: set[str] = set()
        end = time.monotonic() + _PATIENCE
        while True:
            held = [copy for copy in older(client, [policy]).get(policy.key, ()) if copy.index not in asked]
            refused = _take_over(client, policy, held)
            asked |= {copy.index for copy in held} - refused.keys()
            if not refused:
                return sorted(asked)
            if time.monotonic() >= end:
                raise _refusal(policy.key, refused)
            time.sleep(_PAUSE)

    def behind(self, client: Client, keys: Collection[str]) -> dict[str, list[str]]:
        """The indices that hold an older copy of these policies now, by the policy's key.

        Those with a failed step are among them: they take over when somebody retries them.
        """
        wanted = [Policy.of(item) for item in _listed(client) if item["_id"] in keys] if keys else []
        return {key: [copy.index for copy in found] for key, found in older(client, wanted).items()}

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; the server allows that even where it is in use."""
        delete_if_there(client, path("_plugins", "_ism", "policies", live.key))


def _listed(client: Client) -> Iterator[dict[str, Any]]:
    """All policies; the list gives 20 by default."""
    start, total = 0, 1
    while start < total:
        page = client.request("GET", "/_plugins/_ism/policies", params={"size": _PAGE, "from": start})
        yield from page["policies"]
        start, total = start + _PAGE, page["total_policies"]


def _live(item: Body) -> Live:
    return Live(
        "ism_policy",
        item["_id"],
        normalize(item["policy"]),
        item["_id"],
        {"if_seq_no": item["_seq_no"], "if_primary_term": item["_primary_term"]},
        described_owner(item["policy"].get("description")),
    )


def _take_over(client: Client, policy: Policy, held: Iterable[Copy]) -> dict[str, str]:
    """Ask `change_policy` for these; the reasons of those that are refused, by index.

    The answer's status is 200 even where all are refused. An index that is gone by now refuses the whole request (404).
    """
    keeps: list[str] = []
    lost: list[str] = []
    for copy in held:
        (keeps if copy.state is None or copy.state in policy.states else lost).append(copy.index)
    refused: dict[str, str] = {}
    for names, state in ((keeps, None), (lost, policy.default_state)):
        for batch in batches(names):
            refused |= _change(client, policy.key, batch, state)
    return refused


def _change(client: Client, key: str, names: list[str], state: str | None) -> Mapping[str, str]:
    url = path("_plugins", "_ism", "change_policy", ",".join(names))
    body = {"policy_id": key} if state is None else {"policy_id": key, "state": state}
    try:
        answer = client.request("POST", url, body)
    except ApiError as error:
        if error.type != "index_not_found_exception":
            raise
        return dict.fromkeys(names, error.reason)
    return {failed["index_name"]: failed["reason"] for failed in answer["failed_indices"]}


def _refusal(key: str, refused: Mapping[str, str]) -> ProvisionerError:
    by_reason: dict[str, list[str]] = {}
    for index, reason in sorted(refused.items()):
        by_reason.setdefault(reason, []).append(index)
    words = (
        f"{', '.join(names[:_LISTED])}{f' and {len(names) - _LISTED} more' if len(names) > _LISTED else ''}: {reason}"
        for reason, names in by_reason.items()
    )
    return ProvisionerError(
        f"{len(refused)} indices keep an older copy of policy {key}: {'; '.join(words)}",
        "apply again in some minutes: an index between two states takes no policy until ISM's next run",
    )


KIND = IsmPolicies()

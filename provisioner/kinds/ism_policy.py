"""ISM policies: retention. Unknown fields are refused, so the owner's mark stands in `description`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.kinds._common import delete_if_there, described_owner
from provisioner.model import Live

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.client import Client
    from provisioner.model import Body

_VOLATILE = frozenset({"policy_id", "last_updated_time", "schema_version"})


def normalize(policy: Body) -> Body:
    """What GET shows without what changes by itself: ids, times, versions, those of `ism_template` included."""
    body = {key: value for key, value in policy.items() if key not in _VOLATILE}
    if isinstance(body.get("ism_template"), list):
        body["ism_template"] = [
            {k: v for k, v in item.items() if k != "last_updated_time"} for item in body["ism_template"]
        ]
    return body


class IsmPolicies:
    """`_plugins/_ism/policies`: the client chooses the id. An update needs `if_seq_no` and `if_primary_term` (409)."""

    name = "ism_policy"
    secret_paths: tuple[tuple[str, ...], ...] = ()

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """The list gives 20 by default, hence the size."""
        found = client.request("GET", "/_plugins/_ism/policies", params={"size": 1000})["policies"]
        return [
            Live(
                self.name,
                item["_id"],
                normalize(item["policy"]),
                item["_id"],
                {"if_seq_no": item["_seq_no"], "if_primary_term": item["_primary_term"]},
                described_owner(item["policy"].get("description")),
            )
            for item in found
            if item["_id"] in wanted
        ]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; 409 where it exists by now. It attaches only to indices that are created later."""
        client.request("PUT", path("_plugins", "_ism", "policies", key), {"policy": body})
        return key

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it. Indices that it manages keep the copy that they have."""
        client.request("PUT", path("_plugins", "_ism", "policies", live.key), {"policy": body}, live.token)

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; the server allows that even where it is in use."""
        delete_if_there(client, path("_plugins", "_ism", "policies", live.key))


KIND = IsmPolicies()

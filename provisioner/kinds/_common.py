"""What several kinds share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner.errors import ApiError

if TYPE_CHECKING:
    from provisioner.client import Client

_MARK = re.compile(r"provisioner owner=([a-z][a-z0-9-]*)")


def described_owner(description: Any) -> str | None:
    """The owner's mark in a description, for kinds that take no `_meta`: `... provisioner owner=acme`."""
    match = _MARK.search(description) if isinstance(description, str) else None
    return match[1] if match else None


def meta_owner(meta: Any) -> str | None:
    """The owner's mark in a `_meta`: `{"managed_by": "provisioner", "owner": "acme"}`."""
    if isinstance(meta, dict) and meta.get("managed_by") == "provisioner" and isinstance(meta.get("owner"), str):
        return str(meta["owner"])
    return None


def delete_if_there(client: Client, path: str) -> None:
    """DELETE; a 404 is fine: it is gone already."""
    try:
        client.request("DELETE", path)
    except ApiError as error:
        if error.status != 404:
            raise

"""The owner's mark in an object: how it is told whose it is, without the state. Pure."""

from __future__ import annotations

import re
from typing import Any

_MARK = re.compile(r"provisioner owner=([a-z][a-z0-9-]*)")
TRIGGER = re.compile(r"[a-z][a-z0-9-]{0,31}:[a-z0-9][a-z0-9_-]*")
"""A trigger's id that is a mark: `<owner>:<rule id>`."""


def described_owner(description: Any) -> str | None:
    """The owner's mark in a description, for kinds that take no `_meta`: `... provisioner owner=acme`."""
    match = _MARK.search(description) if isinstance(description, str) else None
    return match[1] if match else None


def meta_owner(meta: Any) -> str | None:
    """The owner's mark in a `_meta`: `{"managed_by": "provisioner", "owner": "acme"}`."""
    if isinstance(meta, dict) and meta.get("managed_by") == "provisioner" and isinstance(meta.get("owner"), str):
        return str(meta["owner"])
    return None


def bears_mark(body: Any) -> bool:
    """Whether an object made from this body can be told to be somebody's. Those of raw documents often can't."""
    if not isinstance(body, dict):
        return False
    return bool(described_owner(body.get("description")) or meta_owner(body.get("_meta")) or triggers(body))


def triggers(body: Any) -> set[str]:
    """The ids of a monitor's triggers that are marks."""
    found = body.get("triggers") if isinstance(body, dict) else None
    listed = found if isinstance(found, list) else []
    inner = (i for t in listed if isinstance(t, dict) for i in t.values())
    return {id_ for i in inner if isinstance(i, dict) if TRIGGER.fullmatch(id_ := str(i.get("id", "")))}

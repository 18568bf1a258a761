"""RAW003: a raw monitor sends to a channel that is not there.

Alerting takes the monitor, and then tells nobody. Channels of other hands can be in the cluster, so only a name that
looks like one of this repository's is looked at.

Bad:

    destination_id: acme-slak

Good:

    destination_id: acme-slack

To mend it, correct the name, or write the channel that is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.model import Finding, Severity
from provisioner.schema import show, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Path

CODE = "RAW003"


def check(view: View) -> Iterator[Finding]:
    """A finding for each action whose channel has the owner's prefix, or nearly a channel's name, and is not there."""
    known = {resource.key for resource in view.resources if resource.kind == "channel"}
    for document in (*view.source.of_kind("raw"), *view.rules):
        if document.kind == "rule" and document.body.get("type") != "raw":
            continue
        for path, channel in _sent(document.body.get("body"), ("body",)):
            if channel in known:
                continue
            hint = suggest(channel, known, "channels")
            if channel.startswith(f"{view.settings.owner}-") or hint.startswith("did you mean"):
                message = f"there is no channel {show(channel)}"
                yield Finding(CODE, message, document.at(path), hint, Severity.WARNING)


def _sent(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "destination_id" and isinstance(child, str):
            yield (*path, key), child
        elif isinstance(child, dict | list):
            yield from _sent(child, (*path, key))

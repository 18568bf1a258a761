"""Holds, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from provisioner.quantities import count
from provisioner.yamltext import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from provisioner.holds import Hold

_SHOWN = 5


def text(holds: Iterable[Hold], wrong: Mapping[str, Mapping[str, str]]) -> Iterator[Text]:
    """Two lines for each hold, and one for each index that is not as it should be."""
    any_ = False
    for hold in holds:
        any_ = True
        state = "released" if hold.released is not None else "held"
        names = visible(", ".join(hold.names))
        yield Text(visible(hold.id), style="bold").append(
            f"  {names}: {count(len(hold.indices), 'index', 'indices')} {state}", style="default"
        )
        yield Text(f"  since {hold.at} by {visible(hold.by)}: {visible(hold.reason)}", style="dim")
        if hold.released is not None:
            at, by, why = (visible(hold.released[key]) for key in ("at", "by", "reason"))
            yield Text(f"  released {at} by {by}: {why}", style="dim")
        found = wrong.get(hold.id, {})
        for name, said in list(found.items())[:_SHOWN]:
            yield Text(f"  {name}: {visible(said)}", style="red")
        if len(found) > _SHOWN:
            yield Text(f"  and {len(found) - _SHOWN} more", style="red")
    if not any_:
        yield Text("Nothing is held.")


def json(holds: Iterable[Hold], wrong: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """`{"holds": [{"id", "reason", "by", "host", "at", "names", "indices", "audit", "released", "wrong"}]}`.

    `indices` are `{"index", "policy", "blocked"}`, as they were before; `released` is null while the hold lasts;
    `wrong` maps an index that is not as it should be to the reason.
    """
    made = []
    for hold in holds:
        said = {key: value for key, value in hold.packed().items() if key not in ("type", "open")}
        made.append({**said, "wrong": dict(wrong.get(hold.id, {}))})
    return {"holds": made}

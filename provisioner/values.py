"""Bodies as they come: made by hand, by other tools or by older servers, so nothing is taken for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.model import Body

_SAID = 8


def mapping(value: Any) -> Body:
    """The value, where it is a mapping; else an empty one."""
    return value if isinstance(value, dict) else {}


def each(value: Any) -> list[Body]:
    """The mappings of a list; a mapping alone stands for a list of one, as the server reads it."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def names(value: Any) -> list[str]:
    """The texts of a list; a text alone stands for a list of one."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def some(said: Sequence[str], between: str = "; ") -> str:
    """The first few, and how many more there are."""
    more = [f"{len(said) - _SAID} more"] if len(said) > _SAID else []
    return between.join([*said[:_SAID], *more])

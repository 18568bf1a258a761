"""What `redact` replaced, for people and as JSON: counts, never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from provisioner.quantities import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.redactfiles.work import Counts


def lines(total: Counts) -> Iterator[Text]:
    """A line in all, and one for each detector, the most frequent first."""
    said = [f"{count(total.lines, 'line')}, {count(total.changed)} with something replaced"]
    if total.broken:
        said.append(f"{count(total.broken)} broken (begin as JSON and are none: redacted as text)")
    if total.withheld:
        said.append(f"{count(total.withheld)} withheld (could not be looked at)")
    yield Text("; ".join(said))
    for name, times in total.detectors.most_common():
        yield Text(f"  {name}: {count(times)}")


def json(done: Sequence[tuple[str, Counts]], total: Counts) -> dict[str, Any]:
    """`{"lines", "changed", "broken", "withheld", "detectors": {name: count}, "files": [{"file", …}]}`."""
    return {**_one(total), "files": [{"file": name, **_one(counts)} for name, counts in done]}


def _one(counts: Counts) -> dict[str, Any]:
    return {
        "lines": counts.lines,
        "changed": counts.changed,
        "broken": counts.broken,
        "withheld": counts.withheld,
        "detectors": dict(sorted(counts.detectors.items())),
    }

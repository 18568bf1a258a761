"""Alerts and what became of them, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from provisioner.quantities import count, when
from provisioner.yamltext import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provisioner.alerts import Alert, Answer

_SHOWN = 4
"""Values of one alert that are shown."""


def text(alerts: Iterable[Alert]) -> Iterator[Text]:
    """A line for each alert."""
    for alert in alerts:
        yield _line(alert)


def answers(found: Sequence[Answer]) -> Iterator[Text]:
    """What could not be acknowledged, and how many could."""
    failed = [each for each in found if each.error]
    for each in failed:
        yield Text("not acknowledged: ", style="red").append(_line(each.alert)).append(f": {visible(each.error)}")
    yield Text(f"Acknowledged {count(len(found) - len(failed), 'alert')}.", style="bold")


def _line(alert: Alert) -> Text:
    more = f" and {len(alert.about) - _SHOWN} more" if len(alert.about) > _SHOWN else ""
    about = visible(", ".join(alert.about[:_SHOWN])) + more
    line = Text(visible(alert.rule), style="bold").append(f"  {about}" if about else "", style="default")
    return line.append(f"  since {when(alert.started)}, severity {visible(alert.severity)}, {alert.id}", style="dim")


def json(found: Iterable[Answer], *, written: bool) -> dict[str, Any]:
    """`{"written", "alerts": [{"id", "rule", "severity", "started", "about", "acknowledged", "error"}]}`.

    `written` is false of a dry run, where nothing is acknowledged. `started` is in UTC; `error` is null without one.
    """
    return {
        "written": written,
        "alerts": [
            {
                "id": each.alert.id,
                "rule": each.alert.rule,
                "severity": each.alert.severity,
                "started": when(each.alert.started),
                "about": list(each.alert.about),
                "acknowledged": written and not each.error,
                "error": each.error or None,
            }
            for each in found
        ],
    }

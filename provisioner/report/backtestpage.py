"""Backtests as one HTML page: a plot and the top keys of each rule.

The page is built as a tree of elements, so nothing of a log can become markup. It loads nothing, has no script, and
follows the reader's choice of dark or light. Each plot's numbers stand in a table as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Tree

from provisioner.backtest.tally import DAY, HOUR
from provisioner.quantities import count, when
from provisioner.report import backtest as report
from provisioner.report import html

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provisioner.backtest.tally import Tally

_HOURLY = 4 * DAY
"""Up to this long a bar is an hour, then a day."""
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 960, 220, 56, 28, 12
_BARS = 400


def page(tallies: Sequence[Tally], owner: str, target: str) -> str:
    """The whole page."""
    document, body = html.document(f"Backtest of {owner} on {target}")
    html.add(body, "p", str(report.period(tallies)), **{"class": "dim"})
    html.table(
        body,
        "How often each rule would have fired",
        ["Rule", "Severity", "Fired", "Per day", "Messages"],
        [_row(tally) for tally in tallies],
        first_number=2,
    )
    for tally in tallies:
        _rule(body, tally)
    return html.text(document)


def _row(tally: Tally) -> list[str]:
    severity = str(tally.rule.body["severity"])
    return [tally.rule.id, severity, count(tally.fired), report.number(tally.per_day), count(tally.messages)]


def _rule(body: Tree.Element, tally: Tally) -> None:
    section = html.add(body, "section")
    html.add(section, "h2", str(tally.rule.body.get("title", tally.rule.id)))
    day = tally.busiest
    busiest = f", at most {count(day[1])} on {when(day[0])[:10]}" if day else ""
    sentence = f"{tally.rule.id}: fired {count(tally.fired, 'time')}, {report.number(tally.per_day)} a day{busiest}; "
    html.add(section, "p", f"{sentence}it would have sent {count(tally.messages, 'message')}.", **{"class": "dim"})
    for note in report.notes(tally):
        html.add(section, "p", f"Note: {note}.")
    if not tally.fired:
        return
    each, values = _bars(tally)
    section.append(_plot(tally.rule.id, each, values))
    details = html.add(section, "details")
    html.add(details, "summary", f"Numbers by {each}")
    rows = [[_label(at, each), count(times)] for at, times in values.items() if times]
    html.table(details, f"Fires by {each} (UTC)", [each.capitalize(), "Fired"], rows, first_number=1)
    top = [(key, times) for key, times in tally.keys.most_common(report.TOP) if key]
    if top:
        rows = [[report.words(key), count(times), _peak(tally, key)] for key, times in top]
        html.table(section, "Top keys", ["Key", "Fired", "Largest measure"], rows, first_number=1)


def _peak(tally: Tally, key: Any) -> str:
    return f"{tally.peaks[key]:g}" if key in tally.peaks else ""


def _bars(tally: Tally) -> tuple[str, dict[int, int]]:
    """What a bar is, and the count of each, empty ones too; where days are too many for bars, of each 7, 30 or 365."""
    each, size = ("hour", HOUR) if tally.end - tally.begin <= _HOURLY else ("day", DAY)
    for days, name in ((7, "week"), (30, "30 days"), (365, "year")):
        if (tally.end - tally.begin) / size > _BARS:
            each, size = name, days * DAY
    first = tally.begin // size * size
    values = dict.fromkeys(range(first, tally.end + 1, size), 0)
    for hour, times in tally.hours.items():
        at = hour // size * size
        values[at] = values.get(at, 0) + times
    return each, dict(sorted(values.items()))


def _plot(rule: str, each: str, values: Mapping[int, int]) -> Tree.Element:
    """Bars over time. Each tells its time and number where it is pointed at; the whole is named for screen readers."""
    svg = Tree.Element("svg", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img")
    most, best = max(values.values()), max(values, key=lambda at: values[at])
    total = f"{count(sum(values.values()))} in all"
    text = f"Fires of {rule} by {each}: {total}, at most {count(most)} at {_label(best, each)}"
    svg.set("aria-label", text)
    html.add(svg, "title", text)
    wide, high = _WIDTH - _LEFT - 8, _HEIGHT - _BOTTOM - _TOP
    top = _round(most)
    for part in sorted({0, top // 2, top}):
        y = _TOP + high - high * part / top
        html.add(svg, "line", x1=str(_LEFT), x2=str(_WIDTH - 8), y1=f"{y:.1f}", y2=f"{y:.1f}", **{"class": "rule"})
        html.add(svg, "text", count(part), x=str(_LEFT - 8), y=f"{y + 4:.1f}", **{"text-anchor": "end"})
    slot = wide / len(values)
    for place, (at, times) in enumerate(values.items()):
        x, tall = _LEFT + place * slot, max(high * times / top, 1.0)
        if times:
            width = max(min(slot * 0.8, 40), 1.0)
            where = {"x": f"{x + (slot - width) / 2:.2f}", "y": f"{_TOP + high - tall:.2f}"}
            size = {"width": f"{width:.2f}", "height": f"{tall:.2f}"}
            bar = html.add(svg, "rect", **where, **size, **{"class": "bar"})
            html.add(bar, "title", f"{_label(at, each)}: {count(times)}")
    for place, at in _ticks(list(values)):
        x = _LEFT + (place + 0.5) * slot
        html.add(svg, "text", _label(at, each), x=f"{x:.1f}", y=str(_HEIGHT - 8), **{"text-anchor": "middle"})
    return svg


def _ticks(times: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Six labels at most, away from the edges."""
    every = max(-(-len(times) // 6), 1)
    for place in range(every // 2, len(times), every):
        yield place, times[place]


def _round(most: int) -> int:
    """The axis's end: 2, 4 or 10 times a power of ten, so that its half is whole."""
    power = 1
    while True:
        for factor in (2, 4, 10):
            if most <= factor * power:
                return factor * power
        power *= 10


def _label(at: int, each: str) -> str:
    text = when(at)
    return f"{text[5:10]} {text[11:16]}" if each == "hour" else text[:10]

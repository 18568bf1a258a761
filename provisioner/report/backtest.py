"""Backtests for people and as JSON; as a page with a plot: see report/backtestpage.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from provisioner.quantities import count, when

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provisioner.backtest.tally import Key, Tally

TOP = 10
_SHOWN = 3


def table(tallies: Sequence[Tally]) -> Table:
    """One row for each rule."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    heads = {"rule": "left", "severity": "left", "fired": "right", "per day": "right", "busiest day": "left"}
    heads |= {"first": "left", "last": "left", "messages": "right"}
    for head, justify in heads.items():
        made.add_column(head, justify=justify)  # type: ignore[arg-type]
    for tally in tallies:
        day = tally.busiest
        cells = [tally.rule.id, str(tally.rule.body["severity"]), count(tally.fired), number(tally.per_day)]
        cells += [f"{when(day[0])[:10]} ({count(day[1])})" if day else "", *_ends(tally), count(tally.messages)]
        made.add_row(*map(Text, cells), style="" if tally.fired else "dim")
    return made


def lines(tallies: Sequence[Tally]) -> Iterator[Text]:
    """What stands below: the top keys of each rule, and what the numbers leave out."""
    for tally in tallies:
        top = [f"{words(key)} ({count(times)})" for key, times in tally.keys.most_common(_SHOWN) if key]
        if top:
            yield Text(f"{tally.rule.id}: ", style="bold").append("; ".join(top), style="not bold")
        for note in notes(tally):
            yield Text(f"{tally.rule.id}: {note}", style="yellow")


def period(tallies: Sequence[Tally]) -> Text:
    """From when to when."""
    first = tallies[0]
    return Text(f"{when(first.begin)} to {when(first.end)} (UTC), {count(sum(t.searches for t in tallies))} searches")


def notes(tally: Tally) -> Iterator[str]:
    """What has to be known about a count."""
    if not tally.complete:
        yield f"interrupted: counted up to {when(tally.until)} only"
    if tally.going_on:
        yield f"{count(tally.going_on, 'alert')} went on from before the begin: not counted"
    if tally.cut:
        yield "too many keys: rare ones are missing"
    if not tally.rule.body.get("enabled", True):
        yield "the rule is off"


def json(tallies: Sequence[Tally]) -> dict[str, Any]:
    """`{"rules": [{"rule", "fired", "messages", "days", "hours", "top", …}]}`; times are UTC."""
    return {"rules": [_one(tally) for tally in tallies]}


def _one(tally: Tally) -> dict[str, Any]:
    day = tally.busiest
    return {
        "rule": tally.rule.id,
        "title": tally.rule.body.get("title", tally.rule.id),
        "severity": tally.rule.body["severity"],
        "from": when(tally.begin),
        "to": when(tally.end),
        "until": when(tally.until),
        "complete": tally.complete,
        "fired": tally.fired,
        "per_day": round(tally.per_day, 4),
        "busiest_day": {"day": when(day[0])[:10], "fired": day[1]} if day else None,
        "first": when(tally.first) if tally.first is not None else None,
        "last": when(tally.last) if tally.last is not None else None,
        "messages": tally.messages,
        "going_on_at_begin": tally.going_on,
        "searches": tally.searches,
        "top": [_top(tally, key, times) for key, times in tally.keys.most_common(TOP * 10) if key],
        "top_is_cut": tally.cut,
        "days": {when(at)[:10]: times for at, times in sorted(tally.days.items())},
        "hours": {when(at): times for at, times in sorted(tally.hours.items())},
    }


def _top(tally: Tally, key: Key, times: int) -> dict[str, Any]:
    peak = {"peak": tally.peaks[key]} if key in tally.peaks else {}
    return {"key": dict(key), "fired": times, **peak}


def _ends(tally: Tally) -> list[str]:
    return [when(at)[:16] if at is not None else "" for at in (tally.first, tally.last)]


def words(key: Key) -> str:
    """`source.ip 203.0.113.9, actor.username root`."""
    fields: Mapping[str, str] = dict(key)
    return ", ".join(f"{name} {value}" for name, value in fields.items())


def number(value: float) -> str:
    """A mean: with one decimal, small ones with two."""
    return f"{value:,.1f}" if value >= 1 or value == 0 else f"{value:.2f}"

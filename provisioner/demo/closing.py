"""The end of the story: what was pushed, stored, redacted, found and delivered, in tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from provisioner.client import path
from provisioner.demo import watch
from provisioner.demo.teller import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.client import Client
    from provisioner.demo.alerts import Alert
    from provisioner.demo.receivers import Mail, Post, Receivers
    from provisioner.demo.sshdlog import Pair
    from provisioner.demo.teller import Teller
    from provisioner.model import Plan

_LINES = 18  # of a notification's body
_ROWS = 20  # of alerts


def pushed(plan: Plan) -> str:
    """`1 channel, 5 data streams, ...`: the objects that the repository owns, by kind."""
    kinds = Counter(change.kind for change in plan.changes)
    return ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in sorted(kinds.items()))


def stored(client: Client, streams: str) -> dict[str, Any]:
    """Counts over the data streams: events, those redacted by detector, those with an error, by action."""
    body = {
        "size": 0,
        "track_total_hits": True,
        "aggs": {
            "detectors": {"terms": {"field": "ingest.redacted.detectors", "size": 50}},
            "errors": {"filter": {"exists": {"field": "ingest.error"}}},
            "actions": {"terms": {"field": "action", "size": 6}},
        },
    }
    answer = client.request("POST", path(streams, "_search"), body)
    found = answer["aggregations"]
    return {
        "events": answer["hits"]["total"]["value"],
        "detectors": {bucket["key"]: bucket["doc_count"] for bucket in found["detectors"]["buckets"]},
        "errors": found["errors"]["doc_count"],
        "actions": {bucket["key"]: bucket["doc_count"] for bucket in found["actions"]["buckets"]},
    }


def counts(numbers: dict[str, int]) -> str:
    """`3 password, 2 ssn`."""
    return ", ".join(f"{number} {name}" for name, number in numbers.items()) or "none"


def summary(plan: Plan, numbers: dict[str, Any]) -> Table:
    """What was pushed and what became of the events."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row("pushed", f"{len(plan.changes)} objects: {pushed(plan)}")
    rows.add_row("events stored", f"{numbers['events']} (most: {counts(numbers['actions'])})")
    rows.add_row("values redacted", f"in events, by detector: {counts(numbers['detectors'])}")
    if numbers["errors"]:
        rows.add_row("not understood", f"{numbers['errors']} lines, stored with ingest.error")
    return rows


def alerts(found: Iterable[Alert], rule: str, peaks: dict[Pair, int], expected: dict[Pair, int]) -> Table:
    """The brute-force rule's alerts with their keys, counts, and the newest state of each; other rules' are counted."""
    table = Table(
        "rule", "key", "failures in 5 min", "our count", "state", box=None, pad_edge=False, header_style="dim"
    )
    table.columns[0].no_wrap = True
    newest: dict[Pair, Alert] = {}
    others: Counter[tuple[str, str, str]] = Counter()
    for alert in sorted(found, key=lambda alert: alert.started):
        if alert.pair and alert.monitor == rule:
            newest[alert.pair] = alert
        else:
            others[alert.monitor, alert.state, alert.about] += 1
    for (address, user), alert in sorted(newest.items())[:_ROWS]:
        own = expected.get((address, user))
        key = Text(printable(f"{address} {user}"), overflow="fold")
        table.add_row(
            alert.monitor, key, str(peaks.get((address, user), alert.peak)), str(own or ""), _state(alert.state)
        )
    if len(newest) > _ROWS:
        table.add_row("", f"and {len(newest) - _ROWS} more", "", "", "")
    for (monitor, state, word), number in sorted(others.items()):
        table.add_row(monitor, f"{number} {word}{'' if number == 1 else 's'}", "", "", _state(state))
    return table


def _state(state: str) -> Text:
    return Text(state, style={"ACTIVE": "bold red", "ERROR": "magenta"}.get(state, "green"))


def notification(teller: Teller, receivers: Receivers, pair: Pair) -> None:
    """One notification as each receiver got it."""
    post, mail = watch.post_of(receivers.posts, pair), watch.mail_of(receivers.mails, pair)
    if post:
        teller.say(f"what the web server got (one of {len(receivers.posts)} posts):", style="bold")
        teller.say(_http(post), mark="│ ")
    if mail:
        teller.say("")
        teller.say(f"what the mail server got (one of {len(receivers.mails)} e-mails):", style="bold")
        teller.say(_mail(mail), mark="│ ")


def _http(post: Post) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in post.headers.items())
    return f"POST {post.path}\n{headers}\n\n{_first_lines(post.body)}"


def _mail(mail: Mail) -> str:
    return (
        f"From: {mail.sender}\nTo: {', '.join(mail.recipients)}\nSubject: {mail.subject}\n\n{_first_lines(mail.text)}"
    )


def _first_lines(text: str) -> str:
    lines = text.strip().splitlines()
    more = [f"... and {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
    return "\n".join([*lines[:_LINES], *more])

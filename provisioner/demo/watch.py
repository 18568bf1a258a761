"""Waiting for the cluster's own findings, and holding them against our own count."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.demo import alerts, count
from provisioner.demo.errors import DemoError
from provisioner.errors import UnclearError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from provisioner.client import Client
    from provisioner.demo.receivers import Mail, Post, Receivers
    from provisioner.demo.sshdlog import Pair, Secret

_PLAIN = re.compile(r"[A-Za-z][a-z0-9._-]{0,31}")
PATIENCE = 60.0  # seconds; the monitor runs every two


@dataclass(frozen=True, slots=True)
class Watcher:
    """Looks at one monitor's alerts and at what the receivers got."""

    client: Client
    monitor_id: str
    receivers: Receivers

    def wait(
        self,
        expected: Iterable[Pair],
        tell: Callable[[str], None],
        others: Collection[str] = (),
        patience: float = PATIENCE,
    ) -> None:
        """Until each pair has an alert, a post and an e-mail, and each of the other monitors an alert.

        Raises DemoError after `patience` seconds, with what was last seen.
        """
        wanted = set(expected)
        end = time.monotonic() + patience
        while True:
            found = self._while_starting(self.monitor_id, end)
            have = alerts.pairs(found)
            posts, mails = list(self.receivers.posts), list(self.receivers.mails)
            silent = [pair for pair in wanted if not (post_of(posts, pair) and mail_of(mails, pair))]
            missing, _ = count.differences(wanted, have)
            raised = {alert.monitor for alert in self._while_starting("", end)} if others else set()
            waiting = [name for name in others if name not in raised]
            if not missing and not silent and not waiting:
                return
            seen = f"{len(have)} of {len(wanted)} alerts, {len(posts)} posts, {len(mails)} e-mails"
            tell(f"{seen} so far")
            if time.monotonic() > end:
                errors = sorted({alert.error for alert in found if alert.error})
                said = f"; the monitor says: {'; '.join(errors)}" if errors else ""
                raise DemoError(
                    f"after {patience:.0f} s there were {seen}{said}",
                    f"without an alert: {words(missing) or 'none'}; without a notification: {words(silent) or 'none'}"
                    + (f"; monitors without an alert: {', '.join(waiting)}" if waiting else ""),
                )
            time.sleep(0.3)

    def _while_starting(self, monitor_id: str, end: float) -> list[alerts.Alert]:
        """The alerts; none while the index that holds them is only just being made (503)."""
        try:
            return alerts.alerts(self.client, monitor_id)
        except UnclearError as error:
            if error.status != 503 or time.monotonic() > end:
                raise
            return []

    def compare(self, expected: Iterable[Pair], seen: Iterable[Pair] = ()) -> dict[Pair, int]:
        """The pairs that have alerts, with their counts; `seen` are those that runs over times gone by found.

        Raises DemoError where others were expected.
        """
        alerted = alerts.pairs(alerts.alerts(self.client, self.monitor_id))
        found = {*alerted, *seen}
        missing, extra = count.differences(expected, found)
        if missing or extra:
            raise DemoError(
                f"the cluster's findings differ from our own count: missing {words(missing) or 'none'}, "
                f"without cause {words(extra) or 'none'}",
                "this is a fault in the pack or the demo: please report it with the log",
            )
        return alerted


def words(pairs: Sequence[Pair]) -> str:
    """`root from 192.0.2.1, admin from 192.0.2.2`, the first five."""
    more = f" and {len(pairs) - 5} more" if len(pairs) > 5 else ""
    return ", ".join(f"{shown(user)} from {address}" for address, user in sorted(pairs)[:5]) + more


def shown(user: str) -> str:
    """A user name straight from a log, but only one that looks like one: people also type passwords there."""
    plain = _PLAIN.fullmatch(user) and sum(map(str.isdigit, user)) < 9
    return user if plain else f"a name of {len(user)} characters"


def post_of(posts: Iterable[Post], pair: Pair) -> Post | None:
    """The first post about a pair."""
    return next((post for post in posts if _about(pair, post.body)), None)


def mail_of(mails: Iterable[Mail], pair: Pair) -> Mail | None:
    """The first e-mail about a pair."""
    return next((mail for mail in mails if _about(pair, mail.text)), None)


def _about(pair: Pair, text: str) -> bool:
    """Whether the text holds the pair's keys as the message templates write them: plain, inside JSON, or redacted."""
    keys = ",".join(pair)
    forms = (keys, json.dumps(keys, ensure_ascii=False)[1:-1])
    any_of = "|".join([*map(re.escape, forms), re.escape(f"{pair[0]},") + ".*" + re.escape(count.REDACTED)])
    return re.search(rf"(?<![0-9a-f.:])(?:{any_of})", text) is not None


def leaked(client: Client, stream: str, receivers: Receivers, secrets: Iterable[Secret]) -> list[str]:
    """The detectors of the secrets that got through into a stored event (10,000 at most) or a notification."""
    answer = client.request("POST", path(stream, "_search"), {"size": 10_000, "query": {"match_all": {}}})
    stored = json.dumps([hit["_source"] for hit in answer["hits"]["hits"]])
    sent = [post.body for post in list(receivers.posts)] + [mail.text + mail.subject for mail in list(receivers.mails)]
    return sorted({secret.detector for secret in secrets if any(secret.value in text for text in (stored, *sent))})

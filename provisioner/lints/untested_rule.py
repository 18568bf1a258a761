"""RULE011: the rule has no tests.

Nobody knows whether it fires. A query that matches nothing looks like a quiet week, and a later change to the schema or
to a pipeline breaks it without a sign.

Bad:

    kind: rule
    id: account-lockout
    query: 'action:account_lockout'

Good:

    kind: rule
    id: account-lockout
    query: 'action:account_lockout'
    tests:
      - name: a lockout fires
        events: [{set: {actor.username: john.doe}}]
        expect: [{actor.username: john.doe}]
      - name: a failed login is no lockout
        events: [{set: {action: login_failed}}]
        expect: []

To mend it, write a test that fires and one that stays silent; `provisioner test` runs them on a real engine. Rules that
were imported and have none are told together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE011"


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule without tests, but for raw ones, and one for all that were imported: there are many."""
    bare = [rule for rule in view.rules if not rule.body.get("tests") and rule.body.get("type") != "raw"]
    imported = [rule for rule in bare if rule.body.get("origin")]
    for rule in bare:
        if not rule.body.get("origin") or len(imported) == 1:
            hint = "write one that fires and one that stays silent"
            yield Finding(CODE, f"rule {rule.id!r} has no tests", rule.origin, hint, Severity.WARNING)
    if len(imported) > 1:
        message = f"{len(imported):,} rules that were imported have no tests, such as {imported[0].id!r}"
        hint = "write tests for those that you rely on: `provisioner coverage -o json` names the others"
        yield Finding(CODE, message, imported[0].origin, hint, Severity.WARNING)

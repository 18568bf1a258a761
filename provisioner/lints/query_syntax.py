"""RULE004: OpenSearch can't parse this query.

It takes the rule all the same: a match rule then matches nothing, and of any other the alert goes into the state ERROR
at every run. Both are seen only by somebody who looks for them.

Bad:

    query: 'source.ip:10.0.0.0/8 AND (action:login_failed OR'

Good:

    query: 'source.ip:"10.0.0.0/8" AND action:login_failed'

To mend it, close what is open, give operators something on both sides, and put values that hold `: / ( ) [ ] { } " ^ ~`
in quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import querysyntax
from provisioner.lints._view import queries
from provisioner.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE004"
EACH = True


def check(view: View) -> Iterator[Finding]:
    """A finding for each query that does not parse: the first thing that is wrong in it."""
    for rule in view.rules:
        for path, query in queries(rule):
            if wrong := querysyntax.wrong(query):
                message = f"the query does not parse: {wrong.message}, at its character {wrong.position}"
                yield Finding(CODE, message, rule.at(path), wrong.hint)

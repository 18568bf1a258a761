"""A plan as a comment on a pull request, in GitHub's Markdown.

Whatever comes from files or from the cluster stands in code spans, in fenced blocks or escaped: a rule's title can't
make a link, a mention, a heading or an element of HTML.
"""

from __future__ import annotations

import html
import re
import time
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING

from provisioner.model import Action
from provisioner.report import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provisioner.errors import ProvisionerError
    from provisioner.model import Change, Diff, Finding, Plan

LONGEST = 65_000
"""GitHub takes 65,536 characters."""
_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.ADOPT: "→", Action.DELETE: "-"}
_FRAME = 200
"""Characters kept for the head of a section and for the sentence on what was left out of it."""
_TABLE = "\n| | object | why | where |\n|---|---|---|---|\n"
_SPECIAL = re.compile(r"[\\`*_\[\]<>#~$]|^[+-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
_NO_BREAK = "\u200b"
"""A space of no width: behind it nothing is a mention, a reference to an issue or an address any more."""
_LINKED = re.compile(r"(?<=@)|(?<=\\#)|(?<=:)(?=//)|(?<=www)|(?<=GH)(?=-)")


def marker(target: str) -> str:
    """The comment's first line, by which a bot finds the comment that it has to update."""
    return f"<!-- provisioner plan: {re.sub('[^A-Za-z0-9_. ]+', '-', target)} -->"


def plan(planned: Plan, target: str, *, now: int | None = None, longest: int = LONGEST) -> str:
    """A heading with counts, warnings, a table of changes and their diffs, folded; at most `longest` characters.

    What does not fit is left out from the end, whole changes only, and counted. `now` is the cluster's time in
    milliseconds (None: this machine's).
    """
    now = int(time.time() * 1000) if now is None else now
    shown = [*planned.pending, *words.orphans(planned)]
    heading = words.to_do(planned) if planned.pending else "no changes"
    comment = _Comment(f"{marker(target)}\n### Plan for {_code(target)}: {heading}\n", longest)
    refused = [f"> - refused: {text(words.limit(limit))}\n" for limit in planned.limits]
    warnings = [warning for change in planned.pending for warning in _warnings(change, now)]
    details = [_details(change) for change in shown if change.diffs]
    comment.add("\n> [!CAUTION]\n", refused, "> - ", "limits", share=3)
    comment.add("\n> [!WARNING]\n", warnings, "> - ", "warnings", share=3)
    comment.add(_TABLE, [_row(change) for change in shown], "\n", "changes", share=2)
    comment.add("\n", details, "\n", "diffs")
    return comment.text


def failed(raised: ProvisionerError, target: str, *, longest: int = LONGEST) -> str:
    """The comment where there is no plan: what went wrong, and what to do."""
    comment = _Comment(f"{marker(target)}\n### Plan for {_code(target)}: failed\n", longest)
    said = [f"> - {text(line)}\n" for line in (*raised.message.split("\n"), raised.hint) if line.strip()]
    comment.add("\n> [!CAUTION]\n", said, "> - ", "lines")
    return comment.text


def findings(found: Sequence[Finding], target: str, *, longest: int = LONGEST) -> str:
    """The comment where the repository itself is wrong, so that nothing can be planned."""
    comment = _Comment(f"{marker(target)}\n### Plan for {_code(target)}: mend the repository first\n", longest)
    rows = [
        f"| {_code(finding.code)} | {text(finding.message)} | {text(finding.hint)} | {_code(str(finding.origin))} |\n"
        for finding in found
    ]
    comment.add("\n| | what is wrong | what to do | where |\n|---|---|---|---|\n", rows, "\n", "findings")
    return comment.text


class _Comment:
    """A text that takes as many blocks as there is room for, and says how many it left out."""

    def __init__(self, head: str, longest: int) -> None:
        self.text = head
        self._room = longest - len(head) - 4 * _FRAME

    def add(self, head: str, blocks: Sequence[str], before: str, nouns: str, share: int = 1) -> None:
        """The first ones of some blocks under their head, in one of so many shares of the room that is left."""
        if not blocks:
            return
        fitting = sum(end <= self._room // share for end in accumulate(map(len, blocks)))
        taken, left = "".join(blocks[:fitting]), len(blocks) - fitting
        note = f"{before}{left:,} of {len(blocks):,} {nouns} left out: the comment would be too long\n" if left else ""
        self.text += f"{head}{taken}{note}"
        self._room -= len(taken)


def text(value: str) -> str:
    """A sentence that may hold anything, as plain text on one line."""
    escaped = _SPECIAL.sub(r"\\\g<0>", _line(value).strip().replace("&", "&amp;"))
    return _LINKED.sub(_NO_BREAK, escaped).replace("|", "&#124;")


def _warnings(change: Change, now: int) -> Iterator[str]:
    where = f" ({_object(change)})\n"
    for risk in change.risks:
        yield f"> - {text(risk)}{where}"
    if change.doomed:
        indices = "".join(f">   - {text(line)}\n" for line in words.doomed_indices(change.doomed, now))
        yield f"> - {text(words.doomed(change.doomed))}{where}{indices}"


def _row(change: Change) -> str:
    what = f"{_SIGNS[change.action]}&nbsp;{change.action}" if change.action in _SIGNS else "!&nbsp;stays"
    where = _code(str(change.origin)) if change.origin else ""
    return f"| {what} | {_object(change)} | {text(change.why)} | {where} |\n"


def _object(change: Change) -> str:
    return _code(f"{change.kind} {change.key}")


def _details(change: Change) -> str:
    """The diffs of a change, folded; a blank line lets Markdown begin again inside HTML."""
    title = html.escape(_line(f"{change.kind} {change.key}"))
    blocks = "\n".join(f"{text(diff.title)}:\n\n{_fenced(_diff(diff))}" for diff in change.diffs)
    return f"<details><summary><code>{title}</code> {html.escape(change.action)}</summary>\n\n{blocks}\n</details>\n"


def _diff(diff: Diff) -> Iterator[str]:
    """The lines, and before each stretch of changed ones the place of the first of them."""
    changed = False
    for at, line in enumerate(diff.lines):
        if line.sign != " " and not changed:
            stretch = takewhile(lambda each: each.sign != " ", diff.lines[at:])
            if place := next((each.origin for each in stretch if each.origin), None):
                yield f"@@ {place} @@"
        changed = line.sign != " "
        yield f"{line.sign} {line.text}"


def _fenced(lines: Iterable[str]) -> str:
    """A block of code whose fence is longer than any row of backticks in it."""
    body = "\n".join(map(_line, lines))
    fence = "`" * max(3, _longest_row(body) + 1)
    return f"{fence}diff\n{body}\n{fence}\n"


def _code(value: str) -> str:
    """A code span: nothing in it is taken as Markdown, as HTML or as a mention.

    Tables are cut at bars before code spans are looked for, and a backslash before a bar may be escaped itself: what
    holds a bar goes another way.
    """
    line = _line(value) or " "
    if "|" in line:
        return f"<code>{text(line)}</code>"
    fence = "`" * (_longest_row(line) + 1)
    pad = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _longest_row(value: str) -> int:
    return max(map(len, re.findall("`+", value)), default=0)


def _line(value: str) -> str:
    return "".join(char if char.isprintable() else " " for char in value)

"""Coverage for people, as JSON and as Markdown; as a layer: see report/navigator.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from provisioner.quantities import count
from provisioner.report import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.coverage import Coverage, Tactic
    from provisioner.model import Document

_LISTED = 20


def table(found: Coverage) -> Table:
    """One row for each tactic, also for those without rules, and the sum."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for number, head in enumerate(_head(found)):
        made.add_column(head, justify="right" if number else "left")
    for row in _rows(found):
        made.add_row(*(Text(cell) for cell in row), style="" if row[-1] != "0" else "dim")
    return made


def lines(found: Coverage) -> Iterator[Text]:
    """What stands below the table: a sentence on the rules, then each gap with what is in it."""
    yield Text(_sentence(found))
    for title, items in _gaps(found):
        yield Text(f"{title}: ", style="bold").append(_listed(items), style="not bold")


def as_markdown(found: Coverage) -> str:
    """The same as Markdown."""
    head = _head(found)
    rows = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    rows += ["| " + " | ".join(markdown.text(cell) for cell in row) + " |" for row in _rows(found)]
    gaps = [f"- **{title}**: {markdown.text(_listed(items))}" for title, items in _gaps(found)]
    title = f"### Coverage of ATT&CK {found.version}"
    return "\n".join([title, "", *rows, "", _sentence(found), "", *gaps]).rstrip() + "\n"


def json(found: Coverage) -> dict[str, Any]:
    """Everything: tactics, the techniques with rules, and all gaps in full."""
    return {
        "attack": found.version,
        "tactics": [_tactic(tactic) for tactic in found.tactics],
        "techniques": [
            {"id": t.id, "name": t.name, "tactics": list(t.tactics), "rules": [rule.id for rule in rules]}
            for t, rules in found.techniques.items()
        ],
        "rules": len(found.rules),
        "events": found.events,
        "gaps": {
            "events_without_rules": _ids(found.unwatched),
            "log_types_without_rules": list(found.log_types),
            "rules_without_attack": _ids(found.without_attack),
            "rules_without_tests": _ids(found.without_tests),
            "disabled_rules": _ids(found.disabled),
            "unknown_techniques": {id_: list(rules) for id_, rules in found.unknown.items()},
        },
    }


def _tactic(tactic: Tactic) -> dict[str, Any]:
    return {
        "tactic": tactic.name,
        "techniques": tactic.techniques,
        "covered": tactic.covered,
        "sub_techniques": tactic.sub_techniques,
        "covered_sub_techniques": tactic.covered_sub_techniques,
        "rules": dict(tactic.rules),
    }


def _ids(documents: Sequence[Document]) -> list[str]:
    return [document.id for document in documents]


def _head(found: Coverage) -> list[str]:
    return ["tactic", "techniques", "sub-techniques", *found.severities, "rules"]


def _rows(found: Coverage) -> Iterator[list[str]]:
    for tactic in found.tactics:
        yield [
            tactic.title,
            f"{tactic.covered} of {tactic.techniques}",
            f"{tactic.covered_sub_techniques} of {tactic.sub_techniques}",
            *(str(tactic.rules.get(severity, "")) for severity in found.severities),
            str(sum(tactic.rules.values())),
        ]


def _sentence(found: Coverage) -> str:
    off = f" ({len(found.disabled)} more are off)" if found.disabled else ""
    whole = len({technique.parent for technique in found.techniques})
    watched = found.events - len(found.unwatched)
    return (
        f"{count(len(found.rules), 'rule')}{off} for {count(whole, 'technique')} of ATT&CK {found.version}; "
        f"{watched} of {count(found.events, 'event')} of the catalogue watched. A rule counts for each of its tactics."
    )


def _gaps(found: Coverage) -> Iterator[tuple[str, list[str]]]:
    gaps = {
        "Events that no rule watches": _ids(found.unwatched),
        "Log types without rules": list(found.log_types),
        "Rules without ATT&CK": _ids(found.without_attack),
        "Rules without tests": _ids(found.without_tests),
        f"Not in ATT&CK {found.version}": [f"{id_} ({', '.join(rules)})" for id_, rules in found.unknown.items()],
    }
    yield from ((title, items) for title, items in gaps.items() if items)


def _listed(items: Sequence[str]) -> str:
    more = f", and {len(items) - _LISTED:,} more" if len(items) > _LISTED else ""
    return ", ".join(items[:_LISTED]) + more

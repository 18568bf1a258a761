"""What a rule of ours has besides its query: words, level, tags, references."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner import attack, secretrefs, source

if TYPE_CHECKING:
    from provisioner.model import Body
    from provisioner.sigma.settings import Pipeline

_TECHNIQUE = re.compile(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?)")
_TAG = re.compile(r"[a-z0-9][a-z0-9._-]*")
_ADDRESS = re.compile(r"https?://[^\s{}]+")
_NO_CAUSES = frozenset({"unknown", "unlikely", "none", "n/a", ""})


def facts(rule: Any, pipeline: Pipeline) -> tuple[Body, Body]:
    """The keys that stand before those of the rule's type, and those behind."""
    level = rule.level.name.lower() if rule.level else "low"
    tags = [str(tag).lower() for tag in rule.tags]
    found = {tag: _technique(match[1].upper()) for tag in tags if (match := _TECHNIQUE.fullmatch(tag))}
    techniques = [technique for technique in found.values() if technique]
    other = [tag for tag in tags if not found.get(tag) and _TAG.fullmatch(tag)]
    addresses = [str(each).strip() for each in rule.references if _ADDRESS.fullmatch(str(each).strip())]
    causes = [prose(each, 1) for each in rule.falsepositives if str(each).strip().lower() not in _NO_CAUSES]
    first = {"title": prose(rule.title, 1), "description": prose(rule.description or "", 2)}
    first["severity"] = pipeline.severities[level]
    last = {
        "schedule": pipeline.schedule,
        "attack": _once(techniques),
        "tags": _once(other),
        "references": _once(addresses),
        "runbook": pipeline.runbook,
        "false_positives": _once(causes),
    }
    return {k: v for k, v in first.items() if v}, {k: v for k, v in last.items() if v}


def header(rule: Any, key: str) -> str:
    """Comments above a new rule: where it came from, and whose it is, as Sigma's licence asks."""
    lines = [f"Imported from Sigma by `provisioner import sigma`: {key}"]
    if rule.author:
        lines.append(f"Author: {rule.author}")
    about = [
        f"{name}: {value}"
        for name, value in (
            ("licence", rule.license),
            ("status", rule.status.name.lower() if rule.status else None),
            ("date", rule.date),
            ("modified", rule.modified),
        )
        if value
    ]
    lines += [", ".join(about)] if about else []
    return "".join(f"# {one_line}\n" for line in lines if (one_line := _printable(line)))


def prose(value: Any, lines: int) -> str:
    """Words for people: on one line or on several, and nothing that a template would take for its own."""
    text = str(value)
    rows = [_printable(row) for row in ([text] if lines == 1 else text.strip().splitlines())]
    plain = re.sub(r"\{(?=\{)", "{ ", "\n".join(rows))
    while secretrefs.REFERENCE.search(plain):
        plain = plain.replace("${", "$ {")
    return source.literal(plain)


def _technique(id_: str) -> str:
    """The technique, or the one that took its place; empty for one that our list of them lacks: it stays a tag."""
    known = attack.load()
    return id_ if id_ in known.techniques else known.replaced.get(id_, "")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in " ".join(text.split())).strip()


def _once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))

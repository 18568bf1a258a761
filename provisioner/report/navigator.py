"""Coverage as a layer of MITRE's ATT&CK Navigator (format 4.5): `Open Existing Layer` there takes the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.attack import Technique
    from provisioner.coverage import Coverage
    from provisioner.model import Document

_COLOURS = ["#d6e6f5", "#2171b5"]
"""Light to dark of one hue: told apart by those who can't see colours too."""


def layer(found: Coverage, name: str, runbooks: str = "") -> dict[str, Any]:
    """The layer: a score for each technique that a rule names, the number of its rules.

    A parent whose sub-techniques alone have rules gets no score, but is opened; Navigator itself sums up below it.
    `runbooks` is the address of the repository's files: with it, runbooks that are files become links as well.
    """
    scores = [len(rules) for rules in found.techniques.values()]
    return {
        "name": name,
        "versions": {"attack": found.version.partition(".")[0], "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": f"Rules of {name} by technique; the score is the number of rules that are enabled.",
        "sorting": 3,
        "layout": {
            "layout": "side",
            "showID": True,
            "showName": True,
            "showAggregateScores": True,
            "aggregateFunction": "sum",
            "countUnscored": False,
            "expandedSubtechniques": "annotated",
        },
        "hideDisabled": False,
        "techniques": [*_parents(found), *(_technique(*item, runbooks) for item in found.techniques.items())],
        "gradient": {"colors": _COLOURS, "minValue": 0, "maxValue": max(scores, default=1)},
        "legendItems": [],
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }


def _parents(found: Coverage) -> Iterator[dict[str, Any]]:
    own = {technique.id for technique in found.techniques}
    for id_ in sorted({technique.parent for technique in found.techniques} - own):
        yield {"techniqueID": id_, "showSubtechniques": True}


def _technique(technique: Technique, rules: Sequence[Document], runbooks: str) -> dict[str, Any]:
    by_address: dict[str, list[str]] = {}
    for rule in rules:
        by_address.setdefault(_address(rule.body["runbook"], runbooks), []).append(rule.id)
    links = [
        {"label": f"Runbook: {', '.join(ids)}", "url": address}
        for address, ids in by_address.items()
        if "://" in address
    ]
    files = [
        {"name": f"Runbook: {', '.join(ids)}", "value": address}
        for address, ids in by_address.items()
        if "://" not in address
    ]
    return {
        "techniqueID": technique.id,
        "score": len(rules),
        "comment": ", ".join(rule.id for rule in rules),
        "enabled": True,
        "metadata": files,
        "links": links,
        "showSubtechniques": True,
    }


def _address(runbook: str, base: str) -> str:
    return runbook if "://" in runbook or not base else f"{base.rstrip('/')}/{runbook}"

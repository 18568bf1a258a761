"""SARIF 2.1.0: what code scanning (GitHub, GitLab, editors) reads."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from provisioner import __version__, pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.model import Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def findings(found: Sequence[Finding]) -> dict[str, Any]:
    """One run: a rule for each code that was found, a result for each finding.

    Fingerprints hold on to the code, the file and the message, not to the line: a finding that moves is the same one.
    """
    codes = sorted({finding.code for finding in found})
    seen: Counter[str] = Counter()
    results = []
    for finding in found:
        print_ = _fingerprint(finding)
        seen[print_] += 1
        results.append(_result(finding, codes.index(finding.code), f"{print_}:{seen[print_]}"))
    driver = {"name": "provisioner", "semanticVersion": __version__, "version": __version__}
    run = {
        "tool": {"driver": {**driver, "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the folder that holds provisioner.yml"}}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    page = pages.page(code)
    return {
        "id": code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.summary},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": "error"},
    }


def _result(finding: Finding, index: int, fingerprint: str) -> dict[str, Any]:
    origin = finding.origin
    text = f"{finding.message}. To mend it: {finding.hint}" if finding.hint else finding.message
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(origin.file), "uriBaseId": "SRCROOT"}}
    if origin.line:
        place["region"] = {"startLine": origin.line, "startColumn": origin.column}
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"provisioner/v1": fingerprint},
    }


def _fingerprint(finding: Finding) -> str:
    parts = "\0".join((finding.code, finding.origin.file, finding.message))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:32]

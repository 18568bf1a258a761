"""JUnit XML, as Jenkins and GitLab read it: one test suite for each file, one test case for each check.

Results of checks and of rule tests both become outcomes, and those become XML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree  # only written with, never read

from provisioner.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provisioner.model import Finding

_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold, not even as a reference."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test case ended: passed, unless one of the texts says otherwise.

    `failure`: something is not as expected; `error`: the test could not be run to its end; `skipped`: why it was not
    run. The first line of each is its message. `classname` groups cases (a rule, a lint).
    """

    name: str
    classname: str
    seconds: float = 0.0
    failure: str = ""
    error: str = ""
    skipped: str = ""
    file: str = ""
    line: int = 0


def findings(found: Sequence[Finding], files: Iterable[str] = ()) -> str:
    """The findings as failed cases; each file without any is a case that passed."""
    failed = [
        Outcome(
            name=f"{finding.code} at {finding.origin}",
            classname=finding.code,
            failure=_failure(finding),
            file=finding.origin.file,
            line=finding.origin.line,
        )
        for finding in found
    ]
    wrong = {outcome.file for outcome in failed}
    passed = [Outcome(file, "validate", file=file) for file in dict.fromkeys(files) if file not in wrong]
    return outcomes([*failed, *passed], "provisioner validate")


def _failure(finding: Finding) -> str:
    mark = "" if finding.severity is Severity.ERROR else "warning: "
    return "\n".join(filter(None, [f"{mark}{finding.message}", finding.hint, str(finding.origin)]))


def outcomes(ran: Iterable[Outcome], name: str) -> str:
    """The whole document: `name` is what ran, suites are in the order of their files' names."""
    ordered = sorted(ran, key=lambda outcome: outcome.file)
    root = ElementTree.Element("testsuites", {"name": name, **_counts(ordered)})
    for file, group in groupby(ordered, key=lambda outcome: outcome.file):
        cases = list(group)
        skipped = str(sum(bool(case.skipped) for case in cases))
        attributes = {"name": _clean(file or name), **_counts(cases), "skipped": skipped, "file": _clean(file)}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for case in cases:
            _case(suite, case)
    ElementTree.indent(root)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{ElementTree.tostring(root, encoding='unicode')}\n"


def _counts(cases: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.failure) for case in cases)),
        "errors": str(sum(bool(case.error) for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _case(suite: ElementTree.Element, case: Outcome) -> None:
    attributes = {"name": _clean(case.name), "classname": _clean(case.classname), "time": f"{case.seconds:.3f}"}
    element = ElementTree.SubElement(suite, "testcase", attributes)
    for tag, text in (("skipped", case.skipped), ("error", case.error), ("failure", case.failure)):
        if text:
            message = {"message": _clean(text).split("\n", 1)[0], "type": _clean(case.classname)}
            place = f"{case.file}:{case.line}" if case.line else case.file
            body = text if place in text else f"{text}\n{place}"
            ElementTree.SubElement(element, tag, message).text = _clean(body)


def _clean(text: str) -> str:
    return _REFUSED.sub("�", text)

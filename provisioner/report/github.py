"""GitHub's workflow commands: a runner shows each as an annotation at its line of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.model import Finding
    from provisioner.report.junit import Outcome

_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def findings(found: Iterable[Finding]) -> Iterator[str]:
    """`::error file=rules/a.yml,line=8,col=8,title=RULE001::no schema has the field 'x'`."""
    for finding in found:
        level = "error" if finding.severity is Severity.ERROR else "warning"
        message = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
        origin = finding.origin
        yield command(level, message, finding.code, origin.file, origin.line, origin.column)


def outcomes(ran: Iterable[Outcome]) -> Iterator[str]:
    """An annotation for each test that failed."""
    for outcome in ran:
        if text := outcome.error or outcome.failure:
            yield command("error", text, f"{outcome.classname}: {outcome.name}", outcome.file, outcome.line)


def command(level: str, message: str, title: str, file: str = "", line: int = 0, column: int = 0) -> str:
    """One workflow command. A file named without a line is annotated as a whole."""
    properties = {"file": file, "line": line, "col": column, "title": title}
    named = ",".join(f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items() if value)
    return f"::{level} {named}::{message.translate(_MESSAGE)}"

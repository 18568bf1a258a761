"""RAW002: an index pattern that matches nothing of this repository.

Alerting takes a monitor over a pattern without any index, and it stays silent for ever; ISM attaches such a policy to
nothing, so that logs are never deleted. Only patterns that begin with `logs-`, as data streams here do, are looked at:
others may be indices of other hands.

Bad:

    indices: [logs-autentication-*]

Good:

    indices: [logs-authentication-*]

To mend it, correct the pattern, or write the data stream or index template that is missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.model import Finding, Severity
from provisioner.schema import show, suggest
from provisioner.values import each, mapping, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Body, Path

CODE = "RAW002"
_BACKING = re.compile(r"^\.ds-(.*?)(?:-[0-9]{6}|-\*)?$")


def check(view: View) -> Iterator[Finding]:
    """A finding for each pattern of a monitor or an ISM policy that matches no data stream and no index template."""
    streams = {resource.key for resource in view.resources if resource.kind == "data_stream"}
    patterns = set(streams)
    for resource in view.resources:
        if resource.kind == "index_template":
            patterns.update(names(resource.body.get("index_patterns")))
    for resource in view.resources:
        document = resource.document
        if document is None or not patterns or resource.kind not in ("monitor", "ism_policy"):
            continue
        if document.kind == "rule" and document.body.get("type") != "raw":
            continue
        read = _indices if resource.kind == "monitor" else _managed
        for path, pattern in read(resource.body):
            plain = _BACKING.sub(r"\1", pattern)
            if plain.startswith("logs-") and ":" not in plain and not any(_meet(plain, other) for other in patterns):
                place = document.at(("body", *path)) if "body" in document.body else document.at(("log_type",))
                hint = suggest(plain.removesuffix("-*").removesuffix("*"), streams, "data streams")
                yield Finding(CODE, f"no data stream matches {show(pattern)}", place, hint, Severity.WARNING)


def _indices(body: Body) -> Iterator[tuple[Path, str]]:
    for number, given in enumerate(each(body.get("inputs"))):
        for kind, value in given.items():
            for index, pattern in enumerate(names(mapping(value).get("indices"))):
                yield ("inputs", number, kind, "indices", index), pattern


def _managed(body: Body) -> Iterator[tuple[Path, str]]:
    for number, template in enumerate(each(mapping(body.get("policy", body)).get("ism_template"))):
        for index, pattern in enumerate(names(template.get("index_patterns"))):
            yield ("ism_template", number, "index_patterns", index), pattern


def _meet(one: str, other: str) -> bool:
    """Whether some name may fit both patterns: one fits the other, or what stands before their first `*` does."""
    if "*" not in other:
        return _fits(other, one)
    if "*" not in one:
        return _fits(one, other)
    left, right = one.partition("*")[0], other.partition("*")[0]
    return left.startswith(right) or right.startswith(left)


def _fits(name: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None

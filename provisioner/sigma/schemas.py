"""The fields that imported rules need, as schema documents: one for each log type, `templates/schema/sigma-*.yml`.

`log_types` makes them a part of that log type's index template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.sigma import editing
from provisioner.yamltext import value
from provisioner.yamlwrite import dump

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

    from provisioner.sigma.fields import Added
    from provisioner.source import Source

_HEADER = """\
# yaml-language-server: $schema=../../provisioner/schemas/schema.json
# Written by `provisioner import sigma`, which adds to it and takes nothing away: fields that Sigma's rules ask for and
# the event schema lacks. Change what you like; a field's type and `ignore_case` are kept as they stand here.
"""
_LIMIT = 1000
"""OpenSearch's own limit of fields for an index."""


def texts(root: pathlib.Path, read: Source, added: Mapping[str, Mapping[str, Added]]) -> dict[str, str]:
    """The schema files to write, by path. Raises UneditableError."""
    return {
        file: text for log_type, fields in sorted(added.items()) for file, text in [_text(root, read, log_type, fields)]
    }


def _text(root: pathlib.Path, read: Source, log_type: str, fields: Mapping[str, Added]) -> tuple[str, str]:
    id_ = f"sigma-{log_type}"
    specs = {name: _spec(fields[name]) for name in sorted(fields)}
    lines = "".join(f"  {value(name)}: {value(spec)}\n" for name, spec in specs.items())
    there = read.documents.get(("schema", id_))
    if there is None:
        head = {"kind": "schema", "id": id_, "title": f"Fields of Sigma's rules: {log_type}", "log_types": [log_type]}
        return f"templates/schema/{id_}.yml", f"{_HEADER}{dump(head)}fields:\n{lines}"
    file = there.origin.file
    old = (root / file).read_text(encoding="utf-8")
    found = editing.document(old, file, "schema", id_)
    expected = {**found.value, "fields": {**found.value["fields"], **specs}}
    places = [o.line for path, o in found.origins.items() if len(path) >= 2 and path[0] == "fields"]
    rows = old.splitlines(keepends=True)
    last = max(places)
    new = "".join([*rows[: last - 1], rows[last - 1].rstrip("\r\n"), "\n", lines, *rows[last:]])
    return file, editing.checked(new, file, "schema", id_, expected)


def _spec(added: Added) -> dict[str, Any]:
    field = added.field
    case = {"ignore_case": True} if field.ignore_case else {}
    return {"type": field.type, **case, "description": " ".join(added.description.split())}


def crowded(read: Source) -> list[str]:
    """Log types whose indices would have more fields than they may, in words."""
    own = _limits(read)
    found = []
    for template in read.of_kind("index_template"):
        log_type = template.body.get("log_type")
        names: set[str] = set()
        for schema in read.of_kind("schema"):
            if schema.id == template.body.get("schema") or log_type in (schema.body.get("log_types") or []):
                for name, spec in (schema.body.get("fields") or {}).items():
                    names |= {*_above(name), *(_above(spec["ecs"]) if "ecs" in spec else ())}
        limit = own if own else _LIMIT
        if len(names) > limit:
            found.append(f"{log_type} has {len(names)} fields, its indices take {limit}: raise `total_fields`")
    return found


def _limits(read: Source) -> int:
    limits = [0]
    for template in read.of_kind("component_template"):
        node: Any = template.body
        for key in ("template", "settings", "index", "mapping", "total_fields", "limit"):
            node = node.get(key) if isinstance(node, dict) else None
        limits += [node] if isinstance(node, int) else []
    return max(limits)


def _above(name: str) -> list[str]:
    """A field and the objects that it is in: each of them counts."""
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts) + 1)]

"""What only a cluster can say of resources: whether scripts compile, and pipelines can be made. Nothing is stored.

Scripts of monitors are run by `_scripts/painless/_execute`, with empty values for what their contexts give: only an
error of the compiler counts. Ingest pipelines are simulated over no document that matters, which compiles them whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner.errors import ApiError
from provisioner.model import Finding
from provisioner.values import mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.client import Client
    from provisioner.model import Path, Resource

CODE = "TPL002"
_NAMES = ("ctx", "state", "states", "doc", "_score", "_value", "_source")
"""What the contexts of monitors' scripts give; the context that runs any script gives `params` alone."""
_FUNCTION = re.compile(r"\s*(?:/\*.*?\*/|//[^\n]*\n|\s)*[\w.\[\]<>]+\s+\w+\s*\([^)]*\)\s*\{", re.DOTALL)


def check(client: Client, resources: Iterable[Resource]) -> Iterator[Finding]:
    """A finding for each script that does not compile, and each pipeline that can't be made."""
    seen: dict[str, str] = {}
    for resource in resources:
        if resource.kind == "monitor":
            for path, source in _scripts(resource.body, ()):
                if source not in seen:
                    seen[source] = _compile(client, source)
                if seen[source]:
                    yield _finding(resource, path, seen[source])
        elif resource.kind == "ingest_pipeline" and (words := _simulate(client, resource.body)):
            yield _finding(resource, (), words)


def _finding(resource: Resource, path: Path, words: str) -> Finding:
    document = resource.document
    place = document.at(("body", *path)) if document and "body" in document.body else resource.origin
    where = ".".join(map(str, path))
    message = f"{resource.kind} {resource.key!r} does not compile{' at ' + where if where else ''}: {words}"
    return Finding(CODE, message, place, "mend the script; `provisioner render` shows it whole")


def _scripts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Painless in a monitor, wherever it stands; mustache and the conditions of document-level triggers are none."""
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from _scripts(child, (*path, index))
    if not isinstance(value, dict):
        return
    source = value.get("source")
    if isinstance(source, str) and value.get("lang", "") in ("", "painless") and _is_script(path):
        yield (*path, "source"), source
    for key, child in value.items():
        if key.endswith("_script") and isinstance(child, str):
            yield (*path, key), child
        elif key != "document_level_trigger":
            yield from _scripts(child, (*path, key))


def _is_script(path: Path) -> bool:
    return bool(path) and str(path[-1]).rpartition("_")[2] == "script"


def _compile(client: Client, source: str) -> str:
    """What the compiler says; nothing where it takes the script. One that begins with functions is not asked for."""
    if _FUNCTION.match(source):
        return ""
    used = [name for name in _NAMES if re.search(rf"(?<![\w.]){name}\b", source)]
    begin = "".join(f"def {name} = params.{name};" for name in used)
    body = {"script": {"lang": "painless", "source": f"{begin}{source}", "params": {}}}
    try:
        client.request("POST", "/_scripts/painless/_execute", body, safe=True)
    except ApiError as error:
        if "compile error" in error.reason:
            return error.reason
    return ""


def _simulate(client: Client, body: dict[str, Any]) -> str:
    pipeline = {name: mapping(body).get(name) for name in ("description", "processors", "on_failure") if name in body}
    try:
        client.request(
            "POST", "/_ingest/pipeline/_simulate", {"pipeline": pipeline, "docs": [{"_source": {}}]}, safe=True
        )
    except ApiError as error:
        return error.reason
    return ""

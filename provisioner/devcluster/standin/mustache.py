"""Rendering Mustache with the node's own engine.

The Alerting, Notifications and ISM plugins compile a template with the default options of OpenSearch's `mustache`
language: values are escaped for JSON. An ingest `set` processor compiles its value in exactly the same way
(`ConfigurationUtils.compileTemplate`: empty options), so a simulated pipeline renders what the plugins would have sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisioner.devcluster.standin.errors import StandInError
from provisioner.devcluster.standin.node import Node

# The simulation reads a document into hash maps, and a template that prints a whole object would show its keys in
# their order. This makes ordered maps of keys and values that came as lists.
_ORDER = """
def ordered(def value) {
  if (value instanceof List) {
    List items = new ArrayList();
    for (item in value) { items.add(ordered(item)) }
    return items;
  }
  if (!(value instanceof Map)) { return value }
  Map made = new LinkedHashMap();
  for (int i = 0; i < value.k.size(); i++) { made.put(value.k.get(i), ordered(value.v.get(i))) }
  return made;
}
ctx.putAll(ordered(ctx.remove('__model')));
"""


async def render_all(
    node: Node, templates: Sequence[str], model: Mapping[str, Any], *, ordered: bool = False
) -> list[str]:
    """Render each template with `model` as its top level (`{"ctx": {...}}`), in one request.

    `ordered`: objects that a template prints as a whole show their keys in the order of `model`.

    Raises StandInError with the node's own error when a template does not compile.
    """
    fields = [f"__rendered_{i}" for i in range(len(templates))]
    # Without `{{` the processor would take the value as it is anyway; a plain string needs no trip to the node.
    sets = [
        {"set": {"field": field, "value": template}}
        for field, template in zip(fields, templates, strict=True)
        if "{{" in template
    ]
    if not sets:
        return list(templates)
    first: list[dict[str, Any]] = [{"script": {"source": _ORDER}}] if ordered else []
    source = {"__model": _as_lists(model)} if ordered else dict(model)
    body = {"pipeline": {"processors": first + sets}, "docs": [{"_source": source}]}
    reply = (await node.request("POST", "/_ingest/pipeline/_simulate", body=body)).checked()
    [result] = reply.body["docs"]
    if "error" in result:
        raise StandInError(400, {"error": result["error"], "status": 400})
    rendered = result["doc"]["_source"]
    return [rendered.get(field, template) for field, template in zip(fields, templates, strict=True)]


async def render(node: Node, template: str, model: Mapping[str, Any]) -> str:
    """Render one template: see `render_all`."""
    [rendered] = await render_all(node, [template], model)
    return rendered


def _as_lists(value: Any) -> Any:
    """Objects as `{"k": [keys], "v": [values]}`, which keeps their order."""
    if isinstance(value, Mapping):
        return {"k": list(value), "v": [_as_lists(item) for item in value.values()]}
    return [_as_lists(item) for item in value] if isinstance(value, list | tuple) else value

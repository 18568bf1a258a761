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


async def render_all(node: Node, templates: Sequence[str], model: Mapping[str, Any]) -> list[str]:
    """Render each template with `model` as its top level (`{"ctx": {...}}`), in one request.

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
    body = {"pipeline": {"processors": sets}, "docs": [{"_source": dict(model)}]}
    reply = (await node.request("POST", "/_ingest/pipeline/_simulate", body=body)).checked()
    [result] = reply.body["docs"]
    if "error" in result:
        raise StandInError(400, {"error": result["error"], "status": 400})
    source = result["doc"]["_source"]
    return [source.get(field, template) for field, template in zip(fields, templates, strict=True)]


async def render(node: Node, template: str, model: Mapping[str, Any]) -> str:
    """Render one template: see `render_all`."""
    [rendered] = await render_all(node, [template], model)
    return rendered

"""Trigger conditions, evaluated by the node's own Painless.

The plugin compiles a condition in a context of its own, with `ctx` as a variable. The node's own execute API knows only
`params`, so a prelude on the script's first line makes `ctx` from them; positions in errors are moved back.
A script that declares functions can't follow a prelude: such a condition fails here, though the plugin takes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from provisioner.devcluster.standin.alerting.model import Json
from provisioner.devcluster.standin.node import Node

PRELUDE = (
    "def ctx = new HashMap(params.ctx); "
    "ctx.periodStart = Instant.ofEpochMilli(ctx.periodStart); ctx.periodEnd = Instant.ofEpochMilli(ctx.periodEnd); "
)
EXECUTE = "/_scripts/painless/_execute"
# An empty list of results is Kotlin's in the plugin and Java's on the node: the plugin's words.
EMPTY_LIST = "Empty list doesn't contain element at index 0."
EMPTY_LIST_FRAMES = [
    "kotlin.collections.EmptyList.get(Collections.kt:37)",
    "kotlin.collections.EmptyList.get(Collections.kt:25)",
]


@dataclass(frozen=True)
class ScriptFailure:
    """A condition that does not compile or failed: what a run result shows, and what an alert says."""

    shown: str
    message: str


async def evaluate(node: Node, script: Json, ctx: Json) -> bool | ScriptFailure:
    """Whether the condition holds for `ctx`, or why it can't be told."""
    source = script["source"]
    params = {**script.get("params", {}), "ctx": ctx}
    body = {"script": {"lang": "painless", "source": PRELUDE + source, "params": params}}
    reply = await node.request("POST", EXECUTE, body=body)
    if not reply.ok:
        error, ahead = reply.body["error"], len(PRELUDE)
        if error.get("reason") == "compile error":
            # After a prelude the parser words some errors in another way; but alone, a good script lacks `ctx`.
            alone = await node.request("POST", EXECUTE, body={"script": {"lang": "painless", "source": source}})
            if not alone.ok and "symbol [ctx]" not in str(alone.body["error"].get("caused_by")):
                error, ahead = alone.body["error"], 0
        return _failure(error, source, ahead, empty=not ctx["results"])
    if reply.body["result"] not in ("true", "false"):
        return _not_boolean(source, reply.body["result"])
    return bool(reply.body["result"] == "true")


def _failure(error: Json, source: str, ahead: int, *, empty: bool) -> ScriptFailure:
    position = {key: max(0, value - ahead) for key, value in error.get("position", {}).items()}
    stack = [line for line in error.get("script_stack", []) if "---- HERE" not in line]
    frames = stack[:-1]
    cause = {key: value for key, value in error.get("caused_by", {}).items() if key in ("type", "reason", "caused_by")}
    if empty and cause.get("type") == "index_out_of_bounds_exception":
        frames, cause["reason"] = EMPTY_LIST_FRAMES, EMPTY_LIST
    return _report(source, str(error.get("reason")), position, frames, cause)


def _not_boolean(source: str, result: str) -> ScriptFailure:
    """The plugin's context wants a boolean, the node's gives any value back as text."""
    kind = "int" if result.lstrip("-").isdigit() else "java.lang.String"
    start = source.find("return ") + len("return ") if "return " in source else 0
    position = {"offset": start, "start": 0, "end": len(source)}
    cause = {"type": "class_cast_exception", "reason": f"Cannot cast from [{kind}] to [boolean]."}
    return _report(source, "compile error", position, [], cause)


def _report(source: str, reason: str, position: Json, frames: list[str], cause: Json) -> ScriptFailure:
    offset, start, end = (position.get(key, 0) for key in ("offset", "start", "end"))
    snippet = f"{'... ' if start > 0 else ''}{source[start:end]}{' ...' if end < len(source) else ''}"
    pointer = " " * (offset - start + (4 if start > 0 else 0)) + "^---- HERE"
    stack = [*frames, snippet, pointer]
    shown = {
        "type": "script_exception",
        "reason": reason,
        "script_stack": stack,
        "script": source,
        "lang": "painless",
        "position": {"offset": offset, "start": start, "end": end},
        "caused_by": cause,
    }
    return ScriptFailure(
        json.dumps(shown, indent=2, separators=(",", " : "), ensure_ascii=False),
        "\n".join(stack),
    )

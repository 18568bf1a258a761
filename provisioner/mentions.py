"""What a body names in the cluster: the other objects that it does not work without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.model import Body, Ref

_PIPELINES = ("default_pipeline", "final_pipeline")


def mentions(kind: str, body: Body, key: str = "") -> frozenset[Ref]:
    """Kind and key of all that it names; whether they exist is another question.

    A workflow in the cluster names its monitors by the server's ids, one of ours by their names. A data
    stream of a monitor may be a plain index, or a pattern. `key` matters for role mappings only: it is their role.
    """
    reader = _READERS.get(kind)
    found = set(reader(body)) if reader else set()
    if kind == "role_mapping" and key:
        found.add(("role", key))
    return frozenset(found)


def attaches(policy: Body, index: str) -> bool:
    """Whether ISM gives this policy to a new index, or data stream, of that name.

    A pattern that begins with a hyphen takes indices out.
    """
    for template in _mappings(_list_of(policy.get("ism_template"))):
        patterns = _texts(template.get("index_patterns"))
        taken = any(_fits(index, pattern) for pattern in patterns if not pattern.startswith("-"))
        if taken and not any(_fits(index, pattern[1:]) for pattern in patterns if pattern.startswith("-")):
            return True
    return False


def pipelines(settings: Any) -> Iterator[tuple[str, str]]:
    """The ingest pipelines in an index's settings, each with its setting's name; flat and nested forms."""
    for name, value in _flat(settings, ""):
        if name.removeprefix("index.") in _PIPELINES and isinstance(value, str) and value != "_none":
            yield name.removeprefix("index."), value


def _monitor(body: Body) -> Iterator[Ref]:
    yield from _actions(body)
    for each in _mappings(body.get("inputs")):
        for given in each.values():
            if isinstance(given, dict):
                yield from (("data_stream", index) for index in _texts(given.get("indices")))


def _workflow(body: Body) -> Iterator[Ref]:
    yield from _actions(body)
    for each in _mappings(body.get("inputs")):
        sequence = _mapping(_mapping(each.get("composite_input")).get("sequence"))
        for delegate in _mappings(sequence.get("delegates")):
            yield from (("monitor", id_.removeprefix("@")) for id_ in _texts([delegate.get("monitor_id")]))


def _actions(body: Body) -> Iterator[Ref]:
    yield from (("channel", id_) for id_ in _texts(list(_values(body.get("triggers"), "destination_id"))))


def _channel(body: Body) -> Iterator[Ref]:
    email = _mapping(body.get("email"))
    named = [email.get("email_account_id"), *_list(email.get("email_group_id_list"))]
    yield from (("channel", id_) for id_ in _texts(named))


def _ism_policy(body: Body) -> Iterator[Ref]:
    for channel in _values({key: body.get(key) for key in ("error_notification", "states")}, "channel"):
        yield from (("channel", id_) for id_ in _texts([_mapping(channel).get("id")]))


def _component_template(body: Body) -> Iterator[Ref]:
    settings = _mapping(body.get("template")).get("settings")
    yield from (("ingest_pipeline", name) for _, name in pipelines(settings))


def _index_template(body: Body) -> Iterator[Ref]:
    yield from _component_template(body)
    yield from (("component_template", name) for name in _texts(body.get("composed_of")))


def _ingest_pipeline(body: Body) -> Iterator[Ref]:
    yield from _processors(body.get("processors"))
    yield from _processors(body.get("on_failure"))


def _processors(processors: Any) -> Iterator[Ref]:
    for processor in _mappings(processors):
        for type_, options in processor.items():
            about = _mapping(options)
            if type_ == "pipeline":
                yield from (("ingest_pipeline", name) for name in _texts([about.get("name")]))
            yield from _processors(about.get("on_failure"))
            yield from _processors([about.get("processor")])  # foreach


def _data_stream(body: Body) -> Iterator[Ref]:
    yield from (("index_template", name) for name in _texts([body.get("template")]))


def _user(body: Body) -> Iterator[Ref]:
    yield from (("role", name) for name in _texts(body.get("opendistro_security_roles")))


_READERS = {
    "monitor": _monitor,
    "workflow": _workflow,
    "channel": _channel,
    "ism_policy": _ism_policy,
    "component_template": _component_template,
    "index_template": _index_template,
    "ingest_pipeline": _ingest_pipeline,
    "data_stream": _data_stream,
    "user": _user,
}


def _values(value: Any, name: str) -> Iterator[Any]:
    """Everything that stands under this key, at any depth."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key == name:
                yield child
            if isinstance(child, dict | list):
                yield from _values(child, name)
    elif isinstance(value, list):
        for child in value:
            if isinstance(child, dict | list):
                yield from _values(child, name)


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield name, value
        return
    for key, child in value.items():
        yield from _flat(child, f"{name}.{key}" if name else key)


def _fits(name: str, pattern: str) -> bool:
    """`*` stands for anything; nothing else is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def _list_of(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


# Bodies are what a person wrote or a server gave: anything may be anything.
def _mapping(value: Any) -> Body:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[Body]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _texts(value: Any) -> list[str]:
    return [each for each in ([value] if isinstance(value, str) else _list(value)) if isinstance(each, str) and each]

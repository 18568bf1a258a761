"""JSON Schema errors as findings: what is wrong in the words of a person, at the place where it stands.

Two libraries: `jsonschema_rs` says in microseconds that a document fits, as nearly all do; of one that does not,
`jsonschema` tells all that is wrong. What the first takes is what the second takes, but for ways of writing that YAML
and our schemas have not (tests compare them).
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson

from provisioner.model import Body, Document, Finding, Path

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable, Iterator

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_SENSITIVE = re.compile(r"(?i)pass|secret|token|key|auth|credential|cookie|header|routing|url|http")
_CREDENTIALS = re.compile(r"://[^/\s]*@")  # https://user:password@host
_MOST_SCHEMAS = 100
_validators: dict[int, tuple[Body, Any]] = {}
_LISTED = 20
"""Names in a suggestion."""


@cache
def load(kind: str) -> Body:
    """The JSON Schema of a document kind (`provisioner`: of provisioner.yml); KeyError where there is none."""
    file = resources.files("provisioner") / "schemas" / f"{kind}.json"
    if not file.is_file():
        raise KeyError(kind)
    schema: Body = orjson.loads(file.read_bytes())
    return schema


@cache
def kinds() -> tuple[str, ...]:
    """All document kinds, sorted."""
    names = (file.name for file in (resources.files("provisioner") / "schemas").iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".json") and name != "provisioner.json"))


def rule_types(folders: Iterable[pathlib.Path]) -> list[str]:
    """All rule types that have a schema in one of these templates/ folders, sorted."""
    names = (file.name for folder in folders for file in (folder / "monitors").glob("*.schema.json"))
    return sorted({name.removesuffix(".schema.json") for name in names})


class BrokenSchemaError(Exception):
    """What should be a JSON Schema is none, or refers to what is not there."""


def parse(text: str) -> Body:
    """A JSON Schema from its text. Raises BrokenSchemaError."""
    try:
        parsed: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BrokenSchemaError(str(error)) from error
    if not jsonschema_rs.meta.is_valid(parsed):
        from jsonschema import Draft202012Validator, SchemaError

        try:
            Draft202012Validator.check_schema(parsed)
        except SchemaError as error:
            raise BrokenSchemaError(error.message) from error
    if not isinstance(parsed, dict):
        raise BrokenSchemaError("it must be an object")
    return parsed


def combine(common: Body, special: Body) -> Body:
    """One schema for a rule of a type: the keys of both, and no others."""
    return {
        **common,
        **{key: value for key, value in special.items() if key.startswith("x-")},
        "title": special.get("title", common.get("title")),
        "properties": {**common.get("properties", {}), **special.get("properties", {})},
        "required": [*common.get("required", []), *special.get("required", [])],
        "additionalProperties": False,
        "$defs": {**common.get("$defs", {}), **special.get("$defs", {})},
    }


def check(document: Document, schema: Body, code: str = "DOC002") -> Iterator[Finding]:
    """All that the schema has to say about a document's body; one finding for each mistake.

    Raises BrokenSchemaError for a reference or a pattern in the schema that leads nowhere; nothing is ever fetched.
    """
    whole = {"kind": document.kind, "id": document.id, **document.body}
    instance = whole if "kind" in schema.get("properties", {}) else document.body
    if not _fits(instance, schema):
        yield from _told(document, instance, schema, code)


def _fits(instance: Any, schema: Body) -> bool:
    """Whether the faster library takes it. Where it can't say, the answer is no, and the other one is asked."""
    known = _validators.get(id(schema))
    if known is None:
        try:
            validator = jsonschema_rs.Draft202012Validator(schema, retriever=_refuse)
        except (ValueError, TypeError, jsonschema_rs.ReferencingError):  # a schema that is none; the other says why
            validator = None
        if len(_validators) >= _MOST_SCHEMAS:
            _validators.clear()
        known = _validators[id(schema)] = (schema, validator)  # the schema with it, so that its id stays its own
    try:
        return known[1] is not None and known[1].is_valid(instance)
    except ValueError:  # what no JSON can hold
        return False


def _refuse(address: str) -> Any:
    raise ValueError(f"{address} is not fetched")


def _told(document: Document, instance: Any, schema: Body, code: str) -> Iterator[Finding]:
    import jsonschema
    import referencing
    from referencing.exceptions import Unresolvable

    try:
        for error in jsonschema.Draft202012Validator(schema, registry=referencing.Registry()).iter_errors(instance):
            yield from _findings(document, error, code)
    except (Unresolvable, re.error) as error:
        raise BrokenSchemaError(str(error)) from error


def _findings(document: Document, error: Any, code: str) -> Iterator[Finding]:
    if error.validator in ("anyOf", "oneOf") and error.context:
        from jsonschema.exceptions import best_match

        error = best_match([error], key=_depth) or error
    path: Path = tuple(error.absolute_path)
    where = ".".join(map(str, path)) or document.kind
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        patterns = error.schema.get("patternProperties", {})
        for key in error.instance:
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                place = document.key_origins.get((*path, key)) or document.at((*path, key))
                yield Finding(code, f"unknown key {key!r} in {where}", place, suggest(key, known, "known keys"))
        return
    if error.validator == "required":
        missing = next(key for key in error.validator_value if error.message.startswith(repr(key)))
        about = known.get(missing, {}).get("description", "")
        yield Finding(
            code,
            f"{where} lacks the key {missing!r}",
            document.at(path),
            f"add {missing!r}{': ' + about if about else ''}",
        )
        return
    if "propertyNames" in error.schema_path:
        place = document.key_origins.get((*path, error.instance), document.at(path))
        yield Finding(code, f"the key {show(error.instance)} can't stand in {where}", place, _hint(error))
        return
    yield Finding(code, f"{where}: {_words(error, path)}", document.at(path), _hint(error))


def _depth(error: Any) -> Any:
    """Prefer the branch that got furthest: it is the one that was meant."""
    return (-len(error.path), error.validator not in ("type", "const", "enum"))


def _words(error: Any, path: Path) -> str:
    value = show(error.instance, path)
    if error.validator == "type":
        expected = error.validator_value
        names = [expected] if isinstance(expected, str) else expected
        return f"{value} is not {' or '.join(_TYPES[name] for name in names)}"
    if error.validator in ("enum", "const"):
        return f"{value} is none of the values allowed here"
    if error.validator == "pattern":
        return f"{value} has not the form that is needed here"
    if error.validator in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        return f"{value} is out of range ({error.validator} {error.validator_value})"
    if error.validator in ("minItems", "minLength", "minProperties"):
        return "is empty" if not error.instance else f"has fewer than {error.validator_value} elements"
    if error.validator in ("maxItems", "maxLength", "maxProperties"):
        return f"has more than {error.validator_value} elements"
    if error.validator == "not":
        return "is not allowed here"
    if error.validator in ("anyOf", "oneOf"):
        return f"fits {'none' if error.context else 'more than one'} of the forms that are allowed here"
    if error.validator == "uniqueItems":
        return "has the same element twice"
    return f"{value} does not fit ({error.validator})"


def _hint(error: Any) -> str:
    if error.validator == "enum":
        return suggest(str(error.instance), [str(value) for value in error.validator_value], "allowed")
    if error.validator == "const":
        return f"write {error.validator_value!r}"
    if error.validator in ("anyOf", "oneOf"):
        forms = [" and ".join(form["required"]) for form in error.validator_value if "required" in form]
        return f"give one of these: {'; '.join(forms)}" if forms else "see `provisioner schema` for what is taken here"
    about: str = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    examples = error.schema.get("examples", []) if isinstance(error.schema, dict) else []
    if examples:
        about = f"{about}{'; ' if about else ''}for example {examples[0]!r}"
    return about or "see `provisioner schema` for what is taken here"


def suggest(word: str, known: Iterable[str], label: str) -> str:
    """`did you mean 'threshold'?`, or where nothing is near the list of them, the first ones if there are many."""
    names = sorted(known)
    if near := difflib.get_close_matches(word, names, n=1, cutoff=0.6):
        return f"did you mean {near[0]!r}?"
    more = [f"and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return f"{label}: {', '.join(names[:_LISTED] + more) or 'none'}"


def show(value: Any, path: Path = ()) -> str:
    """A value for a message: short, and never one that may be a secret, in its key's words or by its form.

    Lists and mappings are only called so: any of their values may be one.
    """
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if any(isinstance(key, str) and _SENSITIVE.search(key) for key in path) or _CREDENTIALS.search(str(value)):
        return "the value (hidden)"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

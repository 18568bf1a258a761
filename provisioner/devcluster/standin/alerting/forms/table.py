"""How one query, aggregation or search element is written out: a row of `Field`s, applied by `write`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Convert = Callable[[Any], Any]


class _Absent:
    """No value: neither sent by the client nor a default of the server."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


def same(value: Any) -> Any:
    """The value as sent."""
    return value


@dataclass(frozen=True, slots=True)
class Field:
    """One key of the server's form.

    `default` is what the server writes when the client sent nothing (`ABSENT`: it writes nothing), `aliases` are
    other keys under which a client may send it, and a value equal to `silent` is not written at all.
    """

    name: str
    default: Any = ABSENT
    convert: Convert = same
    aliases: tuple[str, ...] = ()
    silent: Any = ABSENT

    def read(self, sent: Mapping[str, Any]) -> Any:
        """What the client sent for this field, in the server's form, or the default."""
        for key in (self.name, *self.aliases):
            if key in sent:
                return self.convert(sent[key])
        return self.default() if callable(self.default) else self.default


Row = tuple[Field, ...]


def write(row: Row, sent: Mapping[str, Any]) -> dict[str, Any]:
    """`sent` in the order and with the defaults of `row`; keys that the row does not know follow unchanged."""
    form: dict[str, Any] = {}
    known: set[str] = set()
    for field in row:
        known.update((field.name, *field.aliases))
        value = field.read(sent)
        if value is not ABSENT and (field.silent is ABSENT or value != field.silent):
            form[field.name] = value
    return form | {key: value for key, value in sent.items() if key not in known}


# Conversions that several rows share.


def as_list(value: Any) -> list[Any]:
    """A list, also of a single value."""
    return list(value) if isinstance(value, list | tuple) else [value]


def floats(value: Any) -> list[float]:
    """Numbers as the server keeps them: doubles."""
    return [float(item) for item in as_list(value)]


def upper(value: Any) -> Any:
    """Names of constants are shown in capitals."""
    return value.upper() if isinstance(value, str) else value


def lower(value: Any) -> Any:
    """`default_operator` is shown in small letters."""
    return value.lower() if isinstance(value, str) else value


def fuzziness(value: Any) -> str:
    """`AUTO`, `AUTO:2,5` or a number, as text."""
    return str(value).upper()


def boosted_fields(value: Any) -> list[str]:
    """Fields with their boosts, sorted by name: `["b", "a^2"]` is shown as `["a^2.0", "b^1.0"]`."""
    boosts: dict[str, float] = {}
    for item in as_list(value):
        name, _, boost = str(item).partition("^")
        boosts[name] = float(boost) if boost else 1.0
    return [f"{name}^{boosts[name]}" for name in sorted(boosts)]


def script(value: Any) -> dict[str, Any]:
    """A script: `"x"` is shown as `{"source": "x", "lang": "painless"}`; empty `params` vanish."""
    if isinstance(value, str):
        return {"source": value, "lang": "painless"}
    form = dict(value)
    if "id" not in form:
        form = {"source": form.pop("source", form.pop("inline", "")), "lang": form.pop("lang", "painless"), **form}
    if not form.get("params", True):
        del form["params"]
    return form


def source_filter(value: Any) -> Any:
    """`_source`: a flag, a field, a list or `includes`/`excludes`."""
    if value is False:
        return False
    if value is True:
        return {"includes": [], "excludes": []}
    if isinstance(value, Mapping):
        includes = value.get("includes", value.get("include", []))
        excludes = value.get("excludes", value.get("exclude", []))
        return {"includes": as_list(includes), "excludes": as_list(excludes)}
    return {"includes": as_list(value), "excludes": []}


def fetch_fields(value: Any) -> list[dict[str, Any]]:
    """`fields` and `docvalue_fields`: names become `{"field": name}`."""
    return [{"field": item} if isinstance(item, str) else dict(item) for item in as_list(value)]


def script_fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """`script_fields` with their `ignore_failure`."""
    return {
        name: {"script": script(body["script"]), "ignore_failure": body.get("ignore_failure", False)}
        for name, body in value.items()
    }


def sort_clauses(value: Any) -> list[dict[str, Any]]:
    """`sort`: every clause as `{field: {"order": …}}`; `_score` falls by default, all else rises."""
    clauses: list[dict[str, Any]] = []
    for item in as_list(value):
        if isinstance(item, str):
            clauses.append({item: {"order": _default_order(item)}})
            continue
        for field, how in item.items():
            options = {"order": how} if isinstance(how, str) else dict(how)
            if field == "_script":
                options["script"] = script(options["script"])
            clauses.append({field: {"order": options.pop("order", _default_order(field)), **options}})
    return clauses


def _default_order(field: str) -> str:
    return "desc" if field == "_score" else "asc"


def each(convert: Convert) -> Convert:
    """The conversion for every item of a list (or for a single one)."""
    return lambda value: [convert(item) for item in as_list(value)]


def single_item(value: Mapping[str, Any], what: str) -> tuple[str, Any]:
    """Key and value of a one-key object.

    Raises:
        ValueError: the object has no key, or several.
    """
    if len(value) != 1:
        raise ValueError(f"a {what} is an object with one key, not {len(value)}")
    return next(iter(value.items()))


Rows = Mapping[str, Row]
Names = Sequence[str]

"""Queries in the server's form, as a table over the query types.

Measured on OpenSearch 3.4.0; `tests/unit/standin_alerting/forms.jsonl` holds what was sent and what the server showed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.forms.leaf_rows import (
    BY_FIELD,
    END,
    LEAVES,
    MAX_INT,
    MINIMUM,
    RANGE,
    RANGE_BOUNDS,
    REGEXP,
    REGEXP_FLAGS,
    UNMAPPED,
    flags,
)
from provisioner.devcluster.standin.alerting.forms.table import (
    ABSENT,
    Field,
    Row,
    as_list,
    each,
    fetch_fields,
    lower,
    script,
    script_fields,
    single_item,
    sort_clauses,
    source_filter,
    write,
)

Form = dict[str, Any]


def query(sent: Mapping[str, Any]) -> Form:
    """One query in the server's form.

    Raises:
        ValueError: `sent` is not an object with one key.
    """
    kind, body = single_item(sent, "query")
    if kind in SPECIAL:
        return {kind: SPECIAL[kind](body)}
    if kind in FLAT:
        return {kind: write(FLAT[kind], body)}
    if kind in BY_FIELD:
        return {kind: _by_field(BY_FIELD[kind], body)}
    return {kind: body}


def inner_hits(sent: Mapping[str, Any]) -> Form:
    """`inner_hits` of nested queries and of `collapse`."""
    return write(INNER_HITS, sent)


def _by_field(row: Row, body: Mapping[str, Any]) -> Form:
    """`{field: value}` or `{field: {…}}`; the row's first field is the value itself."""
    field, how = single_item(body, "query on one field")
    options = how if isinstance(how, Mapping) else {row[0].name: how}
    return {field: write(row, options)}


def _regexp(body: Mapping[str, Any]) -> Form:
    field, how = single_item(body, "regexp query")
    options = dict(how) if isinstance(how, Mapping) else {"value": how}
    if "flags" in options:
        options["flags_value"] = flags(REGEXP_FLAGS)(options.pop("flags"))
    return {field: write(REGEXP, options)}


def _range(body: Mapping[str, Any]) -> Form:
    """Bounds become `from`/`to` with `include_lower`/`include_upper`."""
    field, how = single_item({key: value for key, value in body.items() if key != "_name"}, "range query")
    form: Form = {"from": None, "to": None, "include_lower": True, "include_upper": True}
    rest: Form = {}
    for key, value in how.items():
        if key in RANGE_BOUNDS:
            side, closed = RANGE_BOUNDS[key]
            form[side] = value
            form["include_lower" if side == "from" else "include_upper"] = closed
        elif key in form:
            form[key] = value
        else:
            rest[key] = value
    return {field: form | write(RANGE, rest)}


def _terms(body: Mapping[str, Any]) -> Form:
    """The values stay where they are, `boost` beside them."""
    values = {key: value for key, value in body.items() if key not in ("boost", "_name")}
    return values | write(END, {key: value for key, value in body.items() if key not in values})


def _function_score(body: Mapping[str, Any]) -> Form:
    """A function beside the query joins the list of functions."""
    functions = [_function(item) for item in body.get("functions", [])]
    alone = {key: value for key, value in body.items() if key in SCORE_FUNCTIONS}
    if alone:
        functions.append(_function(alone))
    rest = {key: value for key, value in body.items() if key not in alone and key not in ("functions", "query")}
    inner = body.get("query", {"match_all": {}})
    return {"query": query(inner), "functions": functions} | write(FUNCTION_SCORE, rest)


def _function(sent: Mapping[str, Any]) -> Form:
    form: Form = {"filter": query(sent.get("filter", {"match_all": {}}))}
    if "weight" in sent:
        form["weight"] = float(sent["weight"])
    for kind, body in sent.items():
        if kind in DECAYS:
            form[kind] = {**body, "multi_value_mode": body.get("multi_value_mode", "MIN")}
        elif kind == "script_score":
            form[kind] = {**body, "script": script(body["script"])}
        elif kind == "field_value_factor":
            form[kind] = write(FIELD_VALUE_FACTOR, body)
        elif kind == "random_score":
            form[kind] = dict(body)
    return form


def _queries(value: Any) -> Any:
    """A list of queries; an empty one is not written."""
    return [query(item) for item in as_list(value)] or ABSENT


INNER = Field("inner_hits", convert=inner_hits)
QUERY = Field("query", convert=query)


FLAT: dict[str, Row] = {
    **LEAVES,
    "bool": (
        Field("must", convert=_queries),
        Field("filter", convert=_queries),
        Field("must_not", convert=_queries, aliases=("mustNot",)),
        Field("should", convert=_queries),
        Field("adjust_pure_negative", True),
        MINIMUM,
        *END,
    ),
    "constant_score": (Field("filter", convert=query), *END),
    "boosting": (
        Field("positive", convert=query),
        Field("negative", convert=query),
        Field("negative_boost", convert=float),
        *END,
    ),
    "dis_max": (Field("tie_breaker", 0.0, float), Field("queries", convert=each(query)), *END),
    "nested": (QUERY, Field("path"), UNMAPPED, Field("score_mode", "avg"), *END, INNER),
    "has_child": (
        QUERY,
        Field("type"),
        Field("score_mode", "none"),
        Field("min_children", 1),
        Field("max_children", MAX_INT),
        UNMAPPED,
        *END,
        INNER,
    ),
    "has_parent": (QUERY, Field("parent_type"), Field("score", False), UNMAPPED, *END, INNER),
    "script_score": (QUERY, Field("script", convert=script), Field("min_score", convert=float), *END),
    "span_near": (Field("clauses", convert=each(query)), Field("slop", 0), Field("in_order", True), *END),
    "span_or": (Field("clauses", convert=each(query)), *END),
    "span_not": (
        Field("include", convert=query),
        Field("exclude", convert=query),
        Field("pre", 0),
        Field("post", 0),
        *END,
    ),
    "span_first": (Field("match", convert=query), Field("end"), *END),
    "span_multi": (Field("match", convert=query), *END),
}

FUNCTION_SCORE: Row = (
    Field("score_mode", "multiply"),
    Field("boost_mode"),
    Field("max_boost", 3.4028235e38, float),
    Field("min_score", convert=float),
    *END,
)
FIELD_VALUE_FACTOR: Row = (
    Field("field"),
    Field("factor", 1.0, float),
    Field("missing", convert=float),
    Field("modifier", "none", lower),
)
DECAYS = ("gauss", "linear", "exp")
SCORE_FUNCTIONS = (*DECAYS, "weight", "script_score", "field_value_factor", "random_score")
INNER_HITS: Row = (
    Field("name"),
    UNMAPPED,
    Field("from", 0),
    Field("size", 3),
    Field("version", False),
    Field("seq_no_primary_term", False),
    Field("explain", False),
    Field("track_scores", False),
    Field("stored_fields"),
    Field("_source", convert=source_filter),
    Field("docvalue_fields", convert=fetch_fields),
    Field("fields", convert=fetch_fields),
    Field("script_fields", convert=script_fields),
    Field("sort", convert=sort_clauses),
    Field("highlight"),
    Field("collapse"),
)

SPECIAL: dict[str, Callable[[Mapping[str, Any]], Form]] = {
    "range": _range,
    "regexp": _regexp,
    "terms": _terms,
    "function_score": _function_score,
}

"""Queries in the server's form, as a table over the query types.

Measured on OpenSearch 3.4.0; `tests/unit/standin_alerting/forms.jsonl` holds what was sent and what the server showed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.forms.table import (
    ABSENT,
    Field,
    Row,
    as_list,
    boosted_fields,
    each,
    fetch_fields,
    fuzziness,
    lower,
    script,
    script_fields,
    single_item,
    sort_clauses,
    source_filter,
    upper,
    write,
)

Form = dict[str, Any]
BOOST = Field("boost", 1.0, float)
NAME = Field("_name")
END: Row = (BOOST, NAME)
ANY_CASE = Field("case_insensitive", silent=False)
MAX_INT = 2**31 - 1
REGEXP_FLAGS = {
    "INTERSECTION": 0x0001,
    "ANYSTRING": 0x0008,
    "EMPTY": 0x0004,
    "COMPLEMENT": 0x10000,
    "INTERVAL": 0x0020,
    "AUTOMATON": 0x0010,
    "NONE": 0,
    "ALL": 0x00FF,
}
SIMPLE_FLAGS = {
    "ALL": -1,
    "NONE": 0,
    "AND": 1,
    "NOT": 2,
    "OR": 4,
    "PREFIX": 8,
    "PHRASE": 16,
    "PRECEDENCE": 32,
    "ESCAPE": 64,
    "WHITESPACE": 128,
    "FUZZY": 256,
    "NEAR": 512,
    "SLOP": 512,
}


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


def _flags(names: Mapping[str, int]) -> Callable[[Any], int]:
    """Flags as the number that the server shows: `"AND|OR"` is 5."""

    def convert(value: Any) -> int:
        if isinstance(value, int):
            return value
        total = 0
        for name in str(value).split("|"):
            total |= names[name.strip().upper()]
        return total

    return convert


def _by_field(row: Row, body: Mapping[str, Any]) -> Form:
    """`{field: value}` or `{field: {…}}`; the row's first field is the value itself."""
    field, how = single_item(body, "query on one field")
    options = how if isinstance(how, Mapping) else {row[0].name: how}
    return {field: write(row, options)}


def _regexp(body: Mapping[str, Any]) -> Form:
    field, how = single_item(body, "regexp query")
    options = dict(how) if isinstance(how, Mapping) else {"value": how}
    if "flags" in options:
        options["flags_value"] = _flags(REGEXP_FLAGS)(options.pop("flags"))
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


def _ids(value: Any) -> list[str]:
    return sorted({str(item) for item in as_list(value)})


FUZZY_OPTIONS: Row = (Field("fuzziness", convert=fuzziness), Field("prefix_length", 0), Field("max_expansions", 50))
MINIMUM = Field("minimum_should_match", convert=str)
SYNONYMS = Field("auto_generate_synonyms_phrase_query", True)
TRANSPOSITIONS = Field("fuzzy_transpositions", True)
ZERO_TERMS = Field("zero_terms_query", "NONE", upper)
REWRITE = Field("rewrite")
ANALYZER = Field("analyzer")
UNMAPPED = Field("ignore_unmapped", False)
INNER = Field("inner_hits", convert=inner_hits)
QUERY = Field("query", convert=query)

BY_FIELD: dict[str, Row] = {
    "match": (
        Field("query"),
        Field("operator", "OR", upper),
        ANALYZER,
        *FUZZY_OPTIONS,
        MINIMUM,
        Field("fuzzy_rewrite"),
        TRANSPOSITIONS,
        Field("lenient", False),
        ZERO_TERMS,
        SYNONYMS,
        *END,
    ),
    "match_phrase": (Field("query"), ANALYZER, Field("slop", 0), ZERO_TERMS, *END),
    "match_phrase_prefix": (Field("query"), ANALYZER, Field("slop", 0), Field("max_expansions", 50), ZERO_TERMS, *END),
    "match_bool_prefix": (
        Field("query"),
        ANALYZER,
        Field("operator", "OR", upper),
        MINIMUM,
        *FUZZY_OPTIONS,
        TRANSPOSITIONS,
        Field("fuzzy_rewrite"),
        *END,
    ),
    "term": (Field("value"), ANY_CASE, *END),
    "prefix": (Field("value"), REWRITE, ANY_CASE, *END),
    "wildcard": (Field("wildcard", aliases=("value",)), REWRITE, ANY_CASE, *END),
    "fuzzy": (
        Field("value"),
        Field("fuzziness", "AUTO", fuzziness),
        Field("prefix_length", 0),
        Field("max_expansions", 50),
        Field("transpositions", True),
        REWRITE,
        *END,
    ),
    "terms_set": (
        Field("terms"),
        Field("minimum_should_match_field"),
        Field("minimum_should_match_script", convert=script),
        *END,
    ),
    "span_term": (Field("value", aliases=("term",)), *END),
}

FLAT: dict[str, Row] = {
    "match_all": END,
    "match_none": END,
    "exists": (Field("field"), *END),
    "ids": (Field("values", convert=_ids), *END),
    "multi_match": (
        Field("query"),
        Field("fields", list, boosted_fields),
        Field("type", "best_fields"),
        Field("operator", "OR", upper),
        ANALYZER,
        Field("slop", 0),
        *FUZZY_OPTIONS,
        MINIMUM,
        Field("fuzzy_rewrite"),
        Field("tie_breaker", convert=float),
        Field("lenient"),
        ZERO_TERMS,
        SYNONYMS,
        TRANSPOSITIONS,
        *END,
    ),
    "combined_fields": (
        Field("query"),
        Field("fields", convert=boosted_fields),
        Field("operator", "OR", upper),
        MINIMUM,
        *END,
    ),
    "query_string": (
        Field("query"),
        Field("default_field"),
        Field("fields", list, boosted_fields),
        Field("type", "best_fields"),
        Field("tie_breaker", convert=float),
        Field("default_operator", "or", lower),
        ANALYZER,
        Field("quote_analyzer"),
        Field("max_determinized_states", 10000),
        Field("allow_leading_wildcard"),
        Field("enable_position_increments", True),
        Field("fuzziness", "AUTO", fuzziness),
        Field("fuzzy_prefix_length", 0),
        Field("fuzzy_max_expansions", 50),
        Field("fuzzy_rewrite"),
        Field("phrase_slop", 0),
        Field("analyze_wildcard"),
        REWRITE,
        MINIMUM,
        Field("quote_field_suffix"),
        Field("lenient"),
        Field("time_zone"),
        Field("escape", False),
        SYNONYMS,
        TRANSPOSITIONS,
        *END,
    ),
    "simple_query_string": (
        Field("query"),
        Field("fields", convert=boosted_fields),
        ANALYZER,
        Field("flags", -1, _flags(SIMPLE_FLAGS)),
        Field("default_operator", "or", lower),
        Field("lenient"),
        Field("analyze_wildcard", False),
        Field("quote_field_suffix"),
        MINIMUM,
        SYNONYMS,
        Field("fuzzy_prefix_length", 0),
        Field("fuzzy_max_expansions", 50),
        TRANSPOSITIONS,
        *END,
    ),
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
    "parent_id": (Field("type"), Field("id"), UNMAPPED, *END),
    "script": (Field("script", convert=script), *END),
    "script_score": (QUERY, Field("script", convert=script), Field("min_score", convert=float), *END),
    "distance_feature": (Field("field"), Field("origin"), Field("pivot"), *END),
    "more_like_this": (
        Field("fields"),
        Field("like", convert=as_list),
        Field("unlike", convert=as_list),
        Field("max_query_terms", 25),
        Field("min_term_freq", 2),
        Field("min_doc_freq", 5),
        Field("max_doc_freq", MAX_INT),
        Field("min_word_length", 0),
        Field("max_word_length", 0),
        Field("stop_words"),
        ANALYZER,
        Field("minimum_should_match", "30%", str),
        Field("boost_terms", 0.0, float),
        Field("include", False),
        Field("fail_on_unsupported_field", True),
        *END,
    ),
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

REGEXP: Row = (
    Field("value"),
    Field("flags_value", 255),
    ANY_CASE,
    Field("max_determinized_states", 10000),
    REWRITE,
    *END,
)
RANGE_BOUNDS = {
    "gte": ("from", True),
    "gt": ("from", False),
    "lte": ("to", True),
    "lt": ("to", False),
    "ge": ("from", True),
    "le": ("to", True),
}
RANGE: Row = (Field("time_zone"), Field("format"), Field("relation", convert=upper), *END)
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

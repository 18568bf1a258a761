"""Rows of queries that hold no other query."""

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.forms.table import (
    Field,
    Row,
    as_list,
    boosted_fields,
    fuzziness,
    lower,
    script,
    upper,
)

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


def flags(names: Mapping[str, int]) -> Callable[[Any], int]:
    """Flags as the number that the server shows: `"AND|OR"` is 5."""

    def convert(value: Any) -> int:
        if isinstance(value, int):
            return value
        total = 0
        for name in str(value).split("|"):
            total |= names[name.strip().upper()]
        return total

    return convert


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

# Options of the query itself, not of a field.
LEAVES: dict[str, Row] = {
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
        Field("flags", -1, flags(SIMPLE_FLAGS)),
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
    "parent_id": (Field("type"), Field("id"), UNMAPPED, *END),
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
    "script": (Field("script", convert=script), *END),
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

"""A whole search request body in the server's form."""

from collections.abc import Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.forms.aggregations import SUB_KEYS, aggregations
from provisioner.devcluster.standin.alerting.forms.queries import inner_hits, query
from provisioner.devcluster.standin.alerting.forms.table import (
    Field,
    Row,
    as_list,
    each,
    fetch_fields,
    script_fields,
    sort_clauses,
    source_filter,
    write,
)

UNLIMITED = 2**31 - 1


def search_source(sent: Mapping[str, Any]) -> dict[str, Any]:
    """A search body in the form that OpenSearch shows; applying it twice changes nothing.

    Raises:
        ValueError: a query or aggregation is not an object with one type. The node refuses such a body, so the
            stand-in asks it first.
    """
    named = {"aggregations" if key in SUB_KEYS else key: value for key, value in sent.items()}
    if not named.get("aggregations", True):
        del named["aggregations"]
    return write(SOURCE, named)


def _total_hits(value: Any) -> int:
    if isinstance(value, bool):
        return UNLIMITED if value else -1
    return int(value)


def _rescore(value: Any) -> list[dict[str, Any]]:
    return [write((Field("window_size"), Field("query", convert=_rescore_query)), item) for item in as_list(value)]


def _rescore_query(sent: Mapping[str, Any]) -> dict[str, Any]:
    return write(RESCORE_QUERY, sent)


def _stored_fields(value: Any) -> Any:
    """A single stored field is shown without its list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


RESCORE_QUERY: Row = (
    Field("rescore_query", convert=query),
    Field("query_weight", 1.0, float),
    Field("rescore_query_weight", 1.0, float),
    Field("score_mode", "total"),
)
COLLAPSE: Row = (
    Field("field"),
    Field("max_concurrent_group_searches"),
    Field(
        "inner_hits",
        convert=lambda value: [inner_hits(item) for item in value] if isinstance(value, list) else inner_hits(value),
    ),
)
SOURCE: Row = (
    Field("from"),
    Field("size"),
    Field("timeout"),
    Field("terminate_after"),
    Field("query", convert=query),
    Field("post_filter", convert=query),
    Field("min_score", convert=float),
    Field("version"),
    Field("seq_no_primary_term"),
    Field("explain"),
    Field("profile", silent=False),
    Field("_source", convert=source_filter),
    Field("stored_fields", convert=_stored_fields),
    Field("docvalue_fields", convert=fetch_fields),
    Field("fields", convert=fetch_fields),
    Field("script_fields", convert=script_fields),
    Field("sort", convert=sort_clauses),
    Field("track_scores"),
    Field("track_total_hits", convert=_total_hits),
    Field("indices_boost", convert=each(lambda item: {index: float(boost) for index, boost in item.items()})),
    Field("aggregations", convert=aggregations),
    Field("highlight"),
    Field("suggest"),
    Field("rescore", convert=_rescore),
    Field("stats"),
    Field("search_after"),
    Field("slice"),
    Field("collapse", convert=lambda value: write(COLLAPSE, value)),
)

"""Aggregations in the server's form, as a table over the aggregation types. Measured like `queries.py`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.forms.queries import query
from provisioner.devcluster.standin.alerting.forms.table import (
    Field,
    Row,
    as_list,
    each,
    fetch_fields,
    floats,
    script,
    script_fields,
    single_item,
    sort_clauses,
    source_filter,
    upper,
    write,
)

Form = dict[str, Any]
SUB_KEYS = ("aggs", "aggregations")
MILLIS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
PERCENTS = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0]


def aggregations(sent: Mapping[str, Any]) -> Form:
    """`{name: aggregation}` in the server's form.

    Raises:
        ValueError: an aggregation has no type, or several.
    """
    return {name: aggregation(body) for name, body in sent.items()}


def aggregation(sent: Mapping[str, Any]) -> Form:
    """One aggregation: `meta` first, then the type, then its sub-aggregations under their long name."""
    typed = {key: value for key, value in sent.items() if key not in (*SUB_KEYS, "meta")}
    kind, body = single_item(typed, "aggregation")
    form: Form = {"meta": sent["meta"]} if "meta" in sent else {}
    if kind in SPECIAL:
        form[kind] = SPECIAL[kind](body)
    elif kind in ROWS:
        form[kind] = write(ROWS[kind], body)
    else:
        form[kind] = body
    subs = next((sent[key] for key in SUB_KEYS if sent.get(key)), None)
    if subs:
        form["aggregations"] = aggregations(subs)
    return form


def buckets_path_map(value: Any) -> Form:
    """`buckets_path` of the scripted pipeline aggregations, always as an object."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        return {"_value": value}
    return {f"_value{position}": path for position, path in enumerate(value)}


def _order(value: Any) -> Any:
    """Bucket order; ties are broken by rising key, which the server writes out."""
    orders = [dict(item) for item in as_list(value)]
    if "_key" in orders[-1] or "_term" in orders[-1]:
        return orders[0] if len(orders) == 1 else orders
    return [*orders, {"_key": "asc"}]


def _offset(value: Any) -> int:
    """An offset in milliseconds: `"+6h"` is 21600000."""
    if isinstance(value, int):
        return value
    sign, number, unit = re.fullmatch(r"([+-]?)(\d+)([a-z]+)", value).groups()  # type: ignore[union-attr]
    return int(number) * MILLIS[unit] * (-1 if sign == "-" else 1)


def _bounds(value: Mapping[str, Any]) -> Form:
    return {key: float(bound) for key, bound in value.items()}


def _numeric_ranges(value: Any) -> list[Form]:
    return [write((Field("key"), Field("from", convert=float), Field("to", convert=float)), item) for item in value]


def _filters(body: Mapping[str, Any]) -> Form:
    """Named or anonymous filters; naming the other bucket switches it on."""
    given = body.get("filters", {})
    filters = {name: query(item) for name, item in given.items()} if isinstance(given, Mapping) else each(query)(given)
    other = body.get("other_bucket", "other_bucket_key" in body)
    return {"filters": filters, "other_bucket": other, "other_bucket_key": body.get("other_bucket_key", "_other_")}


def _composite(body: Mapping[str, Any]) -> Form:
    sources = body["sources"]
    named = [{name: how} for name, how in sources.items()] if isinstance(sources, Mapping) else sources
    return write(
        (Field("size", 10), Field("sources", convert=each(_composite_source)), Field("after")),
        {**body, "sources": named},
    )


def _composite_source(sent: Mapping[str, Any]) -> Form:
    name, how = single_item(sent, "composite source")
    kind, body = single_item(how, "composite source")
    # The server's form has no `offset` for a date histogram source, so a monitor loses it.
    kept = {key: value for key, value in body.items() if key != "offset"}
    return {name: {kind: write(COMPOSITE_SOURCES.get(kind, SOURCE), kept)}}


def _percentiles(row: Row) -> Callable[[Mapping[str, Any]], Form]:
    """Percentiles show their method: t-digest unless HDR was asked for."""

    def form(body: Mapping[str, Any]) -> Form:
        written = write(row, body)
        if "hdr" not in body:
            written["tdigest"] = {"compression": float(body.get("tdigest", {}).get("compression", 100.0))}
        return written

    return form


VALUES: Row = (
    Field("field"),
    Field("missing"),
    Field("format"),
    Field("time_zone"),
    Field("script", convert=script),
    Field("value_type"),
)
ORDER_COUNT = Field("order", lambda: [{"_count": "desc"}, {"_key": "asc"}], _order)
ORDER_KEY = Field("order", lambda: {"_key": "asc"}, _order)
BUCKET_COUNTS: Row = (
    Field("size", 10),
    Field("shard_size"),
    Field("min_doc_count", 1),
    Field("shard_min_doc_count", 0),
    Field("show_term_doc_count_error", False),
)
METRIC_TYPES = (
    "avg",
    "sum",
    "min",
    "max",
    "value_count",
    "stats",
    "cardinality",
    "geo_centroid",
    "missing",
    "significant_terms",
)
KEYED = Field("keyed", False)
PATHS = Field("buckets_path", convert=as_list)
PATH_MAP = Field("buckets_path", convert=buckets_path_map)
FORMAT = Field("format")
GAPS = Field("gap_policy", "skip")
SCRIPT = Field("script", convert=script)
SIBLINGS = ("avg_bucket", "max_bucket", "min_bucket", "sum_bucket", "stats_bucket")

ROWS: dict[str, Row] = {
    **dict.fromkeys(METRIC_TYPES, VALUES),
    **dict.fromkeys(SIBLINGS, (PATHS, FORMAT, GAPS)),
    "terms": (
        *VALUES,
        *BUCKET_COUNTS,
        Field("execution_hint"),
        ORDER_COUNT,
        Field("collect_mode"),
        Field("include"),
        Field("exclude"),
    ),
    "rare_terms": (
        *VALUES,
        Field("include"),
        Field("exclude"),
        Field("max_doc_count", 1),
        Field("precision", 0.001),
    ),
    "multi_terms": (
        Field("terms", convert=each(lambda item: write((Field("missing"), Field("field")), item))),
        *BUCKET_COUNTS,
        ORDER_COUNT,
        Field("collect_mode"),
    ),
    "date_histogram": (
        *VALUES,
        Field("interval"),
        Field("calendar_interval"),
        Field("fixed_interval"),
        Field("offset", 0, _offset),
        ORDER_KEY,
        KEYED,
        Field("min_doc_count", 0),
        Field("extended_bounds"),
        Field("hard_bounds"),
    ),
    "auto_date_histogram": (*VALUES, Field("buckets", 10), Field("minimum_interval", None)),
    "histogram": (
        *VALUES,
        Field("interval", convert=float),
        Field("offset", 0.0, float),
        ORDER_KEY,
        KEYED,
        Field("min_doc_count", 0),
        Field("extended_bounds", convert=_bounds),
        Field("hard_bounds", convert=_bounds),
    ),
    "variable_width_histogram": (*VALUES, Field("buckets", 10)),
    "date_range": (*VALUES, Field("ranges"), KEYED),
    "range": (*VALUES, Field("ranges", convert=_numeric_ranges), KEYED),
    "adjacency_matrix": (
        Field("separator", "&"),
        Field("show_only_intersecting", False),
        Field("filters", convert=lambda filters: {name: query(item) for name, item in filters.items()}),
    ),
    "sampler": (Field("shard_size", 100),),
    "extended_stats": (*VALUES, Field("sigma", 2.0, float)),
    "median_absolute_deviation": (*VALUES, Field("compression", 1000.0, float)),
    "matrix_stats": (Field("fields"), Field("mode", "AVG", upper)),
    "geo_bounds": (*VALUES, Field("wrap_longitude", True)),
    "geotile_grid": (*VALUES, Field("precision", 7), Field("size", 10000)),
    "geohash_grid": (*VALUES, Field("precision", 5), Field("size", 10000)),
    "top_hits": (
        Field("from", 0),
        Field("size", 3),
        Field("version", False),
        Field("seq_no_primary_term", False),
        Field("explain", False),
        Field("_source", convert=source_filter),
        Field("stored_fields"),
        Field("docvalue_fields", convert=fetch_fields),
        Field("fields", convert=fetch_fields),
        Field("script_fields", convert=script_fields),
        Field("sort", convert=sort_clauses),
        Field("track_scores", silent=False),
        Field("highlight"),
    ),
    "scripted_metric": (
        *(Field(f"{phase}_script", convert=script) for phase in ("init", "map", "combine", "reduce")),
        Field("params"),
    ),
    "bucket_selector": (PATH_MAP, SCRIPT, GAPS),
    "bucket_script": (PATH_MAP, SCRIPT, FORMAT, GAPS),
    "bucket_sort": (
        Field("sort", list, sort_clauses),
        Field("from", 0),
        Field("size"),
        Field("gap_policy", "SKIP", upper),
    ),
    "derivative": (PATHS, FORMAT, GAPS, Field("unit")),
    "cumulative_sum": (PATHS, FORMAT),
    "moving_fn": (Field("buckets_path"), SCRIPT, FORMAT, GAPS, Field("window"), Field("shift", 0)),
    "serial_diff": (PATHS, FORMAT, GAPS, Field("lag", 1)),
    "moving_avg": (PATHS, FORMAT, GAPS, Field("model", "simple"), Field("window", 5)),
    "extended_stats_bucket": (PATHS, FORMAT, GAPS, Field("sigma", 2.0, float)),
    "percentiles_bucket": (
        PATHS,
        FORMAT,
        GAPS,
        Field("percents", lambda: list(PERCENTS), floats),
        Field("keyed", True),
    ),
}

SOURCE: Row = (
    Field("field"),
    Field("script", convert=script),
    Field("missing_bucket", False),
    Field("missing_order"),
    Field("value_type"),
    Field("format"),
    Field("order", "asc"),
)
COMPOSITE_SOURCES: dict[str, Row] = {
    "terms": SOURCE,
    "date_histogram": (
        *SOURCE,
        Field("interval"),
        Field("calendar_interval"),
        Field("fixed_interval"),
        Field("time_zone"),
    ),
    "histogram": (*SOURCE, Field("interval", convert=float)),
    "geotile_grid": (*SOURCE, Field("precision", 7)),
}

SPECIAL: dict[str, Callable[[Mapping[str, Any]], Form]] = {
    "filter": query,
    "filters": _filters,
    "composite": _composite,
    "percentiles": _percentiles(
        (
            *VALUES,
            Field("percents", lambda: list(PERCENTS), floats),
            Field("keyed", True),
            Field("tdigest"),
            Field("hdr"),
        )
    ),
    "percentile_ranks": _percentiles(
        (*VALUES, Field("values", convert=floats), Field("keyed", True), Field("tdigest"), Field("hdr"))
    ),
}

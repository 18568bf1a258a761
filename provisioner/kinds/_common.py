"""What several kinds share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.errors import ApiError

if TYPE_CHECKING:
    from provisioner.client import Client

_BROUGHT_ALONG = frozenset(
    {
        "query_insights_top_queries_template",
        "ss4o_logs_template",
        "ss4o_metrics_template",
        "ss4o_traces_template",
    }
)
"""Templates of the Query Insights and Observability plugins (read): made at every start, without a dot."""


def is_system(name: str) -> bool:
    """Whether the server, or a plugin of it, made this by itself: such names begin with a dot."""
    return name.startswith(".") or name in _BROUGHT_ALONG


def delete_if_there(client: Client, path: str) -> None:
    """DELETE; a 404 is fine: it is gone already."""
    try:
        client.request("DELETE", path)
    except ApiError as error:
        if error.status != 404:
            raise

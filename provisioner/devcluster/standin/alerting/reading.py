"""Reading request bodies as the Alerting plugin does."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from provisioner.devcluster.standin.alerting.errors import unparsable
from provisioner.devcluster.standin.alerting.model import Json
from provisioner.devcluster.standin.errors import OpenSearchError
from provisioner.devcluster.standin.located import expect_object, token_of
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.rest import parsed


async def json_object(request: Request, node: Node) -> Json:
    """The body, which must be an object. Raises 400 for none, for what is not JSON, and for another kind of value."""
    return await parsed(request, node, lambda body: expect_object(body, ()))


def wrong_token(wanted: str, found: Any) -> OpenSearchError:
    """500: another kind of JSON value stands where `wanted` (`START_OBJECT`, `START_ARRAY`) should."""
    return unparsable(f"Failed to parse object: expecting token of type [{wanted}] but found [{token_of(found)}]")

"""What a part of the stand-in offers, and what the parts offer to each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


class Plugin(Protocol):
    """One OpenSearch plugin that the stand-in answers for; `name` is empty for a part that is none by itself.

    `routes` are asked before anything goes to the node. An endpoint may raise `errors.StandInError`: the app turns it
    into the answer. `start` is called once the node answers, before the port opens; `stop` on shutdown.
    """

    name: str

    def routes(self) -> list[Route]:
        """Build the routes, with `route` below."""
        ...

    async def start(self) -> None:
        """Start background work (schedules); the node is up."""
        ...

    async def stop(self) -> None:
        """Stop background work and wait for it."""
        ...


class SettingsReader(Protocol):
    """Where the plugin's cluster settings are read."""

    async def get(self, name: str) -> Any:
        """A setting's value, or None."""
        ...


class PluginRoute(Route):
    """A route of a plugin. `action` is what the real plugin does behind it, by the name under which the security plugin
    permits it; None where the node itself decides."""

    action: str | None = None


class Shared(PluginRoute):
    """A route on a path of the node's own: what its methods don't take goes to the node, not to a 405."""


def route(
    path: str, endpoint: Endpoint, methods: Iterable[str], *, action: str | None = None, shared: bool = False
) -> Route:
    """A route that takes exactly `methods`. Starlette would add HEAD to every GET; OpenSearch does not."""
    made = (Shared if shared else PluginRoute)(path, endpoint, methods=list(methods))
    made.methods = set(methods)
    made.action = action
    return made


@dataclass(frozen=True)
class SendResult:
    """What became of one message.

    `status` is an HTTP status (the receiver's, or the one that the real plugin gives a failure), `text` the receiver's
    answer or the failure in words. `event` is what the Notifications plugin reports on the sending:
    `{"event_source": {...}, "status_list": [{"config_id", "config_type", "config_name", "email_recipient_status",
    "delivery_status": {"status_code", "status_text"}}]}`. `error` is the error body of a failed sending, else None.
    """

    status: int
    text: str
    event: dict[str, Any]
    error: dict[str, Any] | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver took the message."""
        return self.error is None and 200 <= self.status < 300


class Notifier(Protocol):
    """Sends messages through configured channels. Alerting and ISM use it, Notifications is it."""

    async def send(self, channel_id: str, subject: str, message: str, *, severity: str = "info") -> SendResult:
        """Send now, to every recipient. Never raises for a channel or receiver that fails: see `SendResult.error`.

        A missing channel gives status 404, a disabled one 423, a config that can't send (email_group) 400.
        """
        ...

    async def exists(self, channel_id: str) -> bool:
        """Whether a config of that id is stored, of whatever type."""
        ...

    async def config(self, channel_id: str) -> dict[str, Any] | None:
        """The config as GET shows it (`{"name", "config_type", "is_enabled", <type>: {...}}`), None if there is none.

        It holds secrets in clear.
        """
        ...

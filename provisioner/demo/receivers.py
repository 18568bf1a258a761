"""A web server and a mail server on this machine that keep what they get: where the demo's notifications arrive."""

from __future__ import annotations

import email
import email.policy
import http.server
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from provisioner.demo.errors import DemoError

if TYPE_CHECKING:
    from asyncio import AbstractServer
    from collections.abc import Awaitable, Callable, Mapping

HOST = "127.0.0.1"
LARGEST = 1_000_000  # bytes; OpenSearch's own messages are a few KB
_TRIED = 50
_Bound = TypeVar("_Bound")


@dataclass(frozen=True, slots=True)
class Post:
    """A request that the web server got."""

    at: datetime
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that the mail server got; `text` is its plain part."""

    at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str


@dataclass(slots=True)
class Receivers:
    """Both servers, from `open` to `close`.

    Ports are those of the loopback address: before `open` the ones wanted, then the ones in use.
    """

    http_port: int
    smtp_port: int
    posts: list[Post] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    _web: http.server.ThreadingHTTPServer | None = None
    _mail: Any = None

    @property
    def http(self) -> str:
        """Address of the web server."""
        return f"http://{HOST}:{self.http_port}"

    @property
    def smtp(self) -> str:
        """Host and port of the mail server."""
        return f"{HOST}:{self.smtp_port}"

    def open(self) -> None:
        """Start both, each at the port wanted or at the next free one. Raises DemoError where none is."""
        handler = _handler(self.posts)
        self.http_port, web = _bound(self.http_port, lambda port: _WebServer((HOST, port), handler), "--http-port")
        self._web = web
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        try:
            self.smtp_port, listening = _bound(
                self.smtp_port, lambda port: socket.create_server((HOST, port)), "--smtp-port"
            )
            self._mail = _MailServer(_MailHandler(self.mails), listening)
            self._mail.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop both; fine if they are."""
        if self._web:
            self._web.shutdown()
            self._web.server_close()
            self._web = None
        if self._mail:
            self._mail.stop(no_assert=True)
            self._mail = None


def _bound(wanted: int, bind: Callable[[int], _Bound], option: str) -> tuple[int, _Bound]:
    """The port wanted, or the next that can be had, with what `bind` made of it: nobody else can take it then."""
    for port in range(wanted, wanted + _TRIED):
        try:
            return port, bind(port)
        except OSError as error:
            problem = error
    raise DemoError(
        f"no port from {wanted} to {wanted + _TRIED - 1} can be used: {problem.strerror}", f"choose another by {option}"
    ) from None


class _WebServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a sender that hangs up."""


def _handler(posts: list[Post]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Keeps every request with a body and answers 200."""

        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LARGEST:
                self.send_error(411 if not length.isdecimal() else 413)
                return
            body = self.rfile.read(int(length)).decode(errors="replace")
            posts.append(Post(datetime.now(UTC), self.path, dict(self.headers.items()), body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        do_PUT = do_PATCH = do_POST  # noqa: N815 (the names that http.server looks for)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in http.server)
            """Not onto the terminal: the story tells what arrived."""

    return Handler


class _LongLines(SMTP):
    """SMTP that takes lines of any length: those of a log may exceed the 998 characters of RFC 5321."""

    line_length_limit = LARGEST


class _MailServer(Controller):
    """A mail server at a socket that listens already: aiosmtpd's own takes five seconds to say that a port is taken."""

    def __init__(self, handler: _MailHandler, listening: socket.socket) -> None:
        host, port = listening.getsockname()
        super().__init__(handler, hostname=host, port=port)
        self._listening = listening

    def _create_server(self) -> Awaitable[AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)

    def factory(self) -> SMTP:
        return _LongLines(self.handler, data_size_limit=LARGEST)


class _MailHandler:
    """Keeps every message."""

    def __init__(self, mails: list[Mail]) -> None:
        self._mails = mails

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = message.get_body(("plain", "html"))
        text = str(part.get_content()) if part else ""
        self._mails.append(
            Mail(
                datetime.now(UTC),
                str(envelope.mail_from),
                tuple(envelope.rcpt_tos),
                str(message["subject"] or ""),
                text,
            )
        )
        return "250 OK"

"""Secrets that a document holds in plain text (DOC005): whoever reads the repository has them, for ever.

Only where a kind masks what the server shows, and only what is a credential there, so that a plain address needs no
detour:

- The address of a Slack, Chime or Teams channel is its only credential, and so is one of a service whose addresses are
  made that way. This machine, and names reserved for examples (RFC 2606, RFC 6761), are nobody's: they may stand.
- Any other address holds a credential where it has a password, a parameter with a telling name, or a part that nobody
  would make up: a UUID, or twenty letters and digits in a row.
- A header or parameter holds one by its name: `Authorization`, `X-Api-Key`, but not `Content-Type`.
- A password always is one. The hash of one is made to be kept in files, so it may stand.

Documents are looked at besides what becomes of them: a target with `catch` replaces the addresses of channels.
"""

from __future__ import annotations

import ipaddress
import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from provisioner import secretrefs
from provisioner.model import Finding
from provisioner.secretplaces import PLACES, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.model import Body, Document, Origin, Resource, SecretPaths

_CHATS = frozenset({"slack", "chime", "microsoft_teams"})
_SERVICES = re.compile(
    r"(?:^|\.)(?:hooks\.slack\.com|hooks\.chime\.aws|webhook\.office\.com|outlook\.office\.com|logic\.azure\.com"
    r"|environment\.api\.powerplatform\.com|discord(?:app)?\.com|chat\.googleapis\.com|hooks\.zapier\.com"
    r"|maker\.ifttt\.com|api\.telegram\.org|webhook\.site)$"
)
"""Hosts where knowing an address is the permission to use it."""
_NOBODYS = re.compile(r"(?:^|\.)(?:localhost|test|example|invalid|example\.(?:com|net|org))$")
_TELLING = re.compile(
    r"(?:^|[-_.])(?:(?:proxy)?authorization|auth|cookie|token|secret|password|passwd|pwd|sig|signature|credentials?)"
    r"(?:$|[-_.])|(?:^|[-_.])(?:api|access|account|auth|client|functions?|integration|license|private|routing|secret"
    r"|service|shared|subscription)[-_.]?(?:key|token|secret)(?:$|[-_.])|^(?:key|code)$",
    re.IGNORECASE,
)
_OWN = "an address that is its own credential"
_MADE_UP_BY_NOBODY = re.compile(
    r"(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{20,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)


def plain(resources: Iterable[Resource], documents: Iterable[Document] = ()) -> list[Finding]:
    """A finding for each credential that stands in a document, or comes from a template, in plain text."""
    channels = [document for document in documents if document.kind == "channel"]
    written = (_findings("channel", _channel(each.body), each, each.origin) for each in channels)
    sent = (_findings(each.kind, each.body, each.document, each.origin) for each in resources)
    return list(dict.fromkeys(finding for found in (*written, *sent) for finding in found))


def _channel(body: Body) -> Body:
    """A channel's document in the form of the object, as far as it can hold secrets."""
    type_ = str(body.get("type"))
    return {type_: {"url": body.get("url"), "header_params": body.get("headers")}}


def _findings(kind: str, body: Body, document: Document | None, otherwise: Origin) -> Iterator[Finding]:
    for way, secret in _leaves(body, PLACES.get(kind, ())):
        if what := _credential(way, secret):
            name = ".".join(way)
            yield Finding(
                "DOC005",
                f"{name} of the {kind} holds {what} in plain text",
                place(document, partial(_says, secret)) or otherwise,
                "write ${env:NAME} or ${file:/path} instead; "
                "what was committed once is known: have it replaced where it was issued",
            )


def _says(secret: str, value: Any) -> bool:
    return str(value) == secret


def _leaves(value: Any, paths: SecretPaths, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts and numbers below these paths, as `fingerprint.masked` reads them."""
    if not paths:
        return
    if isinstance(value, dict):
        for key, child in value.items():
            below = tuple(path[1:] for path in paths if not path or path[0] in (key, "*"))
            yield from _leaves(child, below, (*way, str(key)))
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child, paths, way)
    elif () in paths and isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield way, str(value)


def _credential(way: tuple[str, ...], value: str) -> str:
    """In words what it is; nothing where it is none, or a reference to one."""
    within, name = way[-2] if len(way) > 1 else "", way[-1]
    written = secretrefs.REFERENCE.sub("", value)
    whole = written == value
    if name == "url":
        return _in_address(written, chat=whole and within in _CHATS, whole=whole)
    if name == "path":
        return _OWN if _MADE_UP_BY_NOBODY.search(written) else ""
    if within in ("header_params", "query_params"):
        return "a credential" if whole and _TELLING.search(name) else ""
    return "a password" if whole and name == "password" else ""


def _in_address(written: str, *, chat: bool, whole: bool) -> str:
    try:
        parts = urlsplit(written)
        host, password = (parts.hostname or "").rstrip("."), parts.password
    except ValueError:
        return _OWN if chat else ""
    if password:
        return "a password"
    if any(_TELLING.search(name) for name, value in parse_qsl(parts.query) if value):
        return "a credential"
    if _is_nobodys(host):
        return ""
    service = whole and _SERVICES.search(host) and parts.path.strip("/")
    return _OWN if chat or service or _MADE_UP_BY_NOBODY.search(parts.path) else ""


def _is_nobodys(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(_NOBODYS.search(host))

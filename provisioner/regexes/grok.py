"""What `%{NAME:field}` in a grok pattern stands for: the user's own definitions, and the common names of the server's.

The server knows some 300 names. Those here are the ones that people write, in a form that reads the same texts in as
many ways (a test asks a server for its own and compares what is said of both). Another name counts as a short word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.regexes.reader import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"%\{(\w+)(?::[^:{}=]*)?(?::\w+)?(?:=([^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}")
_DEEPEST, _LONGEST = 15, 50_000
_OTHER = r"\w{1,3}"

COMMON: dict[str, str] = {
    "WORD": r"\b\w+\b",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "QUOTEDSTRING": r"""(?<!\\)(?:"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*'|`(?:\\.|[^\\`])*`)""",
    "QS": r"%{QUOTEDSTRING}",
    "UUID": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "INT": r"[+-]?[0-9]+",
    "BASE10NUM": r"(?<![0-9.+-])[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)",
    "NUMBER": r"%{BASE10NUM}",
    "BASE16NUM": r"(?<![0-9A-Fa-f])[+-]?(?:0x)?[0-9A-Fa-f]+",
    "POSINT": r"\b[1-9][0-9]*\b",
    "NONNEGINT": r"\b[0-9]+\b",
    "USERNAME": r"[\w.-]+",
    "USER": r"%{USERNAME}",
    "EMAILADDRESS": r"[a-zA-Z][a-zA-Z0-9_.+=:-]+@%{HOSTNAME}",
    "IPV4": r"(?<![0-9])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])",
    "IPV6": r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:%.+)?",
    "IP": r"(?:%{IPV6}|%{IPV4})",
    "HOSTNAME": r"\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*(?:\.?|\b)",
    "IPORHOST": r"(?:%{IP}|%{HOSTNAME})",
    "SYSLOGHOST": r"%{IPORHOST}",
    "HOSTPORT": r"%{IPORHOST}:%{POSINT}",
    "MAC": r"(?:[0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}",
    "UNIXPATH": r"(?:/(?:[\w%!$@:.,+~-]+|\\.)*)+",
    "PATH": r"(?:%{UNIXPATH}|(?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+)",
    "URIPROTO": r"[A-Za-z](?:[A-Za-z0-9+.-]+)+",
    "URIHOST": r"%{IPORHOST}(?::%{POSINT})?",
    "URIPATH": r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+",
    "URIPARAM": r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*",
    "URIPATHPARAM": r"%{URIPATH}(?:%{URIPARAM})?",
    "URI": r"%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    "MONTH": r"\b[A-Za-z]{3,9}\b",
    "MONTHNUM": r"[0-9]{1,2}",
    "MONTHDAY": r"[0-9]{1,2}",
    "DAY": r"[A-Z][a-z]{2,8}",
    "YEAR": r"(?:\d\d){1,2}",
    "HOUR": r"[0-9]{1,2}",
    "MINUTE": r"[0-9]{2}",
    "SECOND": r"[0-9]{1,2}(?:[:.,][0-9]+)?",
    "TIME": r"%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])",
    "ISO8601_TIMEZONE": r"(?:Z|[+-]%{HOUR}:?%{MINUTE})",
    "TIMESTAMP_ISO8601": r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?",
    "DATE": r"[0-9]{1,2}[./-][0-9]{1,2}[./-]%{YEAR}",
    "HTTPDATE": r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}",
    "SYSLOGTIMESTAMP": r"%{MONTH} +%{MONTHDAY} %{TIME}",
    "PROG": r"[!-Z\\^-~]+",
    "SYSLOGPROG": r"%{PROG}(?:\[%{POSINT}\])?",
    "LOGLEVEL": r"(?:[A-Z]{3,9}|[A-Za-z][a-z]{2,8})",
    "HTTPDUSER": r"(?:%{EMAILADDRESS}|%{USER})",
}


def expanded(pattern: str, definitions: Mapping[str, str], common: Mapping[str, str] = COMMON) -> str:
    """The pattern with every name replaced. Raises UnreadableError for names within themselves."""
    return _expanded(pattern, {**common, **definitions}, 0)


def _expanded(pattern: str, known: Mapping[str, str], depth: int) -> str:
    if depth > _DEEPEST or len(pattern) > _LONGEST:
        raise UnreadableError("names within names without end")

    def named(match: re.Match[str]) -> str:
        inner = match[2] if match[2] is not None else known.get(match[1], _OTHER)
        return f"(?:{_expanded(inner, known, depth + 1)})"

    return _NAME.sub(named, pattern)

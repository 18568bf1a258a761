"""One condition on one field as a query string says it, by the field's type.

Sigma compares text without regard to case. Fields with `ignore_case` are stored in lower case, and so are the values
that are looked for in them; in other keyword fields a regular expression takes both cases of each letter. A field of
the type `text` is stored as words: there a value is a phrase.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_REGEX = 1000
"""`index.max_regex_length`: the server refuses longer ones, and the whole query with them."""
NUMBERS = frozenset({"integer", "long", "double"})
_SPECIAL = frozenset('+-=&|!(){}[]<>^"~*?:\\/ \u3000')
_SPECIAL_IN_REGEX = frozenset('.?+*|{}[]()"\\#@&<>~^$-/: ')  # Alerting makes one space of several bare ones
_WORDS = frozenset({"AND", "OR", "NOT", "TO", "&&", "||"})
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class UnsayableError(Exception):
    """Our rules can't say this; the text is the reason, and `hint` what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


class Wild(Enum):
    """What stands for other characters."""

    ANY = "*"
    ONE = "?"


Part = str | Wild


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the schema, as a query meets it."""

    name: str
    type: str = "keyword"
    ignore_case: bool = False


def text(field: Field, parts: Sequence[Part], *, cased: bool = False) -> str:
    """The term for a text with wildcards. Raises UnsayableError."""
    if field.type == "text":
        return words(field, parts)
    if list(parts) == [Wild.ANY]:
        return exists(field)
    plain = "".join(part for part in parts if isinstance(part, str))
    wild = any(isinstance(part, Wild) for part in parts)
    if field.type == "ip":
        return _address(field, plain, parts)
    if field.type in NUMBERS:
        if wild or not _NUMBER.fullmatch(plain):
            shown = "".join(part if isinstance(part, str) else part.value for part in parts)
            raise UnsayableError(f"{field.name} holds numbers: it can't be compared with {shown!r}")
        return f"{field.name}:{_escaped(plain)}"
    if field.type == "boolean":
        if wild or plain.lower() not in ("true", "false"):
            raise UnsayableError(f"{field.name} is true or false: it can't be compared with {plain!r}")
        return f"{field.name}:{plain.lower()}"
    if field.type == "date":
        raise UnsayableError(f"{field.name} is a time: it can't be compared with a text")
    if not (field.ignore_case or cased) and plain.lower() != plain.upper():
        return regex(field, "".join(_both_cases(part) for part in parts))
    lowered = [part.lower() if isinstance(part, str) and field.ignore_case else part for part in parts]
    return f"{field.name}:{_keyword(lowered)}"


def exists(field: Field) -> str:
    """Whether an event has the field."""
    return f"_exists_:{field.name}"


def missing(field: Field) -> str:
    """Whether it has not; in brackets, as a NOT beside an OR would take the whole for itself."""
    return f"(NOT _exists_:{field.name})"


def regex(field: Field, pattern: str) -> str:
    """A regular expression in Lucene's words, which must fit the whole value. Raises UnsayableError."""
    if field.type not in ("keyword", "flat_object"):
        raise UnsayableError(f"{field.name} is no keyword: no regular expression can be looked for in it")
    if len(pattern) > LONGEST_REGEX:
        reason = f"the regular expression for {field.name} is longer than {LONGEST_REGEX:,} characters"
        raise UnsayableError(reason, "give the field `ignore_case` in the pipeline's `fields`")
    return f"{field.name}:/{pattern}/"


def words(field: Field, parts: Sequence[Part]) -> str:
    """Phrases in a field of words, one between every two wildcards. Raises UnsayableError."""
    chunks = [part for part in parts if isinstance(part, str) and re.search(r"\w", part)]
    if not chunks:
        if any(isinstance(part, Wild) for part in parts) and not any(isinstance(part, str) for part in parts):
            return exists(field)
        shown = "".join(part if isinstance(part, str) else part.value for part in parts)
        raise UnsayableError(f"{shown!r} has no letters and no digits: {field.name} is searched by words")
    found = [_phrase(field, chunk) for chunk in chunks]
    return found[0] if len(found) == 1 else f"({' AND '.join(found)})"


def network(field: Field, cidr: str, wildcards: Sequence[str]) -> str:
    """Addresses of a network; in a keyword field those that begin as one of `wildcards`. Raises UnsayableError."""
    if field.type == "ip":
        return f'{field.name}:"{cidr}"'
    found = [text(field, [*each.partition("*")[:1], Wild.ANY] if "*" in each else [each]) for each in wildcards]
    return found[0] if len(found) == 1 else f"({' OR '.join(found)})"


def compared(field: Field, operator: str, number: str) -> str:
    """A number beyond another. Raises UnsayableError."""
    if field.type not in NUMBERS:
        reason = f"{field.name} holds no numbers: it can't be compared by {operator}"
        raise UnsayableError(reason, "give it a numeric type in the pipeline's `fields`")
    return f"{field.name}:{operator}{number}"


def in_regex(plain: str) -> str:
    """The text inside a regular expression."""
    return "".join("." if _CONTROL.match(c) else f"\\{c}" if c in _SPECIAL_IN_REGEX else c for c in plain)


def _both_cases(part: Part) -> str:
    if isinstance(part, Wild):
        return ".*" if part is Wild.ANY else "."
    return "".join(
        f"[{c.lower()}{c.upper()}]" if c.lower() != c.upper() and len(c.lower()) == len(c.upper()) == 1 else in_regex(c)
        for c in part
    )


def _escaped(plain: str) -> str:
    """Bare text, also beside wildcards; what does not print can't be said there, so it is any character."""
    return "".join("?" if _CONTROL.match(c) else f"\\{c}" if c in _SPECIAL else c for c in plain)


def _keyword(parts: Sequence[Part]) -> str:
    plain = "".join(part for part in parts if isinstance(part, str))
    simple = not any(isinstance(part, Wild) for part in parts) and not _CONTROL.search(plain)
    if simple and (not plain or plain[0] in "<>" or plain in _WORDS):  # a range, however it is escaped
        return f'"{_quoted(plain)}"'
    return "".join(_escaped(part) if isinstance(part, str) else part.value for part in parts)


def _phrase(field: Field, chunk: str) -> str:
    if re.fullmatch(r"\w+", chunk):
        return f"{field.name}:*{chunk.lower()}*"
    return f'{field.name}:"{_quoted(" ".join(_CONTROL.sub(" ", chunk).split()))}"'


def _quoted(plain: str) -> str:
    """Inside of quotes. The colon too: Alerting takes a field's name and a colon for that field, wherever it is."""
    return re.sub(r'([\\":{}])', r"\\\1", plain)


def _address(field: Field, plain: str, parts: Sequence[Part]) -> str:
    if plain in ("", "-") and not any(isinstance(part, Wild) for part in parts):
        return missing(field)  # how Windows writes that there is none
    try:
        if len(parts) == 2 and isinstance(parts[0], str) and parts[1] is Wild.ANY:
            return f'{field.name}:"{_prefix(parts[0])}"'
        if len(parts) == 1 and isinstance(parts[0], str):
            return f'{field.name}:"{ipaddress.ip_address(plain)}"'
    except ValueError:
        pass
    shown = "".join(part if isinstance(part, str) else part.value for part in parts)
    raise UnsayableError(f"{field.name} holds addresses: it can't be compared with {shown!r}")


def _prefix(begin: str) -> str:
    """The network of all addresses that begin so. Raises ValueError."""
    if ":" in begin or (re.fullmatch("[0-9a-fA-F]{1,4}", begin) and not begin.isdigit()):
        digits = begin.rstrip(":").split(":")
        if begin.endswith("::") or "" in digits:
            raise ValueError(begin)
        groups = [
            *(each.rjust(4, "0") for each in digits[:-1]),
            digits[-1] if begin[-1] != ":" else digits[-1].rjust(4, "0"),
        ]
        bits = len("".join(groups)) * 4
        whole = ":".join(each.ljust(4, "0") for each in groups)
        return str(ipaddress.ip_network(f"{whole}{'::' if len(groups) < 8 else ''}/{bits}"))
    if not begin.endswith("."):
        raise ValueError(begin)
    octets = begin[:-1].split(".")
    return str(ipaddress.ip_network(f"{'.'.join([*octets, *['0'] * (4 - len(octets))])}/{len(octets) * 8}"))

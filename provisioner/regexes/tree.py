"""The parts of a regular expression."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.regexes.charsets import Charset


class Mode(StrEnum):
    """How a repetition goes about it: as often as it can, as seldom as it can, or without ever giving back."""

    GREEDY = "greedy"
    LAZY = "lazy"
    POSSESSIVE = "possessive"


class At(StrEnum):
    """What a place between two characters must be."""

    BEGIN = "begin of the text"
    END = "end of the text"
    LAST_END = "end of the text, or of its last line"
    LINE_BEGIN = "begin of a line"
    LINE_END = "end of a line"
    WORD = "edge of a word"
    NO_WORD = "no edge of a word"


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    set: Charset


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; none: the empty text."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """In brackets. `atomic`: what it matched is not given back. `unit`: no brackets, but one character for a reader,
    of several in the text, as \\R and \\X."""

    inner: Node
    atomic: bool = False
    unit: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """From `least` to `most` times; None: without end."""

    inner: Node
    least: int
    most: int | None
    mode: Mode


@dataclass(frozen=True, slots=True)
class Look:
    """What must follow (`ahead`) or precede, or must not."""

    inner: Node
    ahead: bool
    negative: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two characters."""

    at: At


@dataclass(frozen=True, slots=True)
class Back:
    """What a group matched, once more."""


Node = Chars | Sequence | Choice | Group | Repeat | Look | Place | Back
EMPTY = Sequence(())

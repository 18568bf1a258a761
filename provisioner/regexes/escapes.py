"""What a backslash and a class in brackets stand for, in java.util.regex and in Oniguruma (as joni has it)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from provisioner.regexes import charsets as sets
from provisioner.regexes.charsets import Charset

if TYPE_CHECKING:
    from provisioner.regexes.reader import Reader


class Dialect(StrEnum):
    """Whose syntax it is."""

    JAVA = "java"
    ONIGURUMA = "oniguruma"


_PLAIN = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\x07", "e": "\x1b"}
_VERTICAL = sets.of("\n\x0b\f\r\x85\u2028\u2029")
_NAMED = {
    **{"alpha": sets.ALPHA, "digit": sets.DIGIT, "alnum": sets.ALPHA | sets.DIGIT, "upper": sets.UPPER},
    **{"lower": sets.LOWER, "punct": sets.PUNCT, "space": sets.SPACE, "blank": sets.BLANK, "cntrl": sets.CONTROL},
    **{"xdigit": sets.HEX, "word": sets.WORD, "ascii": sets.span(0, 127), "print": sets.span(32, 126)},
    **{"graph": sets.span(33, 126), "l": sets.ALPHA, "lu": sets.UPPER, "ll": sets.LOWER, "n": sets.DIGIT},
    **{"nd": sets.DIGIT, "p": sets.PUNCT, "s": sets.of("$+<=>^`|~"), "z": sets.of(" "), "zs": sets.of(" ")},
    **{"c": sets.CONTROL, "cc": sets.CONTROL, "alphabetic": sets.ALPHA, "letter": sets.ALPHA, "any": sets.ANY},
    **{"uppercase": sets.UPPER, "lowercase": sets.LOWER, "punctuation": sets.PUNCT, "white_space": sets.SPACE},
    **{"whitespace": sets.SPACE, "control": sets.CONTROL, "hexdigit": sets.HEX, "hex_digit": sets.HEX},
}
_ASCII_ONLY = frozenset({"alpha", "digit", "alnum", "upper", "lower", "punct", "space", "blank", "cntrl", "xdigit"})


def shorthand(letter: str, dialect: Dialect) -> Charset | None:
    r"""The set of `\d`, `\W` and their like; None where the letter makes no set."""
    unicode = sets.LETTERS if dialect is Dialect.ONIGURUMA else Charset(0, 0)
    found = {"d": sets.DIGIT | Charset(unicode.may, 0), "w": sets.WORD | unicode, "s": sets.SPACE}
    found["h"] = sets.HEX if dialect is Dialect.ONIGURUMA else sets.BLANK | Charset(sets.OTHER, 0)
    if dialect is Dialect.JAVA:
        found["v"] = _VERTICAL
    if letter in found:
        return found[letter]
    return ~found[letter.lower()] if letter.lower() in found else None


def character(reader: Reader, letter: str) -> str:
    """The one character that an escape with this letter, read already, stands for."""
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter == "x" and reader.take("{"):
        return _code(reader.until("}"), 16, reader)
    if letter in "xu":
        return _code(reader.digits(2 if letter == "x" else 4, "0123456789abcdefABCDEF"), 16, reader)
    if letter == "0":
        return _code(reader.digits(3, "01234567") or "0", 8, reader)
    if letter == "c":
        return chr(ord(reader.next()) & 31)
    if letter == "v" and reader.dialect is Dialect.ONIGURUMA:
        return "\x0b"
    if letter.isalnum() and letter.isascii():
        raise reader.unreadable(f"the escape \\{letter}")
    return letter


def named(reader: Reader, negative: bool) -> Charset:
    r"""The set of `\p{Name}` or `\pL`, the letter having been read."""
    name = reader.until("}") if reader.take("{") else reader.next()
    if name.startswith("^"):
        name, negative = name[1:], not negative
    name = name.rpartition("=")[2].lower()
    for prefix in ("java", "posix_", "is"):
        name = name.removeprefix(prefix)
    ascii_only = reader.dialect is Dialect.JAVA and name in _ASCII_ONLY
    found = _NAMED.get(name)
    if found is None:
        found = Charset(sets.EVERY, 0)  # a script or block: anything, for all that is known here
    elif not ascii_only and name != "ascii":
        found |= Charset(sets.BEYOND, 0)
    return ~found if negative else found


def bracket(reader: Reader) -> Charset:
    """A class, its opening bracket having been read: ranges, classes in it, `&&`."""
    negative = reader.take("^")
    found, both, first = Charset(0, 0), None, True
    while first or not reader.take("]"):
        if reader.take("&&"):
            both, found = found if both is None else both & found, Charset(0, 0)
        else:
            found |= _item(reader, first)
        first = False
    found = found if both is None else both & found
    if reader.ignore_case:
        found = found.folded()
    return ~found if negative else found


def _item(reader: Reader, first: bool) -> Charset:
    char = reader.next()
    if char == "[":
        if reader.dialect is Dialect.ONIGURUMA and reader.take(":"):
            negative, name = reader.take("^"), reader.until(":]")
            found = _NAMED.get(name, Charset(sets.EVERY, 0))
            found |= Charset(sets.BEYOND if name not in ("ascii", "xdigit") else 0, 0)
            return ~found if negative else found
        return bracket(reader)
    if char == "]" and not first:
        raise reader.unreadable("a bracket")
    if char == "\\":
        letter = reader.next()
        if letter in "pP":
            return named(reader, letter == "P")
        if letter == "Q" and reader.dialect is Dialect.JAVA:
            return sets.of(reader.until("\\E"))
        if (known := shorthand(letter, reader.dialect)) is not None:
            return known
        char = "\b" if letter == "b" else character(reader, letter)
    if reader.peek() == "-" and reader.peek(1) not in ("]", "[", "") and reader.take("-"):
        last = reader.next()
        if last == "\\":
            letter = reader.next()
            if shorthand(letter, reader.dialect) is not None:
                return sets.of(char + "-") | (shorthand(letter, reader.dialect) or Charset(0, 0))
            last = character(reader, letter)
        return sets.span(ord(char), ord(last))
    return sets.of(char)


def _code(digits: str, base: int, reader: Reader) -> str:
    try:
        return chr(int(digits, base))
    except (ValueError, OverflowError):
        raise reader.unreadable(f"the code {digits!r}") from None

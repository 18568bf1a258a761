"""Sets of characters as bits: one for each ASCII character, and four for the rest, which is told apart no further.

What is asked of them is whether two sets overlap. A range beyond ASCII may cover a part of one of the four only: so a
set is a pair, of the bits that it may hold and of those that it holds as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

ASCII = 128
LETTER, OTHER, ASTRAL_LETTER, ASTRAL_OTHER = (1 << (ASCII + place) for place in range(4))
BEYOND = LETTER | OTHER | ASTRAL_LETTER | ASTRAL_OTHER
ASTRAL = ASTRAL_LETTER | ASTRAL_OTHER
EVERY = (1 << (ASCII + 4)) - 1
_SAMPLES = {LETTER: "\u00e9", OTHER: "\u2013", ASTRAL_LETTER: "\U00020000", ASTRAL_OTHER: "\U0001f600"}


@dataclass(frozen=True, slots=True)
class Charset:
    """The bits that the set may hold, and those that it holds for certain."""

    may: int
    must: int

    def __or__(self, other: Charset) -> Charset:
        return Charset(self.may | other.may, self.must | other.must)

    def __and__(self, other: Charset) -> Charset:
        return Charset(self.may & other.may, self.must & other.must)

    def __invert__(self) -> Charset:
        return Charset(EVERY & ~self.must, EVERY & ~self.may)

    def folded(self) -> Charset:
        """With the other case of each ASCII letter."""
        return Charset(_folded(self.may), _folded(self.must))

    @property
    def widths_vary(self) -> bool:
        """Whether Java holds some of its characters in one unit of UTF-16 and others in two."""
        return bool(self.may & ASTRAL) and bool(self.may & ~ASTRAL)


def exactly(bits: int) -> Charset:
    """A set that holds just these bits."""
    return Charset(bits, bits)


def span(first: int, last: int) -> Charset:
    """The code points from first to last."""
    bits = 0
    if first < ASCII:
        bits = (1 << (min(last, ASCII - 1) + 1)) - (1 << first)
    beyond = 0
    if last >= ASCII:
        beyond = OTHER | LETTER if first < 0x10000 else 0
        beyond |= ASTRAL if last >= 0x10000 else 0
    if first == last and beyond:
        letter = chr(first).isalnum()
        beyond = (ASTRAL_LETTER if letter else ASTRAL_OTHER) if first >= 0x10000 else (LETTER if letter else OTHER)
    whole = (BEYOND if last >= 0x10FFFF else beyond & ~ASTRAL if last >= 0xFFFF else 0) if first <= ASCII else 0
    return Charset(bits | beyond, bits | (whole & beyond))


def of(text: str) -> Charset:
    """The characters of a text."""
    found = Charset(0, 0)
    for char in text:
        found |= span(ord(char), ord(char))
    return found


def sample(bits: int) -> str:
    """A character of these bits: a letter or digit where one is among them."""
    for char in "a0A":
        if bits >> ord(char) & 1:
            return char
    printed = [*range(97, 123), *range(48, 58), *range(65, 91), *range(32, 127), *range(32), 127]
    for code in printed:
        if bits >> code & 1:
            return chr(code)
    return next(char for bit, char in _SAMPLES.items() if bits & bit)


def _folded(bits: int) -> int:
    upper, lower = bits >> 65 & _26, bits >> 97 & _26
    return bits | (upper | lower) << 65 | (upper | lower) << 97


_26 = (1 << 26) - 1
DIGIT = of("0123456789")
UPPER, LOWER = span(65, 90), span(97, 122)
ALPHA = UPPER | LOWER
WORD = ALPHA | DIGIT | of("_")
SPACE = of(" \t\n\r\f\v")
HEX = DIGIT | of("abcdefABCDEF")
BLANK = of(" \t")
PUNCT = of("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
CONTROL = span(0, 31) | of("\x7f")
ANY = exactly(EVERY)
NEWLINE = of("\n")
LETTERS = Charset(LETTER | ASTRAL_LETTER, LETTER | ASTRAL_LETTER)
"""Letters and digits beyond ASCII, as classes that know Unicode take them."""

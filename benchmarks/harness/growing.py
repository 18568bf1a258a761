"""Is the work linear in the text? Time per byte for long hostile strings over that for short ones, form by form."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness import hostile, report
from harness.ingesting import Node

KILO, MEGA = 1_000, 1_000_000
TEXT_LIMIT = 100_000
"""How long the texts are that the pipeline is measured with, in characters; it gets so many bytes in one request:"""
REQUEST = 3_000_000
FAR = 5

Growth = dict[str, tuple[float, str]]
"""By form: the worst ratio, and of which unit."""


def _time(work: Callable[[str], object], text: str) -> float:
    """Seconds for one call, the least of several for about 20 ms."""
    best, spent = float("inf"), 0.0
    while spent < 0.02:
        started = time.process_time()
        for _ in range(repeat := max(1, 20_000 // len(text))):
            work(text)
        seconds = (time.process_time() - started) / repeat
        best, spent = min(best, seconds), spent + seconds * repeat
    return best


def helper(work: Callable[[str], object], small: int = KILO, large: int = MEGA, units: int = 99) -> Growth:
    """For each form the worst of its hostile strings: time per byte at the upper end over that at the lower end.

    What is far from linear halfway is not waited for at the upper end.
    """
    found = {}
    for form, all_units in hostile.HOSTILE.items():
        each = []
        for unit in all_units[:units]:
            low = _time(work, hostile.string(unit, small)) / small
            for size in (small * 16, large):
                ratio = _time(work, hostile.string(unit, size)) / size / low
                if ratio > FAR:
                    break
            each.append((ratio, unit))
        found[form] = max(each)
    return found


def native(node: Node) -> Growth:
    """The same by the node's processor time, from a hundredth of the limit to the limit, as many bytes at each end."""
    found = {}
    for form, units in hostile.HOSTILE.items():
        each = []
        for unit in units:
            seconds = []
            for size in (TEXT_LIMIT // 100, TEXT_LIMIT):
                texts = [hostile.string(unit, size)] * (REQUEST // size)
                node.simulate(texts)
                seconds.append(node.simulate(texts))
            each.append((seconds[1] / max(seconds[0], 0.01), unit))
        found[form] = max(each)
    return found


def table(found: dict[str, Growth]) -> str:
    """Rows are forms, columns who was measured."""
    forms = list(next(iter(found.values())))
    rows = [[form, *(f"{each[form][0]:.2f} (`{each[form][1]!r}`)" for each in found.values())] for form in forms]
    return report.table(["hostile strings for", *found], rows)

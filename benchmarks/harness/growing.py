"""Is the work linear in the text? Time per byte for long hostile strings over that for short ones, form by form."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness import hostile, report
from harness.ingesting import Node

KILO, MEGA = 1_000, 1_000_000
TEXT_LIMIT = 300_000
"""How long the texts are that the pipeline is measured with, in characters: Painless stops a function after a million
turns of its loops, and the event then loses its content. The pipeline gets so many bytes in one request:"""
REQUEST = 600_000
FAR = 5
TICK = 0.05
"""The system counts processor time in hundredths of a second: less than five of them say nothing, and count as five."""

Growth = dict[str, tuple[float, str, float]]
"""By form: the worst ratio, and of which unit; and MB/s of the slowest one."""


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
        each, slowest = [], 0.0
        for unit in all_units[:units]:
            low = _time(work, hostile.string(unit, small)) / small
            for size in (small * 16, large):
                high = _time(work, hostile.string(unit, size)) / size
                if high / low > FAR:
                    break
            each.append((high / low, unit))
            slowest = max(slowest, high)
        found[form] = (*max(each), 1e-6 / slowest)
    return found


def native(node: Node) -> Growth:
    """The same by the node's processor time, from a hundredth of the limit to the limit, as many bytes at each end.
    RuntimeError where an event is not checked."""
    found = {}
    for form, units in hostile.HOSTILE.items():
        each, slowest = [], 0.0
        for unit in units:
            seconds = []
            for size in (TEXT_LIMIT // 100, TEXT_LIMIT):
                texts = [hostile.string(unit, size)] * (REQUEST // size)
                node.simulate(texts)
                spent, failed = node.simulate(texts)
                if failed:
                    raise RuntimeError(f"{failed} events of {size} characters of {unit!r} were not checked")
                seconds.append(max(spent, TICK))
            each.append((seconds[1] / seconds[0], unit))
            slowest = max(slowest, seconds[1])
        found[form] = (*max(each), REQUEST / 1e6 / slowest)
    return found


def table(found: dict[str, Growth]) -> str:
    """Rows are forms, columns who was measured."""
    forms = list(next(iter(found.values())))
    rows = [
        [form, *(f"{each[form][0]:.2f} (`{each[form][1]!r}`); {each[form][2]:.2g} MB/s" for each in found.values())]
        for form in forms
    ]
    return report.table(["hostile strings for", *found], rows)

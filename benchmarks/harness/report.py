"""How a benchmark tells: figures as a Markdown table, and as its last line one JSON object."""

from __future__ import annotations

import datetime
import json
import os
import platform
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def machine() -> str:
    """When and on what: a busy machine makes poor figures, so the load is told first."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    python = f"Python {platform.python_version()}"
    return f"{now}; {platform.machine()}, {os.cpu_count()} processors; {python}; load average {load}"


def middle(values: Iterable[float]) -> float:
    """The median."""
    return median(list(values))


def growth(by_size: Mapping[int, float]) -> float:
    """What one thing more costs in the upper half of three sizes, over what it costs in the lower half."""
    small, middle_, large = sorted(by_size)
    upper = (by_size[large] - by_size[middle_]) / (large - middle_)
    lower = (by_size[middle_] - by_size[small]) / (middle_ - small)
    return upper / max(lower, 1e-9)


def spread(values: Iterable[float], form: str = ".2f") -> str:
    """The median, and the least and the largest where there are several: `1.20 (1.10 to 1.31)`."""
    found = sorted(values)
    text = format(median(found), form)
    return f"{text} ({found[0]:{form}} to {found[-1]:{form}})" if len(found) > 1 else text


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def last_line(name: str, ratios: Mapping[str, float], aims: Mapping[str, float]) -> str:
    """The JSON object that every benchmark ends with. An aim is the most that its ratio may be."""
    shown = {key: round(value, 3) for key, value in ratios.items()}
    met = all(shown[key] <= aim for key, aim in aims.items())
    return json.dumps({"name": name, "ratios": shown, "aims": dict(aims), "met": met})

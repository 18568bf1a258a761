"""Index patterns of policies: which policy attaches to a new index, and which patterns contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from provisioner.devcluster.standin.errors import OpenSearchError


def check_templates(policy: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse template patterns that are malformed, or overlap with another template of the same priority.

    `others`: the stored policies by id. Raises 400 index_management_exception.
    """
    templates: list[dict[str, Any]] = policy["ism_template"] or []
    policy_id = policy["policy_id"]
    errors = [error for t in templates for pattern in t["index_patterns"] for error in _pattern_errors(pattern)]
    if errors:
        listed = " ".join(f"{i}: {error};" for i, error in enumerate(errors, 1))
        raise _refused(f"Validation Failed: {listed}", "org.opensearch.common.ValidationException")
    for number, one in enumerate(templates):
        later = [t for t in templates[number + 1 :] if t["priority"] == one["priority"]]
        patterns = [pattern for t in later for pattern in t["index_patterns"]]
        if overlapping(one["index_patterns"], patterns):
            raise _refused(
                f"New policy {policy_id} has an ISM template with index pattern {_listed(one['index_patterns'])} "
                f"matching this policy's other ISM templates with index patterns {_listed(patterns)}, "
                "please use different priority",
                "java.lang.IllegalArgumentException",
            )
    for one in templates:
        for other_id, other in others.items():
            for theirs in other.get("ism_template") or []:
                if other_id == policy_id or theirs["priority"] != one["priority"]:
                    continue
                if overlapping(one["index_patterns"], theirs["index_patterns"]):
                    raise _refused(
                        f"New policy {policy_id} has an ISM template with index pattern "
                        f"{_listed(one['index_patterns'])} matching existing policy templates, please use a different "
                        f"priority than {one['priority']}",
                        "java.lang.IllegalArgumentException",
                    )


def template_for(index: str, created: int, policies: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The policy whose template attaches to an index created at `created` (ms): the highest priority that matches.

    A template attaches to indexes only that were created after it was last written.
    """
    best: tuple[int, Mapping[str, Any]] | None = None
    for policy in policies:
        for one in policy.get("ism_template") or []:
            if one["last_updated_time"] >= created or not matches(index, one["index_patterns"]):
                continue
            if best is None or one["priority"] > best[0]:
                best = one["priority"], policy
    return best[1] if best else None


def matches(index: str, patterns: Iterable[str]) -> bool:
    """Whether a name matches one pattern, and none that begins with `-` (an exclusion)."""
    patterns = list(patterns)
    if any(_match(index, p[1:]) for p in patterns if p.startswith("-")):
        return False
    return any(_match(index, p) for p in patterns if not p.startswith("-"))


def overlapping(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Whether some name could match a pattern of each."""
    theirs = list(theirs)
    return any(_meet(a, b) for a in ours for b in theirs)


def _match(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def _meet(a: str, b: str) -> bool:
    """Whether two patterns with `*` share a word: walk both at once."""
    seen: set[tuple[int, int]] = set()
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if (i, j) in seen:
            continue
        seen.add((i, j))
        if i == len(a) and j == len(b):
            return True
        if i < len(a) and a[i] == "*":
            todo.append((i + 1, j))
            if j < len(b):
                todo.append((i, j + 1))
        if j < len(b) and b[j] == "*":
            todo.append((i, j + 1))
            if i < len(a):
                todo.append((i + 1, j))
        if i < len(a) and j < len(b) and a[i] == b[j] != "*":
            todo.append((i + 1, j + 1))
    return False


def _pattern_errors(pattern: str) -> list[str]:
    bare = pattern.removeprefix("-")
    errors = []
    if "#" in bare:
        errors.append(f"index_pattern [{pattern}] must not contain a '#'")
    if ":" in bare:
        errors.append(f"index_pattern [{pattern}] must not contain a ':'")
    if bare.startswith("_"):
        errors.append(f"index_pattern [{pattern}] must not start with '_'")
    if re.search(r'[ "\\<|,>/?]', bare):
        characters = '[ , ", *, \\, <, |, ,, >, /, ?]'
        errors.append(f"index_pattern [{pattern}] must not contain the following characters {characters}")
    return errors


def _listed(patterns: Iterable[str]) -> str:
    return f"[{', '.join(patterns)}]"


def _refused(reason: str, exception: str) -> OpenSearchError:
    cause = {"type": "exception", "reason": f"{exception}: {reason}"}
    return OpenSearchError(400, "index_management_exception", reason, caused_by=cause)

"""What lets somebody do or see more than before: roles, role mappings and users of the security plugin."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from provisioner.values import each, names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.model import Body

_MEMBERS = {"users": "user", "backend_roles": "backend role", "hosts": "host"}
_ROLES = {"backend_roles": "backend role", "opendistro_security_roles": "role"}


def role(was: Body, wanted: Body) -> Iterator[str]:
    """Permissions that no entry gave before, and restrictions on documents and fields that go."""
    for action in names(wanted.get("cluster_permissions")):
        if not _covered(action, names(was.get("cluster_permissions"))):
            yield f"{action} in the cluster"
    yield from _indices(each(was.get("index_permissions")), each(wanted.get("index_permissions")))
    before = each(was.get("tenant_permissions"))
    for entry in each(wanted.get("tenant_permissions")):
        for pattern in names(entry.get("tenant_patterns")):
            added = [
                action
                for action in names(entry.get("allowed_actions"))
                if not any(_gives(other, "tenant_patterns", pattern, action) for other in before)
            ]
            if added:
                yield f"{', '.join(added)} on tenant {pattern}"


def role_mapping(was: Body, wanted: Body) -> Iterator[str]:
    """Who gets the role now."""
    yield from _added(was, wanted, _MEMBERS)
    # A user needs all of these at once: fewer of them let more users in, but none at all lets nobody in.
    before, after = names(was.get("and_backend_roles")), names(wanted.get("and_backend_roles"))
    if after and (not before or set(before) - set(after)):
        yield f"whoever has all of the backend roles {', '.join(after)}"


def user(was: Body, wanted: Body) -> Iterator[str]:
    """The roles that a user gets."""
    yield from _added(was, wanted, _ROLES)


def _added(was: Body, wanted: Body, fields: dict[str, str]) -> Iterator[str]:
    for field, word in fields.items():
        before = names(was.get(field))
        yield from (f"{word} {name}" for name in names(wanted.get(field)) if not _covered(name, before))


def _indices(before: list[Body], after: list[Body]) -> Iterator[str]:
    for entry in after:
        looser: dict[str, list[str]] = {}
        for pattern in names(entry.get("index_patterns")):
            added = []
            for action in names(entry.get("allowed_actions")):
                givers = [other for other in before if _gives(other, "index_patterns", pattern, action)]
                if not givers:
                    added.append(action)
                else:
                    for words in min((list(_looser(other, entry)) for other in givers), key=len):
                        looser.setdefault(words, []).append(pattern)
            if added:
                yield f"{', '.join(added)} on {pattern}"
        yield from (f"{words} on {', '.join(dict.fromkeys(patterns))}" for words, patterns in looser.items())


def _gives(entry: Body, patterns: str, pattern: str, action: str) -> bool:
    return _covered(pattern, names(entry.get(patterns))) and _covered(action, names(entry.get("allowed_actions")))


def _looser(was: Body, wanted: Body) -> Iterator[str]:
    """What an entry no longer hides. No filter, no list of fields, no masks: everything is seen."""
    before, after = was.get("dls") or None, wanted.get("dls") or None
    if before and not after:
        yield "all documents, not only those of a query (dls),"
    elif before and before != after:
        yield "perhaps other documents (the query of dls is another)"
    yield from _fields(names(was.get("fls")), names(wanted.get("fls")))
    unmasked = _uncovered(_masked(was), _masked(wanted))
    if unmasked:
        yield f"{', '.join(unmasked)} without a mask"


def _fields(before: list[str], after: list[str]) -> Iterator[str]:
    """A list names the fields that are seen, or, with `~`, those that are not; an empty one hides nothing."""
    if not before:
        return
    if not after:
        yield "all fields"
        return
    hidden = _uncovered(
        [name[1:] for name in before if name[:1] == "~"], [name[1:] for name in after if name[:1] == "~"]
    )
    seen, was_seen = ([name for name in list_ if name[:1] != "~"] for list_ in (after, before))
    if hidden:
        yield f"the fields {', '.join(hidden)}"
    if was_seen and not seen:
        yield "all fields but the hidden ones"
    elif was_seen and (added := _uncovered(seen, was_seen)):
        yield f"the fields {', '.join(added)}"


def _masked(entry: Body) -> list[str]:
    """Fields alone: an entry goes on with `::` and how it is masked."""
    return [name.split("::", 1)[0] for name in names(entry.get("masked_fields"))]


def _uncovered(wanted: Iterable[str], patterns: list[str]) -> list[str]:
    return [name for name in wanted if not _covered(name, patterns)]


def _covered(name: str, patterns: list[str]) -> bool:
    return any(name == pattern or (not _is_regex(pattern) and _form(pattern).fullmatch(name)) for pattern in patterns)


def _is_regex(pattern: str) -> bool:
    return len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/")


@cache
def _form(pattern: str) -> re.Pattern[str]:
    """A pattern of the security plugin; `?` is one character, so it doesn't cover a `*` of the other pattern."""
    parts: dict[str, Any] = {"*": ".*", "?": "[^*]"}
    return re.compile("".join(parts.get(character) or re.escape(character) for character in pattern), re.DOTALL)

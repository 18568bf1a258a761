"""The catalogue as tables: the very params that templates/pipelines/redaction.yml.j2 gives to the script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provisioner.model import Body

LEADS = ("ey", "BE", "si", "be", "Be", "bE", "ba", "Ba", "bA", "BA", "AA", "at", "cu")
"""How words begin that finders look for: eyJ, BEGIN, sig=, bearer and basic in any case, AA, atlasv1, curl."""
DEEPEST, LONGEST, UNLIMITED = 20, 100, 1_000_000_000
"""Of a field's name in `ingest.redacted.fields`: how many keys are told, and how long a key may be; no `max`."""


def of(body: Mapping[str, Any], namespace: str = "default") -> Body:
    """The script's params. `body` is the document's; a detector takes part that is on for one log type at least."""
    detectors = [d for d in body["detectors"] if d.get("enabled", True) or True in d.get("log_types", {}).values()]
    keys = [(_squeezed(key), d["name"]) for d in detectors for part in ("names", "headers") for key in d.get(part, ())]
    endings = [(_squeezed(key), d["name"]) for d in detectors for key in d.get("endings", ())]
    prefixes = [_prefix(prefix, d["name"]) for d in detectors for prefix in d.get("prefixes", ())]
    groups = _unique(prefix["text"][:2] for prefix in prefixes)
    return {
        "namespace": namespace,
        "names": _first(keys),
        "headers": {_squeezed(key): d["name"] for d in detectors for key in d.get("headers", ())},
        "endings": _first(endings),
        "tails": _tails(key for key, _ in [*keys, *endings]),
        "lengths": sorted({len(key) for key, _ in endings}),
        "finders": _first((finder, d["name"]) for d in detectors for finder in d.get("finders", ())),
        "pairs": [*_pairs([*groups, *LEADS], 64), *_pairs((key[:-3:-1] for key, _ in [*keys, *endings]), 32)],
        "prefixes": {group: [p for p in prefixes if p["text"].startswith(group)] for group in groups},
        "issuers": body["issuers"],
        "ibans": body.get("ibans", {}),
        "actions": {d["name"]: d["action"] for d in detectors if d["action"] in ("partial", "drop")},
        "fields": {d["name"]: d["fields"] for d in detectors if "fields" in d},
        "except": {d["name"]: d["except"] for d in detectors if "except" in d},
        "allow": {d["name"]: dict.fromkeys(d["allow"], True) for d in detectors if "allow" in d},
        "log_types": {d["name"]: d["log_types"] for d in detectors if "log_types" in d},
        "disabled": [d["name"] for d in detectors if not d.get("enabled", True)],
    }


def _squeezed(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(".", "")


def _prefix(prefix: Mapping[str, Any], detector: str) -> Body:
    most = prefix.get("max", prefix["min"])
    return {
        "text": prefix["text"], "chars": prefix["chars"], "min": prefix["min"], "max": most or UNLIMITED,
        "detector": detector,
    }  # fmt: skip


def _pairs(pairs: Iterable[str], count: int) -> list[int]:
    """So many numbers: the pair's first character says which one, its second which bit is set there."""
    found = [0] * count
    for pair in pairs:
        found[ord(pair[0]) % count] |= 1 << ord(pair[1]) % count
    return found


def _tails(keys: Iterable[str]) -> dict[str, int]:
    """The last three letters of all keys, and how long the shortest key is that ends so."""
    found: dict[str, int] = {}
    for key in keys:
        found[key[-3:]] = min(found.get(key[-3:], 99), len(key))
    return found


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Where two detectors name the same thing, the first has it."""
    found: dict[str, str] = {}
    for key, detector in pairs:
        found.setdefault(key, detector)
    return found


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))

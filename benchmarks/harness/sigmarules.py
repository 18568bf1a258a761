"""Sigma rules by the thousand, like those of SigmaHQ in log sources, shapes and size, and as free of issues: made up,
always the same ones, each different from the others. And the data without which `sigma check` would ask the web."""

from __future__ import annotations

import itertools
import json
import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from provisioner import attack

if TYPE_CHECKING:
    import pathlib

_SYLLABLES = ["".join(pair) for pair in itertools.product("bcdfgklmnprstvwz", "aeiou")]
_FOLDERS = (r"C:\Windows\System32", r"C:\Program Files", r"C:\Users\Public", r"C:\ProgramData", r"\AppData\Local\Temp")
_STATUS = {"test": 90, "experimental": 7, "stable": 3}
_LEVELS = {"high": 45, "medium": 43, "low": 9, "critical": 2, "informational": 1}
_SHAPES = {"selection": 60, "all of selection_*": 22, "1 of selection_*": 5, "selection and not 1 of filter_main_*": 13}


@dataclass(frozen=True)
class _Source:
    """A log source with the fields that its rules ask for: by their ends, by what they contain, as they are."""

    weight: int
    where: dict[str, str]
    ends: tuple[str, ...]
    holds: tuple[str, ...]
    exact: tuple[str, ...] = ()


def _source(weight: int, where: str, ends: str, holds: str, exact: str = "") -> _Source:
    parts = dict(part.split("=") for part in where.split())
    return _Source(weight, parts, tuple(ends.split()), tuple(holds.split()), tuple(exact.split()))


_SOURCES = (
    _source(
        1183,
        "category=process_creation product=windows",
        "Image ParentImage",
        "CommandLine ParentCommandLine",
        "OriginalFileName",
    ),
    _source(236, "category=registry_set product=windows", "TargetObject", "TargetObject Details", "Details"),
    _source(166, "category=file_event product=windows", "Image TargetFilename", "TargetFilename"),
    _source(162, "category=ps_script product=windows", "ScriptBlockText", "ScriptBlockText"),
    _source(145, "service=security product=windows", "ServiceFileName", "ServiceName", "EventID"),
    _source(122, "category=process_creation product=linux", "Image ParentImage", "CommandLine"),
    _source(100, "category=image_load product=windows", "ImageLoaded Image", "ImageLoaded"),
    _source(67, "category=process_creation product=macos", "Image ParentImage", "CommandLine"),
    _source(63, "service=system product=windows", "ImagePath", "ServiceName", "EventID Provider_Name"),
    _source(57, "service=cloudtrail product=aws", "eventSource", "userAgent", "eventName"),
    _source(53, "service=auditd product=linux", "exe", "a1 a2", "type"),
    _source(51, "category=network_connection product=windows", "Image DestinationHostname", "DestinationHostname"),
    _source(44, "service=auditlogs product=azure", "initiatedBy", "targetResources", "Category"),
    _source(29, "category=proxy", "c-uri", "c-useragent c-uri", "cs-method"),
    _source(22, "category=dns_query product=windows", "QueryName Image", "QueryName"),
    _source(13, "category=webserver", "cs-uri-stem", "cs-uri-query", "cs-method"),
)


def write(folder: pathlib.Path, count: int) -> None:
    """Write that many rules, a file each, as Sigma's own repository keeps them."""
    chance = random.Random(1)
    for number in range(count):
        source = chance.choices(_SOURCES, [each.weight for each in _SOURCES])[0]
        place = "_".join(source.where.values())
        file = folder / place / f"{place}_{_word(chance)}_{number}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        rule = _rule(chance, number, source)
        file.write_text(yaml.dump(rule, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")


def write_attack(file: pathlib.Path) -> None:
    """ATT&CK as pySigma reads it, with the techniques that rules name."""

    def one(type_: str, id_: str, **more: Any) -> dict[str, Any]:
        return {"type": type_, "external_references": [{"source_name": "mitre-attack", "external_id": id_}], **more}

    known = attack.load()
    made = [one("x-mitre-tactic", f"TA{n}", x_mitre_shortname=name) for n, name in enumerate(known.tactics)]
    made += [one("attack-pattern", technique.id, name=technique.name) for technique in known.techniques.values()]
    file.write_text(json.dumps({"objects": made}), encoding="utf-8")


def _rule(chance: random.Random, number: int, source: _Source) -> dict[str, Any]:
    technique = chance.choice(list(attack.load().techniques.values()))
    names = [_word(chance).capitalize() for _ in range(3)]
    detection = _detection(chance, number, source)
    return {
        "title": f"Suspicious {' '.join(names)} Number {number}",
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "status": _weighted(chance, _STATUS),
        "description": f"Detects how {_prose(chance, 8)}.\nAn attacker may {_prose(chance, chance.randint(4, 24))}.",
        "references": [f"https://blog.example.org/{number}/{_word(chance)}-{n}/" for n in range(chance.randint(1, 4))],
        "author": f"{names[0]} {names[1]}, {names[2]} (Example)",
        "date": f"202{chance.randint(0, 5)}-0{chance.randint(1, 9)}-{chance.randint(10, 28)}",
        "modified": f"2026-0{chance.randint(1, 9)}-{chance.randint(10, 28)}",
        "tags": [*(f"attack.{tactic}" for tactic in technique.tactics), f"attack.{technique.id.lower()}"],
        "logsource": source.where,
        "detection": detection,
        "falsepositives": [f"{_prose(chance, 5).capitalize()} by administrators"],
        "level": _weighted(chance, _LEVELS),
    }


def _detection(chance: random.Random, number: int, source: _Source) -> dict[str, Any]:
    """One selection or several, and filters, as the condition asks."""
    condition = _weighted(chance, _SHAPES)
    found: dict[str, Any] = {}
    if condition.startswith("selection"):
        found["selection"] = _ends(chance, source) | _holds(chance, source, number)
    else:
        by_end = _ends(chance, source)
        found["selection_img"] = [by_end, _exactly(chance, source)] if source.exact else by_end
        found["selection_cli"] = _holds(chance, source, number)
        for extra in range(chance.randint(0, 2)):
            found[f"selection_{_word(chance)}{extra}"] = _holds(chance, source, number + extra + 1)
    if "filter" in condition:
        for extra in range(chance.randint(1, 3)):
            found[f"filter_main_{_word(chance)}{extra}"] = _ends(chance, source)
    return {**found, "condition": condition}


def _ends(chance: random.Random, source: _Source) -> dict[str, Any]:
    field = chance.choice(source.ends)
    values = [f"\\{_word(chance)}.exe" for _ in range(1 + int(chance.expovariate(0.5)))]
    if chance.random() < 0.2:
        return {f"{field}|startswith": f"{chance.choice(_FOLDERS)}\\{_word(chance)}"}
    return {f"{field}|endswith": _few(values)}


def _holds(chance: random.Random, source: _Source, number: int) -> dict[str, Any]:
    """What a field contains: one of several texts, or all of a few; the number makes it a rule of its own."""
    field = chance.choice(source.holds)
    if chance.random() < 0.25:
        return {f"{field}|contains|all": [f"-{_word(chance)} ", f"/{_word(chance)}{number}"]}
    values = [_text(chance) for _ in range(int(chance.expovariate(0.09)))]
    return {f"{field}|contains": _few([*values, f"{_word(chance)}{number}"])}


def _exactly(chance: random.Random, source: _Source) -> dict[str, Any]:
    field = chance.choice(source.exact)
    if field == "EventID":
        return {field: chance.randint(1000, 9999)}
    return {field: f"{_word(chance).capitalize()}.EXE"}


def _text(chance: random.Random) -> str:
    word = _word(chance)
    return chance.choice((f"--{word}", f" -{word} ", f"{word}.{_word(chance)}(", f"http://{word}", f"/{word}/", word))


def _few(values: list[str]) -> Any:
    """One value stands alone, as people write it; none stands twice."""
    found = list(dict.fromkeys(values))
    return found if len(found) > 1 else found[0]


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 5)))


def _prose(chance: random.Random, count: int) -> str:
    return " ".join(_word(chance) for _ in range(count))


def _weighted(chance: random.Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]

"""Random honest logs and random tampering by somebody without a key."""

from __future__ import annotations

import gzip
import json
import pathlib
import random
import shutil

import lab
import orjson

from provisioner.integrity import Chain, KeyRing, Options
from provisioner.integrity.verdict import Kind

VALUES = ("", "ä", "😀", "\u2028", "a\\b", 'q"q', "x" * 300, "\x00\x1f\x7f", "integrity", '"integrity":{"key":"k1.0"')


def random_event(rng: random.Random, number: int) -> dict:
    """An event of any form."""
    event = {
        "category": "system",
        "message": f"{number} {rng.choice(VALUES)}",
        "n": rng.choice((0, -1, 2**53 + 1, 2**63 - 1)),
    }
    for _ in range(rng.randrange(5)):
        name = rng.choice(("labels", "zeta", "alpha", "\ue000", "😀", "integritz", "details"))
        event[name] = rng.choice(
            (
                {"integrity": {"key": "k1.0", "mac": "0" * 64}},
                {"deep": [1, 2.5, {"x": rng.choice(VALUES)}]},
                rng.random(),
                1e21,
                [True, None, rng.choice(VALUES)],
                rng.choice(VALUES),
            )
        )
    if rng.random() < 0.1:
        event["ingest"] = {"redacted": {"detectors": ["password"]}}
    if rng.random() < 0.2:
        event["timestamp"] = rng.choice(("2026-05-11T14:23:45.123Z", "2026-05-11 14:23:45", "yesterday", 1795415915763))
    return event


def honest(folder: pathlib.Path, rng: random.Random, count: int) -> KeyRing:
    """Write a log with all that can honestly happen to one; give the keys that verify it."""
    folder.mkdir(parents=True)
    path = folder / "a.jsonl"
    roots = {"k1": lab.ROOT}
    number = 0
    while number < count:
        options = Options(
            fsync="never",
            rotate_bytes=rng.choice((None, 3_000, 9_000)),
            evolve_records=rng.choice((3, 10, 100)),
        )
        with Chain(path, KeyRing(roots), options=options) as chain:
            for _ in range(rng.randrange(1, 15)):
                if rng.random() < 0.3:
                    chain.append_all([random_event(rng, number + each) for each in range(rng.randrange(1, 6))])
                else:
                    chain.append(random_event(rng, number))
                number += 1
            if rng.random() < 0.2:
                chain.rotate()
        if rng.random() < 0.3:  # killed while it wrote
            line = path.read_bytes().rsplit(b"\n", 2)[-2] if path.stat().st_size else b"{}"
            with path.open("ab") as file:
                file.write(line[: rng.randrange(1, max(len(line), 2))])
        if rng.random() < 0.1:
            roots[f"k{len(roots) + 1}"] = rng.randbytes(32)
    with Chain(path, KeyRing(roots), options=Options(fsync="never")) as chain:
        chain.append(random_event(rng, number))
    for each in list(folder.iterdir()):
        if each.name[-6:].isdigit() and rng.random() < 0.3:
            with gzip.open(f"{each}.gz", "wb", compresslevel=1) as packed:
                packed.write(each.read_bytes())
            each.unlink()
        elif each.name[-6:].isdigit() and rng.random() < 0.2:
            _through_a_json_tool(each, rng)
    return KeyRing(roots)


def _through_a_json_tool(file: pathlib.Path, rng: random.Random) -> None:
    """Another order of names, other white space, other escapes: the same JSON."""
    lines = []
    for line in file.read_bytes().split(b"\n")[:-1]:
        try:
            record = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        names = list(record)
        rng.shuffle(names)
        text = json.dumps({name: record[name] for name in names}, ensure_ascii=rng.random() < 0.5)
        lines.append(text.encode("utf-8", "surrogatepass"))
    file.write_bytes(b"".join(line + b"\n" for line in lines))


def tamper(log: lab.Log, rng: random.Random) -> tuple[str, lab.Log]:
    """Change something at random that an outsider can change, but for cutting the end off."""
    lines = log.lines
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    name = rng.choice(("byte", "edit", "delete", "insert", "move", "duplicate", "several", "field"))
    if name == "byte":
        lines[at] = _other_byte(lines[at], rng)
    elif name == "edit":
        lines[at] = orjson.dumps({**orjson.loads(lines[at]), "message": f"{rng.random()}"}, option=orjson.OPT_SORT_KEYS)
    elif name == "field":
        record = orjson.loads(lines[at])
        said = record["integrity"]
        member = rng.choice(sorted(said))
        said[member] = {
            "key": "k1.3000",
            "mac": "0" * 64,
            "prev": "f" * 64,
            "seq": said["seq"] + 1,
            "stream": "x",
            "v": 2,
        }[member]
        lines[at] = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    elif name == "delete":
        del lines[min(at, len(lines) - 2)]
    elif name == "insert":
        lines.insert(
            at, rng.choice((b"{}", b"", b"no json", b'{"message":"x"}', lines[to].replace(b"export", b"import")))
        )
    elif name == "move":
        to = to if to != at else (at + 1) % len(lines)
        lines.insert(to, lines.pop(at))
    elif name == "duplicate":
        lines.insert(to, lines[at])
    else:
        for _ in range(2):
            _, log = tamper(log, rng)
        return name, log
    return name, log.with_lines(lines)


def _other_byte(line: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(line))
    other = rng.choice([each for each in range(32, 127) if each != line[place]])
    return line[:place] + bytes([other]) + line[place + 1 :]


def run_honest(folder: pathlib.Path, seed: int) -> None:
    """One honest log: no problem may be found."""
    rng = random.Random(seed)
    keys = honest(folder, rng, rng.randrange(5, 60))
    result = lab.verify([folder], keys)
    assert result.intact, (seed, result.problems)
    shutil.rmtree(folder)


def run_tampered(folder: pathlib.Path, base: lab.Log, seed: int) -> Kind | None:
    """One tampering: a problem must be found, unless what is left is what was there."""
    name, log = tamper(base, random.Random(seed))
    same = [orjson.loads(a) for a in log.lines] == base.records if all_json(log) else False
    result = lab.judged(log, folder)
    shutil.rmtree(folder)
    assert result.intact == same, (seed, name, result.problems)
    return result.problems[0].kind if result.problems else None


def all_json(log: lab.Log) -> bool:
    """Whether every line is JSON."""
    try:
        return bool(log.records)
    except ValueError:
        return False

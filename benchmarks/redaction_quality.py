"""How well redaction finds: precision and recall of every detector, on labelled events and on public corpora.

- The project's own set: values made up in the forms that their issuers document (harness/secretforms.py says which), in
  slots of log lines and below keys of nested JSON (harness/labelled.py), among look-alikes that must stay
  (harness/lookalikes.py). It knows nothing of the detectors.
- With --gitleaks and --presidio: the examples of these two packages, from the folder of the unpacked package
  (harness/corpora.py says which version, and how it is had). Nothing of them stands in this repository.

The catalogue is the starter pack's as it stands; what it has switched off (e-mail, telephone) is measured in a run of
its own with everything on. Recall is the share of values that are wholly gone, precision the share of markers that
stand where a secret was. --examples tells what was left and what was taken wrongly.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import pathlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

import yaml
from harness import corpora, labelled, redactors, report, scoring
from harness.labelled import Labelled
from harness.scoring import Score

from provisioner import starter
from provisioner.redaction import Catalogue, Redactor

PER_FORM = 200
AIMS = {"missed": 0.01, "mistaken": 0.001, "alike_changed": 0.0}
SHOWN = 3
"""Examples of each mistake."""


OFF = ("e-mail", "phone")
"""Groups whose detectors are off in the starter pack."""


def everything() -> Redactor:
    """The starter pack's catalogue with every detector on."""
    body = yaml.safe_load(starter.files()["templates/redaction.yml"])
    for detector in body["detectors"]:
        detector.pop("enabled", None)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "redaction.yml")
        file.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
        return Redactor(Catalogue.load(file))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def together(shipped: Score, everything_on: Score) -> Score:
    """The shipped catalogue's score, with what it has switched off as it is when switched on."""
    found = {key: count for key, count in shipped.found.items() if key[0] not in OFF}
    found |= {key: count for key, count in everything_on.found.items() if key[0] in OFF}
    names = {key: (everything_on if key[0] in OFF else shipped).names[key] for key in found}
    markers = {**everything_on.markers, **shipped.markers}
    return Score(found, markers, names, shipped.alike)


def by_group(score: Score) -> str:
    """A table: what was planted, what became of it, and under which detectors it went."""
    rows = []
    for group in sorted({group for group, _ in score.found}):
        counts: Counter[str] = Counter()
        for (name, _), each in score.found.items():
            if name == group:
                counts.update(each)
        gone, planted = score.recall(group)
        names = ", ".join(score.detectors(group)[:4])
        cells = [f"{counts[key]:,}" for key in ("planted", "exact", "wide", "part", "missed")]
        rows.append([group, *cells, _share(gone, planted), names or "-"])
    head = ["what", "planted", "gone exactly", "gone with more", "gone in part", "left", "recall", "found as"]
    return report.table(head, rows)


def by_detector(score: Score) -> str:
    """A table: each detector's markers, right and wrong ones, and the recall of the forms that mostly go under it."""
    homes: dict[str, list[Counter[str]]] = defaultdict(list)
    for (group, form), each in score.found.items():
        likely = [name for name, _ in score.names[group, form].most_common()] or score.detectors(group)
        if likely:
            homes[likely[0]].append(each)
    rows = []
    for name, count in sorted(score.markers.items()):
        planted = sum(each["planted"] for each in homes[name])
        gone = sum(each["exact"] + each["wide"] for each in homes[name])
        markers = count["right"] + count["wrong"]
        precision = _share(count["right"], markers)
        rows.append([name, f"{markers:,}", f"{count['wrong']:,}", precision, f"{planted:,}", _share(gone, planted)])
    return report.table(["detector", "markers", "wrong", "precision", "values of its forms", "recall"], rows)


def by_alike(score: Score) -> str:
    """A table: the look-alikes, and how many events of each were changed."""
    rows = [[kind, f"{count['events']:,}", f"{count['changed']:,}"] for kind, count in sorted(score.alike.items())]
    return report.table(["look-alike", "events", "changed"], rows)


def misses(score: Score) -> str:
    """A table: the forms that are not wholly found, worst first."""
    bad = [(c["planted"] - c["exact"] - c["wide"], form, c) for (_, form), c in score.found.items()]
    rows = [
        [form, f"{c['planted']:,}", f"{c['part']:,}", f"{c['missed']:,}"]
        for n, form, c in sorted(bad, reverse=True, key=lambda x: x[:2])
        if n
    ]
    return report.table(["form", "planted", "in part", "left"], rows)


def _examples(score: Score) -> Iterator[str]:
    """A few of each mistake; all of it is made up or public."""
    for name, found in (("left", score.left), ("wrong", score.wrong)):
        for key, group in itertools.groupby(sorted(found), key=lambda each: each[:2]):
            for _, _, text in itertools.islice(group, SHOWN):
                yield f"{name} {' / '.join(key)}: {text!r}"


def article(events: Iterable[Labelled]) -> tuple[float, float]:
    """Of the article's function: the share of planted texts that can still be read in what it makes of the event, and
    the share of events of which it makes no JSON (it then raises)."""
    left = total = broken = count = 0
    for each in events:
        text = redactors.substituted(each.event)
        count += 1
        try:
            json.loads(text)
        except json.JSONDecodeError:
            broken += 1
        for planted in each.planted:
            if planted.end:
                total += 1
                value = scoring.text_at(each.event, planted.path)[planted.start : planted.end]
                left += json.dumps(value)[1:-1] in text
    return left / total, broken / count


def _told(name: str, score: Score, examples: bool, *tables: str) -> None:
    print(f"\n### {name}\n", *tables, sep="\n\n")
    if examples:
        print("\n", *_examples(score), sep="\n")


def measured(read: Callable[[], Iterable[Labelled]]) -> tuple[Score, Score]:
    """By the shipped catalogue, and with what it has switched off."""
    events = list(read())
    shipped = scoring.score(events, Redactor(Catalogue.shipped()).event)
    return shipped, together(shipped, scoring.score(events, everything().event))


def _claimed(score: Score) -> float:
    """The share that is missed of what the catalogue claims and has switched on."""
    groups = {group for group, _ in score.found} - {corpora.BESIDES, *OFF}
    gone, planted = (sum(each) for each in zip(*map(score.recall, groups), strict=True))
    return 1 - gone / planted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="a small set, no aims: whether the benchmark itself works")
    parser.add_argument("--quick", action="store_true", help="a tenth of the set")
    parser.add_argument("--examples", action="store_true", help="tell some of what was left and what was wrongly taken")
    parser.add_argument("--gitleaks", type=pathlib.Path, metavar="FOLDER", help=corpora.GITLEAKS)
    parser.add_argument("--presidio", type=pathlib.Path, metavar="FOLDER", help=corpora.PRESIDIO)
    chosen = parser.parse_args()
    print(report.machine(), flush=True)
    count = 2 if chosen.check else PER_FORM // 10 if chosen.quick else PER_FORM
    shipped, own = measured(lambda: labelled.labelled(count))
    forms = len({form for _, form in own.found})
    print(f"\n{forms} forms of secrets, {len(own.alike)} kinds of look-alikes, {count} events of each")
    _told("Own set", shipped, chosen.examples, by_detector(own), by_group(own), by_alike(own), misses(own))
    ratios = {"missed": _claimed(own), "mistaken": shipped.mistaken()}
    changed = sum(count["changed"] for count in own.alike.values())
    ratios["alike_changed"] = changed / sum(count["events"] for count in own.alike.values())
    ratios["article_left"], ratios["article_broken"] = article(labelled.labelled(count))
    for name, read, folder in (
        (corpora.GITLEAKS, corpora.gitleaks, chosen.gitleaks),
        (corpora.PRESIDIO, corpora.presidio, chosen.presidio),
    ):
        if folder:
            left, score = measured(functools.partial(read, folder))
            _told(name, left, chosen.examples, by_group(score), misses(score), by_alike(score))
            ratios[f"missed_{read.__name__}"] = _claimed(score)
    print(report.last_line("redaction_quality", ratios, {} if chosen.check else AIMS))


if __name__ == "__main__":
    main()

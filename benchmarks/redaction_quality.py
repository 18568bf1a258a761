"""How well redaction finds: precision and recall of every detector, on labelled events and on public corpora.

- The project's own set: values made up in the forms that their issuers document (harness/secretforms.py says which), in
  slots of log lines and below keys of nested JSON (harness/labelled.py), among look-alikes that must stay
  (harness/lookalikes.py). It knows nothing of the detectors.
- With --gitleaks and --presidio: the examples of these two packages, from the folder of the unpacked package
  (harness/corpora.py says which version, and how it is had). Nothing of them stands in this repository.

Detectors that the catalogue has switched off are switched on. Recall is the share of values that are wholly gone,
precision the share of markers that stand where a secret was. --examples tells what was left and what was taken wrongly.
"""

from __future__ import annotations

import argparse
import itertools
import json
import pathlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator

import yaml
from harness import corpora, labelled, redactors, report, scoring
from harness.labelled import Labelled
from harness.scoring import Redact, Score

from provisioner import starter
from provisioner.redaction import Catalogue, Redactor

PER_FORM = 200
AIMS = {"missed": 0.01, "mistaken": 0.001, "alike_changed": 0.0}
SHOWN = 3
"""Examples of each mistake."""


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


def by_group(score: Score) -> str:
    """A table: what was planted, what became of it, and under which detectors it went."""
    rows = []
    for group in sorted({group for group, _ in score.found}):
        counts: Counter[str] = Counter()
        for (name, _), each in score.found.items():
            if name == group:
                counts.update(each)
        gone, planted = score.recall(group)
        names = ", ".join(name for name, _ in score.groups[group].most_common(4))
        cells = [f"{counts[key]:,}" for key in ("planted", "exact", "wide", "part", "missed")]
        rows.append([group, *cells, _share(gone, planted), names or "-"])
    head = ["what", "planted", "gone exactly", "gone with more", "gone in part", "left", "recall", "found as"]
    return report.table(head, rows)


def by_detector(score: Score) -> str:
    """A table: each detector's markers, right and wrong ones, and the recall of what it is there for."""
    home = {group: names.most_common(1)[0][0] for group, names in score.groups.items() if names}
    rows = []
    for name, count in sorted(score.markers.items()):
        recalls = [score.recall(group) for group, detector in home.items() if detector == name]
        gone, planted = sum(each[0] for each in recalls), sum(each[1] for each in recalls)
        markers = count["right"] + count["wrong"]
        precision = _share(count["right"], markers)
        rows.append([name, f"{markers:,}", f"{count['wrong']:,}", precision, f"{planted:,}", _share(gone, planted)])
    return report.table(["detector", "markers", "wrong", "precision", "values of its groups", "recall"], rows)


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


def _corpora(chosen: argparse.Namespace, redact: Redact) -> Iterator[tuple[str, Score]]:
    for name, read, folder in (
        (corpora.GITLEAKS, corpora.gitleaks, chosen.gitleaks),
        (corpora.PRESIDIO, corpora.presidio, chosen.presidio),
    ):
        if folder:
            yield name, scoring.score(read(folder), redact)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="a small set, no aims: whether the benchmark itself works")
    parser.add_argument("--quick", action="store_true", help="a tenth of the set")
    parser.add_argument("--examples", action="store_true", help="tell some of what was left and what was wrongly taken")
    parser.add_argument("--gitleaks", type=pathlib.Path, metavar="FOLDER", help=corpora.GITLEAKS)
    parser.add_argument("--presidio", type=pathlib.Path, metavar="FOLDER", help=corpora.PRESIDIO)
    chosen = parser.parse_args()
    print(report.machine(), flush=True)
    redact = everything().event
    events = list(labelled.labelled(2 if chosen.check else PER_FORM // 10 if chosen.quick else PER_FORM))
    own = scoring.score(events, redact)
    forms = len({form for _, form in own.found})
    print(f"\n{len(events):,} events; {forms} forms of secrets, {len(own.alike)} kinds of look-alikes", file=sys.stderr)
    _told("Own set", own, chosen.examples, by_detector(own), by_group(own), by_alike(own), misses(own))
    ratios = {"missed": own.missed(), "mistaken": own.mistaken()}
    changed = sum(count["changed"] for count in own.alike.values())
    ratios["alike_changed"] = changed / sum(count["events"] for count in own.alike.values())
    ratios["article_left"], ratios["article_broken"] = article(events)
    for name, score in _corpora(chosen, redact):
        _told(name, score, chosen.examples, by_group(score), misses(score), by_alike(score))
        claimed = [score.recall(group) for group in {group for group, _ in score.found} if group != corpora.BESIDES]
        ratios[f"missed_{name.split()[0]}"] = 1 - sum(c[0] for c in claimed) / sum(c[1] for c in claimed)
    print(report.last_line("redaction_quality", ratios, {} if chosen.check else AIMS))


if __name__ == "__main__":
    main()

"""`provisioner import sigma`: from files of Sigma to files of ours. Nothing is written here."""

from __future__ import annotations

import fnmatch
import hashlib
import pathlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sigma.correlations import SigmaCorrelationRule

from provisioner import lints, source, starter
from provisioner.compile import Compiler
from provisioner.errors import ProvisionerError
from provisioner.rawfile import slugged
from provisioner.sigma import correlating, editing, merging, reading, rules, schemas
from provisioner.sigma import fields as field_names
from provisioner.sigma.converting import Converter, Query
from provisioner.sigma.outcome import Imported, Outcome
from provisioner.sigma.terms import UnsayableError
from provisioner.source import Source
from provisioner.yamlwrite import dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sigma.rule import SigmaRule

    from provisioner.model import Body, Document, Finding
    from provisioner.settings import Settings
    from provisioner.sigma.reading import Entry
    from provisioner.sigma.settings import Pipeline

FOLDER = "rules/detections/sigma"
_COMMENT = "# yaml-language-server: $schema=../../../../provisioner/schemas/rule.json\n"
_QUERY = ("RULE001", "RULE002", "RULE003", "RULE004")
"""Lints of queries: what they say of a rule made here is a reason not to import it."""
_GONE = ("deprecated", "unsupported")
SELECTABLE = ("level", "status", "tag")


@dataclass(slots=True)
class _Candidate:
    """A rule on its way: its keys as a document of ours writes them."""

    entry: Entry
    key: str
    body: Body
    outcome: Outcome
    there: Document | None


@dataclass(slots=True)
class Importer:
    """One import into one repository."""

    root: pathlib.Path
    settings: Settings
    read: Source
    pipeline: Pipeline
    select: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _converter: Converter = field(init=False)
    _fields: field_names.Fields = field(init=False)
    _queries: dict[int, Query | UnsayableError] = field(init=False, default_factory=dict)
    _there: dict[str, Document] = field(init=False)
    _ids: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._fields = field_names.known(self.read, self.pipeline.fields)
        self._converter = Converter(self.pipeline, self._fields)
        own = self.read.of_kind("rule")
        self._ids = {document.id for document in own}
        origins = ((document.body.get("origin"), document) for document in own)
        self._there = {str(o["sigma"]): each for o, each in origins if isinstance(o, dict) and "sigma" in o}

    def run(self, paths: Sequence[str]) -> Imported:
        """Read, convert, check and merge. Raises ProvisionerError."""
        found = reading.read(paths)
        result = Imported()
        result.outcomes += [Outcome(each.file, each.title, "refused", each.reason, each.hint) for each in found.refused]
        candidates = list(self._candidates(found.entries, result))
        try:
            result.files |= schemas.texts(self.root, self.read, self._fields.added)
        except (editing.UneditableError, OSError, ValueError) as error:
            hint = "write its fields in block style, one on each line"
            raise ProvisionerError(f"the schema documents of Sigma can't be extended: {error}", hint) from error
        source_after = self._check(candidates, result.files)
        for candidate in candidates:
            if candidate.outcome.action != "refused":
                self._write(candidate, result)
        result.warnings += schemas.crowded(source_after)
        self._runbook(result)
        return result

    def _candidates(self, entries: Sequence[Entry], result: Imported) -> Iterable[_Candidate]:
        by_name = {str(name): e.rule for e in entries for name in (e.rule.name, e.rule.id) if name}
        folded: dict[str, str] = {}
        for entry in entries:
            if isinstance(entry.rule, SigmaCorrelationRule) and not entry.rule.generate:
                folded.update(dict.fromkeys(correlating.references(entry.rule), str(entry.rule.title)))
        correlator = correlating.Correlator(self._converter, by_name.get, self._query)
        seen: dict[str, str] = {}
        for entry in entries:
            rule = entry.rule
            key = str(rule.id or rule.name or rule.title)
            outcome = Outcome(entry.file, rules.prose(rule.title, 1), "created", log_source=_log_source(rule))
            result.outcomes.append(outcome)
            into = next((folded[str(name)] for name in (rule.id, rule.name) if str(name) in folded), None)
            if into is not None:
                outcome.action, outcome.reason = "folded", f"into the correlation {into!r}"
            elif reason := self._unselected(rule):
                outcome.action, outcome.reason = "skipped", reason
            elif key in seen:
                outcome.action, outcome.reason = "refused", f"{seen[key]} has the same id, {key}"
            else:
                try:
                    candidate = self._candidate(entry, key, outcome, correlator)
                    seen[key] = entry.file
                    yield candidate
                except UnsayableError as error:
                    outcome.action, outcome.reason, outcome.hint = "refused", str(error), error.hint

    def _candidate(self, entry: Entry, key: str, outcome: Outcome, correlator: correlating.Correlator) -> _Candidate:
        """A rule with its keys. Raises UnsayableError."""
        rule = entry.rule
        if isinstance(rule, SigmaCorrelationRule):
            done = correlator.rule(rule)
            keys, log_type, added, notes = done.keys, done.log_type, done.added, done.notes
        else:
            query = self._query(rule)
            keys, log_type, added, notes = (
                {"type": "match", "query": query.text},
                query.log_type,
                query.added,
                query.notes,
            )
        self._fields.keep(log_type, added)
        outcome.notes += notes
        first, last = rules.facts(rule, self.pipeline)
        there = self._there.get(key)
        outcome.id = there.id if there else self._id(outcome.title, key)
        outcome.written = there.origin.file if there else f"{FOLDER}/{log_type}/{outcome.id}.yml"
        return _Candidate(entry, key, {**first, "log_type": log_type, **keys, **last}, outcome, there)

    def _query(self, rule: SigmaRule) -> Query:
        """A rule's query, made once. Raises UnsayableError."""
        if id(rule) not in self._queries:
            try:
                self._queries[id(rule)] = self._converter.query(rule)
            except UnsayableError as error:
                self._queries[id(rule)] = error
        found = self._queries[id(rule)]
        if isinstance(found, UnsayableError):
            raise UnsayableError(str(found), found.hint)
        return found

    def _id(self, title: str, key: str) -> str:
        """An id that no other rule has."""
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        slug = slugged(title).lstrip("-_") or f"sigma-{digest}"
        id_ = next(each for each in (slug, f"{slug}-{digest}") if each not in self._ids)
        self._ids.add(id_)
        return id_

    def _unselected(self, rule: SigmaRule | SigmaCorrelationRule) -> str:
        """Why a rule is not wanted; empty where it is."""
        status = rule.status.name.lower() if rule.status else ""
        values = {
            "level": [rule.level.name.lower() if rule.level else "low"],
            "status": [status],
            "tag": [str(tag).lower() for tag in rule.tags],
        }
        for name, wanted in self.select.items():
            if not any(fnmatch.fnmatchcase(value, pattern.lower()) for value in values[name] for pattern in wanted):
                return f"not selected by {name}"
        if status in _GONE and "status" not in self.select:
            return f"{status} in Sigma"
        return ""

    def _check(self, candidates: Sequence[_Candidate], files: Mapping[str, str]) -> Source:
        """What `validate` would say. A match rule that Alerting can't run becomes a threshold rule."""
        documents = {ref: each for ref, each in self.read.documents.items() if ref[0] != "rule"}
        for file, text in files.items():
            documents.update({(d.kind, d.id): d for d in source.parse(text, file, self.settings.target.vars)[0]})
        compiler = Compiler(self.root, self.settings, self.read)
        open_ = list(candidates)
        for last in (False, True):
            made = {candidate.outcome.id: self._document(candidate) for candidate in open_}
            parsed = {("rule", id_): document for id_, document in made.items() if document}
            problems: dict[str, list[Finding]] = {}
            for finding in lints.run(lints.View(Source({**documents, **parsed}, ()), (), self.settings)):
                problems.setdefault(finding.origin.file, []).append(finding)
            again = []
            for candidate in open_:
                outcome, document = candidate.outcome, made[candidate.outcome.id]
                found = list(compiler.check(document)) if document else []
                found += [f for f in problems.get(f"new/{outcome.id}", []) if f.code in _QUERY]
                if not last and found and {f.code for f in found} == {"RULE002"}:
                    candidate.body = _as_threshold(candidate.body)
                    outcome.notes.append(f"a threshold rule, as no match rule can say it: {found[0].message}")
                    again.append(candidate)
                elif found or document is None:
                    outcome.action = "refused"
                    outcome.reason = found[0].message if found else "it can't be written as YAML"
            open_ = again
        return Source(documents, ())

    def _document(self, candidate: _Candidate) -> Document | None:
        body = {"kind": "rule", "id": candidate.outcome.id, **candidate.body}
        documents, findings = source.parse(dump(body), f"new/{candidate.outcome.id}", self.settings.target.vars)
        return documents[0] if documents and not findings else None

    def _write(self, candidate: _Candidate, result: Imported) -> None:
        """The rule's file: a new one, or the one that is there with what changed."""
        outcome, body = candidate.outcome, candidate.body
        outcome.type = str(body["type"])
        imported = {key: merging.fingerprint(value) for key, value in body.items()}
        origin = {"sigma": rules.prose(candidate.key, 1), "imported": imported}
        if candidate.there is None:
            if (self.root / outcome.written).exists():
                outcome.action, outcome.reason = "refused", f"{outcome.written} exists already"
                return
            head = f"{_COMMENT}{rules.header(candidate.entry.rule, candidate.key)}"
            document = {"kind": "rule", "id": outcome.id, **body, "origin": origin}
            result.files[outcome.written] = head + dump(document)
            return
        try:
            text = result.files.get(outcome.written) or (self.root / outcome.written).read_text(encoding="utf-8")
            there = editing.document(text, outcome.written, "rule", outcome.id)
            merged = merging.merge(body, there.value, _imported(there.value))
            outcome.kept = merged.kept
            outcome.notes += [f"{key} was changed here, and in Sigma too: yours is kept" for key in merged.both]
            changed = dict(merged.changed)
            if there.value.get("origin") != origin:
                changed["origin"] = origin
            if not changed and not merged.removed:
                outcome.action = "unchanged"
                return
            expected = {k: v for k, v in {**there.value, **changed}.items() if k not in merged.removed}
            new = editing.edited(text, there, changed, merged.removed)
            result.files[outcome.written] = editing.checked(new, outcome.written, "rule", outcome.id, expected)
            outcome.action = "updated"
        except (editing.UneditableError, OSError, ValueError) as error:
            outcome.action, outcome.reason = "refused", f"{outcome.written} can't be updated: {error}"

    def _runbook(self, result: Imported) -> None:
        """The runbook of imported rules, where the repository lacks it and the starter pack has it."""
        file = self.pipeline.runbook
        new = any(each.action == "created" for each in result.outcomes)
        if new and file.startswith("docs/") and not (self.root / file).exists():
            there = starter.folder() / file
            if there.is_file():
                result.files[file] = there.read_text(encoding="utf-8")


def _as_threshold(body: Body) -> Body:
    """The same rule as one that Alerting's aggregations run: any event that the query finds."""
    keys: Body = {}
    for key, value in body.items():
        keys[key] = "threshold" if key == "type" else value
        if key == "query":
            keys["threshold"] = {"count": 1, "within": body["schedule"]}
    return keys


def _imported(body: Body) -> Mapping[str, str]:
    origin = body.get("origin")
    found = origin.get("imported") if isinstance(origin, dict) else None
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _log_source(rule: SigmaRule | SigmaCorrelationRule) -> str:
    if isinstance(rule, SigmaCorrelationRule):
        return f"correlation/{rule.type.name.lower()}"
    source_ = rule.logsource
    return "/".join(str(part) for part in (source_.product, source_.category, source_.service) if part)

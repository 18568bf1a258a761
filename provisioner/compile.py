"""Documents into desired resources, through the body templates. No cluster is asked."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from provisioner import (
    compilefindings,
    durations,
    messages,
    querystring,
    rulepacks,
    schema,
    scriptfiles,
    shares,
    starter,
)
from provisioner.bodytemplates import TemplateError, Templates
from provisioner.mentions import attaches, mentions
from provisioner.model import ACCESS_KINDS, Body, Document, Finding, Origin, Ref, Resource
from provisioner.shares import alone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from provisioner.settings import Settings
    from provisioner.shares import Doer
    from provisioner.source import Source

RESOURCE_KINDS = {
    "schema": ("component_template", "schema/schema.yml.j2"),
    "component_template": ("component_template", "index/component_template.yml.j2"),
    "index_template": ("index_template", "index/index_template.yml.j2"),
    "data_stream": ("data_stream", "index/data_stream.yml.j2"),
    "ingest_pipeline": ("ingest_pipeline", "pipelines/ingest_pipeline.yml.j2"),
    "redaction": ("ingest_pipeline", "pipelines/redaction.yml.j2"),
    "retention": ("ism_policy", "policies/retention.yml.j2"),
    "channel": ("channel", "channels/channel.yml.j2"),
    "rule": ("monitor", "monitors/{type}.yml.j2"),
    "role": ("role", "access/role.yml.j2"),
    "role_mapping": ("role_mapping", "access/role_mapping.yml.j2"),
    "user": ("user", "access/user.yml.j2"),
    "raw": ("{resource}", "raw.yml.j2"),
}
"""Document kind: the kind of resource that it becomes, and its body template."""


Made = tuple[list[Resource | Finding | None], frozenset[str]]
"""What becomes of some documents, and the files that they name."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What should exist, in the order of the documents, and what compiling them found."""

    resources: tuple[Resource, ...]
    findings: tuple[Finding, ...]


def cluster_name(kind: str, id_: str, settings: Settings) -> str:
    """A document's name in the cluster."""
    return f"logs-{id_}-{settings.target.namespace}" if kind == "data_stream" else f"{settings.owner}-{id_}"


@dataclass(slots=True)
class Compiler:
    """Turns the documents of one repository into resources for one target.

    `files` are those that documents named by a path of their own, relative to the repository; `shown` the documents
    that templates looked up, as they see them: no template can change one.
    """

    root: pathlib.Path
    settings: Settings
    source: Source
    templates: Templates = field(init=False)
    rule_types: list[str] = field(init=False)
    rule_schemas: dict[str, Body] = field(init=False, default_factory=dict)
    raw: dict[Ref, Document] = field(init=False)
    files: set[str] = field(init=False, default_factory=set)
    shown: dict[Ref, dict[str, Any]] = field(init=False, default_factory=dict)
    aliases: dict[Any, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.templates = Templates([self.root / "templates", starter.folder() / "templates"])
        self.rule_types = schema.rule_types(self.templates.folders)
        self.raw = {(str(raw.body.get("resource")), raw.id): raw for raw in self.source.of_kind("raw")}

    def run(self, share: Doer = alone) -> Desired:
        """Check every document against its schema, and render each one that passed.

        `share` says who renders, where they are many. What fails because it needs a document that did not pass says
        nothing: that one's own findings say it.
        """
        problems = {ref: list(self.check(document)) for ref, document in self.source.documents.items()}
        findings = [finding for found in problems.values() for finding in found]
        resources: dict[Ref, Resource] = {}
        passed = [document for ref, document in self.source.documents.items() if not problems[ref]]
        documents = list(rulepacks.packed(passed, self.rule_schemas))
        parts = shares.cut(documents, lambda document: len(rulepacks.rules(document)) or 1)
        refused = {ref for ref, found in problems.items() if found}
        made = share(lambda number: self._made(parts[number], refused), len(parts))
        self.files.update(*(files for _, files in made))
        for document, found in zip(documents, chain.from_iterable(each for each, _ in made), strict=True):
            if isinstance(found, Finding):
                findings.append(found)
            elif found is not None:
                resource = replace(found, document=document)
                if (first := resources.setdefault(resource.ref, resource)) is not resource:
                    findings.append(compilefindings.collision(first, resource))
        resources = {ref: _bound(resource, resources) for ref, resource in resources.items()}
        return Desired(tuple(resources.values()), (*findings, *compilefindings.circles(resources)))

    def _made(self, documents: Sequence[Document], refused: Collection[Ref]) -> Made:
        """What becomes of these, and the files that they name."""
        return [self._became(document, refused) for document in documents], frozenset(self.files)

    def _became(self, document: Document, refused: Collection[Ref]) -> Resource | Finding | None:
        """A document's resource, without the document; nothing for what becomes none."""
        seen: list[Document] = []
        try:
            if document.kind == "shipper":
                self.text(document, f"shippers/{document.id}.j2", seen)
            elif document.kind in RESOURCE_KINDS and self._wanted(document):
                return replace(self.resource(document, seen), document=None)
        except TemplateError as error:
            if not any((other.kind, other.id) in refused for other in seen):
                return compilefindings.problem(document, error)
        return None

    def _wanted(self, document: Document) -> bool:
        return self.identity(document)[0] not in ACCESS_KINDS or self.settings.target.access

    def identity(self, document: Document) -> Ref:
        """Kind and name in the cluster of what a document becomes; a raw one says both itself."""
        kind = RESOURCE_KINDS[document.kind][0].format(**document.body)
        if document.kind == "rule":
            about = self.rule_schemas.get(str(document.body.get("type")), {})
            if "x-pack" in about and not rulepacks.rules(document):
                raise ValueError(f"the rule {document.id!r} shares its monitor with others")
            kind = about.get("x-resource", kind)
        if document.kind == "raw":
            return kind, document.body["name"]
        return kind, cluster_name(document.kind, document.id, self.settings)

    def check(self, document: Document) -> Iterator[Finding]:
        """What the document's JSON Schema says; a rule's is that of its type together with what all rules have."""
        common = schema.load(document.kind)
        if document.kind == "raw":
            yield from list(schema.check(document, common)) or compilefindings.named_otherwise(document)
            return
        if document.kind != "rule" or not isinstance(type_ := document.body.get("type"), str):
            yield from schema.check(document, common)
            return
        if type_ not in self.rule_types:
            hint = schema.suggest(type_, self.rule_types, "types")
            yield Finding("DOC002", f"there is no rule type {schema.show(type_)}", document.at(("type",)), hint)
            return
        name = f"monitors/{type_}.schema.json"
        try:
            if type_ not in self.rule_schemas:
                self.rule_schemas[type_] = schema.combine(common, schema.parse(self.templates.read(name)))
            yield from list(schema.check(document, self.rule_schemas[type_]))
        except (OSError, ValueError, schema.BrokenSchemaError) as error:
            yield Finding("TPL001", f"no usable JSON Schema: {error}", Origin(f"templates/{name}"), "mend the schema")

    def resource(self, document: Document, seen: list[Document] | None = None) -> Resource:
        """Render one document; `seen` takes those that its template looks at, itself first. Raises TemplateError."""
        template = RESOURCE_KINDS[document.kind][1]
        dependencies: set[Ref] = set()
        body = self.templates.render(template.format(**document.body), self.context(document, dependencies, seen))
        if not isinstance(body, dict):
            raise TemplateError("the body template gives no mapping", f"templates/{template}")
        if document.kind != "raw" and scriptfiles.may_name_one(body):
            body = scriptfiles.inlined(body, document, self._text)
        kind, key = self.identity(document)
        return Resource(kind, key, body, document.origin, frozenset(dependencies - {(kind, key)}), document)

    def text(self, document: Document, template: str, seen: list[Document] | None = None) -> str:
        """Render a template that gives a text file, such as a shipper's configuration. Raises TemplateError."""
        return self.templates.text(template, self.context(document, set(), seen))

    def context(self, document: Document, dependencies: set[Ref], seen: list[Document] | None = None) -> dict[str, Any]:
        """The names that a body template sees; `ref` adds to the dependencies, and every look to `seen`."""
        seen = [] if seen is None else seen
        seen.append(document)

        def find(kind: str, id_: str) -> Document:
            becomes = RESOURCE_KINDS.get(kind, ("",))[0]
            found = self.source.documents.get((kind, id_)) or self.raw.get((becomes, id_))
            if found is None:
                known = [other.id for other in self.source.of_kind(kind)]
                known += [id_ for resource, id_ in self.raw if resource == becomes]
                raise compilefindings.MissingReferenceError(kind, id_, known, seen)
            seen.append(found)
            return found

        def lookup(kind: str, id_: str) -> dict[str, Any]:
            found = find(kind, id_)
            return self.shown.get((kind, id_)) or self.shown.setdefault((kind, id_), _shown(found))

        def documents(kind: str) -> list[dict[str, Any]]:
            found = sorted(self.source.of_kind(kind), key=lambda other: other.id)
            seen.extend(found)
            return [_shown(other) for other in found]

        def ref(kind: str, id_: str) -> str:
            if kind not in RESOURCE_KINDS:
                raise ValueError(f"a {kind} becomes nothing in the cluster: use lookup for it")
            found = self.identity(find(kind, id_))
            dependencies.add(found)
            return found[1]

        def query_fields(query: str) -> list[str]:
            names = self.aliases or self._find_aliases(documents("schema"))
            seen.extend(self.source.of_kind("schema"))
            return sorted({names.get(field, field) for field in querystring.fields(query)}) or ["@timestamp"]

        def script(id_: str) -> dict[str, Any]:
            found = find("ingest_pipeline", id_)
            return scriptfiles.callable_script(scriptfiles.inlined(_shown(found), found, self._text, within=True))

        def read(name: str) -> str:
            return self.templates.read(name)

        return {
            "doc": _shown(document),
            "owner": self.settings.owner,
            "namespace": self.settings.target.namespace,
            "target": self._target(),
            "name": lambda id_: f"{self.settings.owner}-{id_}",
            "ref": ref,
            "lookup": lookup,
            "documents": documents,
            "ms": durations.ms,
            "period": durations.period,
            "read": read,
            "script": script,
            "query_fields": query_fields,
            "fill": messages.fill,
            "sections": messages.sections,
        }

    def _target(self) -> dict[str, Any]:
        target = self.settings.target
        catch = target.catch and dict(target.catch)
        return {"name": target.name, "vars": dict(target.vars), "schedule": target.schedule, "catch": catch}

    def _find_aliases(self, schemas: Iterable[Body]) -> Mapping[Any, str]:
        """The fields by their names in ECS; found once for all rules."""
        fields = [pair for each in schemas for pair in each["fields"].items()]
        self.aliases.update({about.get("ecs"): name for name, about in fields})
        return self.aliases

    def _text(self, name: str, document: Document) -> str:
        """A file beside a document; of the starter pack's where the repository has none. Raises TemplateError."""
        for root in (self.root, starter.folder()):
            if file := scriptfiles.beside(root, name, document):
                if root == self.root:
                    self.files.add(file.relative_to(root.resolve()).as_posix())
                return scriptfiles.text(file, name, document)
        raise TemplateError(f"there is no file {schema.show(name)} beside the document", document.origin.file)


def _shown(document: Document) -> dict[str, Any]:
    """A document as body templates see it: its id stands in for a title that it does not give.

    A raw channel shows its type where a channel's document does.
    """
    type_ = {}
    if (
        document.kind == "raw"
        and document.body.get("resource") == "channel"
        and isinstance(document.body["body"], dict)
    ):
        type_ = {"type": document.body["body"].get("config_type")}
    return {"id": document.id, "title": document.id, **type_, **document.body}


def _bound(resource: Resource, others: Mapping[Ref, Resource]) -> Resource:
    """With a dependency on everything wanted that its body names, whether its template asked for that or not.

    A data stream comes after its retention too: ISM attaches a policy only to what is made later.
    """
    named = {ref for ref in mentions(resource.kind, resource.body, resource.key) if ref in others}
    if resource.kind == "data_stream":
        policies = (other for other in others.values() if other.kind == "ism_policy")
        named |= {policy.ref for policy in policies if attaches(policy.body, resource.key)}
    return replace(resource, depends_on=(resource.depends_on | named) - {resource.ref})

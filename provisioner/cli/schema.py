"""`provisioner schema`: the JSON Schema of a document kind, for editors and other tools."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli._common import HERE, RepositoryOption, print_json


def run(
    kind: Annotated[str | None, typer.Argument(help="A document kind, or `provisioner` for provisioner.yml.")] = None,
    rule_type: Annotated[
        str | None, typer.Option("--type", help="With `rule`: the keys of this rule type too.")
    ] = None,
    root: RepositoryOption = HERE,
) -> None:
    """Print a JSON Schema (draft 2020-12); without a kind, the names of all kinds and rule types."""
    import orjson

    from provisioner import bodytemplates, schema, starter
    from provisioner.errors import ProvisionerError

    templates = bodytemplates.Templates([root / "templates", starter.folder() / "templates"])
    types = schema.rule_types(templates.folders)
    if kind is None:
        print("\n".join([*schema.kinds(), *(f"rule --type {name}" for name in types)]))
        return
    try:
        found = schema.load(kind)
    except KeyError:
        raise ProvisionerError(f"there is no kind {kind!r}", schema.suggest(kind, schema.kinds(), "kinds")) from None
    if rule_type is not None:
        if kind != "rule" or rule_type not in types:
            raise ProvisionerError(f"there is no rule type {rule_type!r}", schema.suggest(rule_type, types, "types"))
        found = schema.combine(found, orjson.loads(templates.read(f"monitors/{rule_type}.schema.json")))
    print_json(found)

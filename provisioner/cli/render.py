"""`provisioner render`: what would be sent to the cluster, without sending it."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, load, print_json


def run(
    name: Annotated[
        str | None, typer.Argument(help="Only documents with this id, or resources with this name.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only this kind of resource, or `shipper`.")] = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Print the rendered bodies, secrets as references; with `--kind shipper` the configuration of a shipper."""
    import yaml

    from provisioner import schema
    from provisioner.compile import Compiler
    from provisioner.errors import ProvisionerError

    loaded = load(root, target, output)
    if kind == "shipper":
        compiler = Compiler(root, loaded.settings, loaded.source)
        shippers = [document for document in loaded.source.of_kind("shipper") if name in (None, document.id)]
        for document in shippers:
            print(compiler.text(document, f"shippers/{document.id}.j2"))
        if not shippers:
            there = [document.id for document in loaded.source.of_kind("shipper")]
            raise ProvisionerError(f"there is no shipper {name!r}", schema.suggest(str(name), there, "there are"))
        return
    owner = loaded.settings.owner
    chosen = [
        r for r in loaded.resources if kind in (None, r.kind) and name in (None, r.key, r.key.removeprefix(f"{owner}-"))
    ]
    if not chosen:
        kinds = {r.kind for r in loaded.resources}
        names = {r.key.removeprefix(f"{owner}-") for r in loaded.resources if kind in (None, r.kind)}
        if kind is not None and kind not in kinds:
            hint = schema.suggest(kind, kinds | {"shipper"}, "kinds")
        else:
            hint = schema.suggest(str(name), names, "names")
        raise ProvisionerError("nothing has this kind and name", hint)
    if output is Output.JSON:
        print_json([{"kind": r.kind, "key": r.key, "body": r.body} for r in chosen])
        return
    for resource in chosen:
        print(f"# {resource.kind} {resource.key}  ({resource.origin})")
        print(yaml.dump(resource.body, sort_keys=False, allow_unicode=True, width=110))

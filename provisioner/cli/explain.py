"""`provisioner explain`: what a finding's code means."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from provisioner.cli._common import Output, OutputOption, out, print_json, show


def run(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="The code of a finding, such as RULE001; default: all codes.")
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Explain a finding's code: what is wrong, why it matters, an example, how to mend it; without one, list all."""
    from provisioner import pages, schema
    from provisioner.errors import ProvisionerError

    known = pages.all_pages()
    if code is None:
        if output is Output.JSON:
            print_json({"codes": [{"code": each.code, "title": each.title} for each in known.values()]})
            return
        width = max(map(len, known))
        show(Text(f"{each.code:<{width}}  {each.title}") for each in known.values())
        return
    found = known.get(code.upper())
    if found is None:
        raise ProvisionerError(f"there is no code {code!r}", schema.suggest(code.upper(), known, "codes"))
    if output is Output.JSON:
        print_json({"code": found.code, "title": found.title, "text": found.text})
    else:
        out.print(found.text, markup=False, end="")

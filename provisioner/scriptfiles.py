"""Scripts whose text is a file beside the document that names it: `source: {file: name.painless}`.

With `call: name` beside it the file holds functions only, of which that one is called with the event and the script's
params. Such a script can also run within another one, which calls it by itself.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.bodytemplates import TemplateError, file_below
from provisioner.values import mapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.model import Body, Document

    Read = Callable[[str, Document], str]


def may_name_one(body: Body) -> bool:
    """Whether a file may stand for a script's text: most bodies name none, and looking at their JSON is far faster."""
    try:
        return b'"source":{"file":' in orjson.dumps(body)
    except orjson.JSONEncodeError:
        return True


def inlined(value: Any, document: Document, read: Read, *, within: bool = False) -> Any:
    """The value with texts where it names files, and with the statement that a `call` stands for at their end; `within`
    another script that calls it the `call` stays as it is."""
    if isinstance(value, list):
        return [inlined(child, document, read, within=within) for child in value]
    if not isinstance(value, dict):
        return value
    source = value.get("source")
    if not (isinstance(source, dict) and set(source) == {"file"} and isinstance(source["file"], str)):
        return {key: inlined(child, document, read, within=within) for key, child in value.items()}
    made = {**value, "source": read(source["file"], document)}
    if not within and "call" in value:
        made["source"] += f"\n{made.pop('call')}(ctx, params);\n"
    return made


def callable_script(pipeline: Body) -> Body:
    """The script that is the pipeline's only processor, and that can be called. Raises ValueError."""
    first, *more = pipeline["processors"]
    script = mapping(first.get("script"))
    if more or "call" not in script:
        raise ValueError(
            f"ingest_pipeline {pipeline['id']} is not one script with a `call`: it can't run within another"
        )
    return script


def beside(root: pathlib.Path, name: str, document: Document) -> pathlib.Path | None:
    """The file of that name in the document's folder below a root, if it is there."""
    return file_below(root, str(pathlib.PurePosixPath(document.origin.file).parent / name))


def text(file: pathlib.Path, name: str, document: Document) -> str:
    """What is in it. Raises TemplateError."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{name} can't be read: {error}", document.origin.file) from error

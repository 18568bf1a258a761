"""Body templates: YAML with Jinja2, sandboxed and strict; the environment itself encodes every value as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jinja2
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from provisioner import yamlfile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# YAML refuses these raw, JSON does not: controls, surrogates, the byte order mark, line separators.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class TemplateError(Exception):
    """A body template can't be rendered; `where` is the template's file and line."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(message)
        self.where = where


def encode(value: Any) -> Markup:
    """A value as JSON that is YAML as well. What is marked as encoded already stays as it is."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, jinja2.Undefined):
        value._fail_with_undefined_error()
    text = json.dumps(value, ensure_ascii=False)
    return Markup(_NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text))  # noqa: S704 (JSON, never HTML)


@jinja2.pass_eval_context
def _finalize(_: Any, value: Any) -> Markup:
    """`encode`; with a context, because Jinja2 folds constants otherwise and marks them before we see them."""
    return encode(value)


class _Environment(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """`doc.keys` is the document's key of that name, not a method of Python's dictionaries."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


class Templates:
    """The body templates of a repository, those of the starter pack behind them."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self.environment = _Environment(
            loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
            undefined=jinja2.StrictUndefined,
            autoescape=True,  # makes macros give Markup, which `encode` then leaves alone
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters["tojson"] = encode

    def read(self, name: str) -> str:
        """The text of a file below templates/; FileNotFoundError where there is none."""
        for folder in self.folders:
            file = (folder / name).resolve()
            if file.is_relative_to(folder.resolve()) and file.is_file():
                return file.read_text(encoding="utf-8")
        raise FileNotFoundError(f"there is no file {name!r} below templates/")

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return any((folder / name).is_file() for folder in self.folders)

    def render(self, name: str, context: Mapping[str, Any]) -> Any:
        """The template's value with this context. Raises TemplateError with the template's line."""
        text = self.text(name, context)
        try:
            documents, findings = yamlfile.read(text, f"templates/{name} (rendered)")
        except yaml.YAMLError as error:
            raise TemplateError(str(error), f"templates/{name}") from error
        if findings:
            raise TemplateError(findings[0].message, str(findings[0].origin))
        return documents[0].value if documents else {}

    def text(self, name: str, context: Mapping[str, Any]) -> str:
        """The template's text with this context. Raises TemplateError with the template's line."""
        try:
            return self.environment.get_template(name).render(context)
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"there is no body template templates/{error.name}", f"templates/{name}") from error
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                error.message or "syntax error", f"templates/{error.name or name}:{error.lineno}"
            ) from error
        except (jinja2.TemplateError, ValueError, TypeError, KeyError, FileNotFoundError, ArithmeticError) as error:
            raise TemplateError(str(error), f"templates/{name}:{_line(error)}") from error


def _line(error: Exception) -> int:
    """The template's line in a traceback: Jinja2 rewrites the frames of its templates to their own lines."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__jinja_template__") or trace.tb_frame.f_code.co_filename.endswith(".j2"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line

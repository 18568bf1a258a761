"""Body templates: YAML with Jinja2, sandboxed and strict; the environment itself encodes every value as JSON."""

from __future__ import annotations

import contextlib
import json
import re
from functools import partial
from types import BuiltinMethodType, FunctionType
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from provisioner import yamlfile
from provisioner.yamlforms import Encoded, Forms, Pieces, UnfitError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provisioner.yamlnodes import Stretch

# Unicode's noncharacters, for a program's own use: they mark where a printed value begins and ends, and a value that a
# macro wrote in brackets.
_BEGIN, _END, _OPEN, _CLOSE = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_MARKS = re.compile(f"[{_BEGIN}{_END}{_OPEN}{_CLOSE}]")
_BRACKETS = re.compile(f"([{_OPEN}{_CLOSE}])")
_PRINTED = re.compile(f"{_BEGIN}([0-9]+){_END}|([{_OPEN}{_CLOSE}])")

_ODD = re.compile(f"[{_BEGIN}{_END}{_OPEN}{_CLOSE}\ud800-\udfff]")
_LARGEST = 10**17
_DEEPEST = 30

# YAML refuses these raw, JSON does not: controls, surrogates, the byte order mark, line separators.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class TemplateError(Exception):
    """A body template can't be rendered; `where` is the template's file and line."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(message)
        self.where = where


class Printed(str):
    """What a macro, a block or a template printed, its values encoded and marked. It is printed as it is."""

    __slots__ = ()


def kept(value: Any) -> Any:
    """A value as it is kept until its text is read: itself where JSON and YAML have it just so, else encoded."""
    if type(value) is str and value.isascii():
        return value
    try:
        return _plain(value, 0)
    except UnfitError:
        return encode(value)


def _plain(value: Any, depth: int) -> Any:
    """A copy of a value that any way of reading gives back the same. Raises UnfitError."""
    kind = type(value)
    if kind is str:
        if value.isascii() or not _ODD.search(value):
            return value
    elif kind is list or kind is tuple:
        if depth < _DEEPEST:
            return [_plain(child, depth + 1) for child in value]
    elif kind is dict:
        if depth < _DEEPEST:
            return {_key(key): _plain(child, depth + 1) for key, child in value.items()}
    elif value is None or kind is bool or (kind is int and -_LARGEST < value < _LARGEST):
        return value
    raise UnfitError


def _key(key: Any) -> str:
    if type(key) is str and (key.isascii() or not _ODD.search(key)):
        return key
    raise UnfitError


def encode(value: Any) -> Encoded:
    """A value as JSON that is YAML as well."""
    if isinstance(value, Encoded):
        return value
    text = _ENCODER.encode(value)
    if _MARKS.search(text):
        raise ValueError(
            "what a macro printed is used as a value, or cut: give the values to the macro as they shall be"
        )
    return Encoded(_NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def _refuse(value: Any) -> Any:
    if isinstance(value, jinja2.Undefined):
        value._fail_with_undefined_error()
    raise TypeError(f"a {type(value).__name__} is no value of JSON")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_refuse)


def _print(values: list[Any], _: Any, value: Any) -> str:
    """What stands in the text for a printed value, which joins the others.

    With the second argument, what Jinja2 is about to print, it prints no constants while it compiles.
    """
    if not isinstance(value, Printed):
        values.append(kept(value))
        return f"{_BEGIN}{len(values) - 1}{_END}"
    return f"{_OPEN}{value}{_CLOSE}" if value.lstrip()[:1] in ("[", "{") else value


_OF_MAPPINGS = frozenset(dir(dict))
_OF_TEXT = frozenset({"join", "lower", "replace", "split", "startswith", "endswith", "strip", "upper"})


class _Environment(ImmutableSandboxedEnvironment):
    concat = staticmethod(lambda parts: Printed("".join(parts)))  # macros, blocks and whole templates end here

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Refuse our own marks, and the two blocks that change what is printed already, behind the encoder's back."""
        if mark := _MARKS.search(source):
            message = f"the character U+{ord(mark[0]):04X} can't stand in body templates"
            raise jinja2.TemplateSyntaxError(message, source.count("\n", 0, mark.start()) + 1, name)
        tree = super()._parse(source, name, filename)
        for block in tree.find_all((nodes.FilterBlock, nodes.ScopedEvalContextModifier)):
            raise jinja2.TemplateSyntaxError("no filter or autoescape blocks in body templates", block.lineno, name)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`doc.keys` is the document's key of that name, not a method of Python's dictionaries."""
        if isinstance(obj, dict):
            if attribute in obj:
                return obj[attribute]
            if type(obj) is dict and attribute not in _OF_MAPPINGS:
                return self.undefined(obj=obj, name=attribute)
        if attribute in _OF_TEXT and isinstance(obj, str):
            return getattr(obj, attribute)  # what the sandbox would find out anew each time: these are harmless
        return super().getattr(obj, attribute)

    def call(self, context: Any, function: Any, /, *arguments: Any, **named: Any) -> Any:
        """A plain function, as our own are, is called at once: the sandbox would look for marks that it has not."""
        kind = type(function)
        if kind is not BuiltinMethodType and (kind is not FunctionType or function.__dict__):
            return super().call(context, function, *arguments, **named)
        named.pop("_loop_vars", None)  # what Jinja2 adds for functions that take its context
        named.pop("_block_vars", None)
        return function(*arguments, **named)


def file_below(folder: Path, name: str) -> Path | None:
    """The file of this name in a folder, links followed; None where there is none, or where it lies elsewhere."""
    try:
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a name too long or with NUL in it; links in a circle
        return None


class Templates:
    """The body templates of a repository, those of the starter pack behind them."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self._texts: dict[str, str] = {}
        self._forms = Forms()
        self._values: list[Any] = []  # all that were printed: modules that Jinja2 keeps hold numbers of old ones
        self.environment = _Environment(
            loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
            undefined=jinja2.StrictUndefined,
            finalize=jinja2.pass_eval_context(partial(_print, self._values)),
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters["tojson"] = encode

    def read(self, name: str) -> str:
        """The text of a file below templates/; FileNotFoundError where there is none, UnicodeDecodeError, OSError."""
        if name in self._texts:
            return self._texts[name]
        for folder in self.folders:
            if file := file_below(folder, name):
                return self._texts.setdefault(name, file.read_text(encoding="utf-8"))
        raise FileNotFoundError(f"there is no file {name!r} below templates/")

    def render(self, name: str, context: Mapping[str, Any]) -> Any:
        """The template's value with this context. Raises TemplateError with the template's line.

        Every printed value must be one in YAML too: in quotes (`"{{ x }}"`) its own quotes would end them.
        """
        printed = self._printed(name, context)
        with contextlib.suppress(UnfitError):
            return self._forms.value(self._taken_apart(printed))
        text, values = self._unmarked(printed)
        documents, findings = yamlfile.rendered(text, f"templates/{name} (rendered)", values)
        if findings:
            raise TemplateError(f"{findings[0].message}; {findings[0].hint}", str(findings[0].origin))
        return documents[0] if documents else {}

    def text(self, name: str, context: Mapping[str, Any]) -> str:
        """The template's text with this context. Raises TemplateError with the template's line."""
        return self._unmarked(self._printed(name, context))[0]

    def _printed(self, name: str, context: Mapping[str, Any]) -> str:
        try:
            return str(self.environment.get_template(name).render(context))
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"there is no body template templates/{error.name}", f"templates/{name}") from error
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                error.message or "syntax error", f"templates/{error.name or name}:{error.lineno}"
            ) from error
        except RecursionError as error:
            raise TemplateError("a macro calls itself without end", f"templates/{name}") from error
        except Exception as error:  # a template is code of the user's: whatever it raises is a mistake in it
            words = str(error) if isinstance(error, (jinja2.TemplateError, ValueError, OSError)) else repr(error)
            raise TemplateError(words, f"templates/{name}:{_line(error)}") from error

    def _taken_apart(self, printed: str) -> Pieces:
        """The pieces of a text around its printed values, and those. Raises UnfitError."""
        stack = [Pieces([], [])]
        for part in printed.split(_BEGIN):
            if stack[-1].around:
                number, _, text = part.partition(_END)
                stack[-1].values.append(self._values[int(number)])
            else:
                text = part
            first, *brackets = _BRACKETS.split(text) if _OPEN in text or _CLOSE in text else (text,)
            stack[-1].around.append(first)
            for bracket, behind in zip(brackets[::2], brackets[1::2], strict=True):
                if bracket == _OPEN:
                    stack.append(Pieces([behind], []))
                    continue
                done = stack.pop()
                if not stack:
                    raise UnfitError
                stack[-1].values.append(done)
                stack[-1].around.append(behind)
        return stack[0]

    def _unmarked(self, printed: str) -> tuple[str, list[Stretch]]:
        """The text with its values encoded, and where they stand in it."""
        first, *parts = _PRINTED.split(printed)
        pieces, position = [first], len(first)
        values: list[Stretch] = []
        for number, text in zip(parts[::3], parts[2::3], strict=True):
            if number is not None:
                value = encode(self._values[int(number)])
                values.append((position, position + len(value)))
                pieces.append(value)
                position += len(value)
            pieces.append(text)
            position += len(text)
        return "".join(pieces), values


def _line(error: Exception) -> int:
    """The template's line in a traceback: Jinja2 rewrites the frames of its templates to their own lines."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__jinja_template__") or trace.tb_frame.f_code.co_filename.endswith(".j2"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line

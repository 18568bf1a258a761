"""The import rules of docs/architecture.md, read from the source itself."""

import ast
import pathlib
from graphlib import TopologicalSorter

import pytest

import provisioner
from provisioner import kinds

PACKAGE = pathlib.Path(provisioner.__file__).parent
PURE = (
    "model",
    "errors",
    "yamlfile",
    "yamlnodes",
    "yamlplain",
    "yamlloader",
    "yamlplaces",
    "schema",
    "diff",
    "graph",
    "plan",
    "fingerprint",
    "durations",
)
PURE += ("bodytemplates", "compile", "source", "lints", "querystring", "regexes", "yamldiff", "yamltext", "mentions")
PURE += ("terms", "batches", "values", "audit.events", "holds")
PURE += (
    "risks",
    "limits",
    "quantities",
    "secretplaces",
    "known",
    "releases",
    "marks",
    "packs",
    "rulepacks",
    "shares",
    "messages",
)
PURE += ("attack", "watching", "coverage", "querysyntax", "pages", "ruletest.chains", "schedule")
PURE += ("redaction.tables", "redaction.markers", "redaction.keys", "redaction.finders", "redaction.numbers")
PURE += ("redaction.anchored",)
PURE += ("redaction.words", "redaction.texts", "redaction.walk", "redaction.lines", "redaction.redactor")
PURE += ("ruletest.events", "ruletest.runs", "ruletest.expect", "ruletest.cases", "ruletest.searches")
PURE += tuple(f"integrity.{n}" for n in ("canonical", "complete", "format", "keys", "notes", "signing", "head"))
PURE += tuple(f"integrity.{n}" for n in ("merkle", "checkpoint", "scan", "verdict", "gaps", "judge", "checking"))
IMPURE = ("provisioner.client", "provisioner.cli", "provisioner.kinds", "provisioner.devcluster", "opensearchpy")
LONGEST = 320  # "about 300"
TABLES = {  # data more than code: one row for each type of query and aggregation, measured on the server
    "provisioner.devcluster.standin.alerting.forms.queries": 450,
    "provisioner.devcluster.standin.alerting.forms.aggregations": 450,
}


def _name(file):
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_name(file): file for file in sorted(PACKAGE.rglob("*.py")) if "starter" not in file.parts}
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in FILES.items()}


def _only_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _statements(node, *, types, lazy):
    """All nodes that run at the import; with `types` those below TYPE_CHECKING too, with `lazy` those in functions."""
    for child in ast.iter_child_nodes(node):
        if _only_types(child) and not types:
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not lazy:
            continue
        yield child
        yield from _statements(child, types=types, lazy=lazy)


def imports(name, *, types=True, lazy=True):
    """Modules that a module imports, its own packages by their full names."""
    package = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in _statements(TREES[name], types=types, lazy=lazy):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names if f"{module}.{alias.name}" in FILES)


def within(name, packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_the_rules_see_the_package():
    assert "provisioner.client" in set(imports("provisioner.cluster"))
    assert "provisioner.kinds._common" in set(imports("provisioner.kinds.monitor"))
    assert "provisioner.client" not in set(imports("provisioner.kinds", types=False))
    assert "provisioner.repository" in set(imports("provisioner.cli._common", types=False))
    assert "provisioner.repository" not in set(imports("provisioner.cli._common", types=False, lazy=False))
    assert len(FILES) > 50


@pytest.mark.parametrize("name", [n for n in FILES if within(n, [f"provisioner.{pure}" for pure in PURE])])
def test_the_pure_core_knows_no_client_no_command_line_and_no_kind(name):
    assert [imported for imported in imports(name) if within(imported, IMPURE)] == []


@pytest.mark.parametrize("name", [f"provisioner.{pure}" for pure in PURE])
def test_what_the_pure_core_imports_is_pure_as_well(name):
    """Not by detours either: everything that comes along at run time is free of the client too."""
    seen, open_ = set(), [name]
    while open_:
        found = open_.pop()
        if found in FILES and found not in seen:
            seen.add(found)
            open_ += imports(found, types=False)
    assert [imported for found in seen for imported in imports(found, types=False) if within(imported, IMPURE)] == []


def test_only_the_dev_cluster_knows_the_stand_in():
    others = [n for n in FILES if not within(n, ["provisioner.devcluster"])]
    assert [n for n in others if any(within(i, ["provisioner.devcluster.standin"]) for i in imports(n))] == []


def test_only_the_commands_dev_and_demo_know_the_dev_cluster():
    allowed = ["provisioner.devcluster", "provisioner.cli.dev", "provisioner.cli.demo", "provisioner.demo"]
    others = [n for n in FILES if not within(n, allowed)]
    assert [n for n in others if any(within(i, ["provisioner.devcluster"]) for i in imports(n))] == []


def test_nothing_imports_a_concrete_kind():
    concrete = [f"provisioner.kinds.{module}" for module in _modules("kinds") if not module.startswith("_")]
    others = [n for n in FILES if not within(n, ["provisioner.kinds"])]
    assert len(concrete) == len(kinds.all_kinds())
    # Who uses what is told by calls that only some kinds have: workflows by Alerting, managed indices by ISM.
    assert [n for n in others if any(within(i, concrete) for i in imports(n))] == ["provisioner.users"]


def _modules(package):
    return [file.stem for file in (PACKAGE / package).glob("*.py") if file.stem != "__init__"]


WRITERS = ("create", "update", "delete")


def _calls_of_kinds(tree):
    """Calls `x.create(client, …)`; `getattr` with such a name counts as well.

    What sets a kind's methods apart from those of dictionaries and HTTP libraries is that they take a client first.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        arguments = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "client")]
        to_client = any(ast.unparse(argument).split(".")[-1].endswith("client") for argument in arguments)
        if isinstance(node.func, ast.Attribute) and node.func.attr in WRITERS and to_client:
            yield ast.unparse(node)
        if ast.unparse(node.func) == "getattr" and len(node.args) > 1:
            second = node.args[1]
            if isinstance(second, ast.Constant) and second.value in WRITERS:
                yield ast.unparse(node)


def test_only_apply_creates_updates_and_deletes():
    """By the calls, and by who can get at a kind at all: only these hold kinds, the rest sees plain values."""
    own = ["provisioner.kinds", "provisioner.devcluster", "provisioner.demo"]
    callers = {n for n in FILES if not within(n, own) and list(_calls_of_kinds(TREES[n]))}
    assert callers == {"provisioner.step", "provisioner.ruletest.bench"}  # the bench: throwaway objects, unrecorded
    assert len(list(_calls_of_kinds(TREES["provisioner.step"]))) == 3
    holders = {n for n in FILES if not within(n, own) and any(within(i, ["provisioner.kinds"]) for i in imports(n))}
    assert holders <= {"provisioner.cluster", "provisioner.users"}


def test_no_circles_among_modules():
    edges = {}
    for name in FILES:
        found = {i for i in imports(name, types=False, lazy=False) if i in FILES}
        # A package imports its own modules by scanning; a module's import of its package's names is no circle.
        edges[name] = {i for i in found if i != name and not name.startswith(f"{i}.")}
    TopologicalSorter(edges).prepare()


@pytest.mark.parametrize("name", FILES)
def test_modules_and_functions_are_short(name):
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= TABLES.get(name, LONGEST)
    functions = [n for n in ast.walk(TREES[name]) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > 60] == []


def test_no_module_writes_a_todo_or_a_stub():
    marks = ("TODO", "FIXME", "XXX", "NotImplementedError")
    found = [(n, mark) for n, file in FILES.items() for mark in marks if mark in file.read_text(encoding="utf-8")]
    assert found == []

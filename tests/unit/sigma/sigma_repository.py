"""Small repositories that Sigma's rules are imported into."""

import pathlib

from provisioner import lints, settings, source
from provisioner.compile import Compiler
from provisioner.sigma import importing
from provisioner.sigma import settings as pipelines

ROOT = pathlib.Path(__file__).parents[3]
STARTER = {name: (ROOT / name).read_text() for name in ("templates/schema/event.yml", "rules/severities.yml")}
SETTINGS = "owner: acme\ntargets:\n  dev: {hosts: ['http://127.0.0.1:19799'], vars: {replicas: 0}}\n"


def make(root):
    """A repository with the starter pack's schema."""
    for name, content in {"provisioner.yml": SETTINGS, **STARTER}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def run_in(root, path, select=()):
    """Import what is at a path into the repository; nothing is written."""
    chosen = settings.load(root, None)
    read = source.load(root, chosen.target.vars)
    return importing.Importer(root, chosen, read, pipelines.load(read), dict(select)).run([str(path)])


def checked(root):
    """What schemas and the lints of queries say of the repository's rules."""
    chosen = settings.load(root, None)
    read = source.load(root, chosen.target.vars)
    compiler = Compiler(root, chosen, read)
    found = [*read.findings, *(finding for each in read.documents.values() for finding in compiler.check(each))]
    return found + [f for f in lints.run(lints.View(read, (), chosen)) if f.code in importing._QUERY]

"""Imports of rules that are written here, in the manner of SigmaHQ's, into a small repository."""

import pytest
import yaml
from sigma_repository import checked, make, run_in

from provisioner.sigma import outcome as outcomes


@pytest.fixture
def repository(tmp_path):
    return make(tmp_path / "repository")


@pytest.fixture
def imported(repository, tmp_path_factory):
    """Import texts of Sigma, write, and give the result."""
    folder = tmp_path_factory.mktemp("rules")

    def run(*texts, write=True, **select):
        for number, text in enumerate(texts):
            name = folder / f"rule{number}.yml"
            name.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = run_in(repository, folder, select)
        if write:
            outcomes.write(repository, result)
        return result

    return run


@pytest.fixture
def rule(imported, repository):
    """Import one text whose last rule is converted; its body as it was written."""

    def one(text):
        result = imported(text)
        outcome = [each for each in result.outcomes if each.action != "folded"][-1]
        assert outcome.action in ("created", "updated", "unchanged"), outcome.reason
        assert checked(repository) == []
        return yaml.safe_load((repository / outcome.written).read_text())

    return one

"""What all tests share: small repositories of their own, and property tests that run the same each time."""

from __future__ import annotations

import atexit
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from told import Telling

# No deadline: the machine is shared. No database: a run leaves no files in the checkout.
settings.register_profile(
    "quick",
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("quick")

# What is tested is compiling, each time, and a run leaves nothing in the user's folders. Tests of the cache say so.
os.environ["PROVISIONER_NO_CACHE"] = "1"
# Audit chains of plans and applies, too.
os.environ["PROVISIONER_AUDIT"] = tempfile.mkdtemp(prefix="provisioner-audit-")
atexit.register(shutil.rmtree, os.environ["PROVISIONER_AUDIT"], ignore_errors=True)

SETTINGS = """\
owner: acme
targets:
  dev:
    hosts: ["http://127.0.0.1:19799"]
    vars: {replicas: 0}
"""


def pytest_configure(config: pytest.Config) -> None:
    """Sections of the summary."""
    config.pluginmanager.register(Telling())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """All tests on one cluster run in one worker, those on the bare node of the contract tests in one as well."""
    from xdist.scheduler import LoadScopeScheduling

    class ByCluster(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            part = file.split("/")[1]
            return file if part == "unit" else part

    return ByCluster(config, log)


MakeRepository = Callable[..., pathlib.Path]


@pytest.fixture
def make_repository(tmp_path: pathlib.Path) -> MakeRepository:
    """Writes a repository of the files given, by path; provisioner.yml is a plain one unless it is among them."""

    def make(files: Mapping[str, str | bytes] = {}) -> pathlib.Path:
        for name, content in {"provisioner.yml": SETTINGS, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return make

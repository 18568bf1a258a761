"""Put the distribution together: once per set of artifacts, in the cache folder, shared read-only by all clusters."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from provisioner.devcluster import lock
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.fetch import fetch
from provisioner.devcluster.java import open_to_all
from provisioner.devcluster.places import Places, locked, make_folder, require_reachable
from provisioner.devcluster.plugins import PluginZip
from provisioner.devcluster.progress import Progress

_LAYOUT = "2"  # raise it when the code below lays the same artifacts out differently

_DESCRIPTOR = """\
description={name} module
version={version}
name={name}
classname={classname}
java.version=21
opensearch.version={version}
extended.plugins={extended}
has.native.controller=false
custom.foldername=
"""


@dataclass(frozen=True)
class Distribution:
    """An assembled server: its folder (the server's path.home), its version, and the digest of what it is made of."""

    path: Path
    version: str
    digest: str


def distribution(places: Places, zips: Sequence[PluginZip], progress: Progress, *, secure: bool) -> Distribution:
    """Return the distribution of the pinned artifacts and the given plugin zips, assembling it if it isn't there yet.

    The folder's name carries the digest of everything in it, and it appears in one step: a half-made one is never used.
    Raises DevClusterError if an artifact can't be had or the cache folder can't be written.
    """
    artifacts = lock.pinned(secure=secure)
    version = lock.server_version(artifacts)
    digest = lock.digest(artifacts, _modules_text(), _LAYOUT, *sorted(f"{z.name} {z.sha256}" for z in zips))
    path = places.cache / f"opensearch-{version}-{digest[:12]}"
    if not path.exists():
        try:
            make_folder(places.cache)
            require_reachable(places.cache, "PROVISIONER_CACHE")
            with locked(places.cache / "assemble.lock"):
                if not path.exists():
                    _assemble(path, artifacts, zips, progress)
        except OSError as error:
            raise DevClusterError(
                f"can't assemble the server in {places.cache}: {error.strerror or error}. "
                "Make room there (about 300 MB), or set PROVISIONER_CACHE to another folder."
            ) from error
    return Distribution(path, version, digest)


def _modules_text() -> str:
    return files(__package__).joinpath("modules.toml").read_text(encoding="utf-8")


def _assemble(path: Path, artifacts: Sequence[lock.Artifact], zips: Sequence[PluginZip], progress: Progress) -> None:
    sources = fetch(artifacts, progress)
    progress.step(f"assembling OpenSearch {lock.server_version(artifacts)} in {path}")
    with tempfile.TemporaryDirectory(prefix=".assembling-", dir=path.parent) as folder:
        root = Path(folder) / "home"
        for artifact in artifacts:
            place(sources[artifact.coordinate], root / artifact.folder)
        for plugin in zips:
            place(plugin.path, root / "plugins" / plugin.name)
        for name, text in module_descriptors(_modules_text(), lock.server_version(artifacts)).items():
            (root / "modules" / name / "plugin-descriptor.properties").write_text(text, encoding="utf-8")
        _mend_security(root / "plugins" / "opensearch-security")
        for empty in ("bin", "extensions", "plugins"):  # the server would create them, but may not write here
            (root / empty).mkdir(exist_ok=True)
        open_to_all(root)
        root.rename(path)


def place(source: Path, folder: Path) -> None:
    """Unpack a zip into `folder`, or link a jar into it; copy it where it can't be linked or others can't read it."""
    folder.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".zip":
        try:
            with zipfile.ZipFile(source) as archive:
                archive.extractall(folder)
        except zipfile.BadZipFile:
            raise DevClusterError(f"{source} is no whole zip: remove it, and run again.") from None
        return
    target = folder / source.name
    if source.stat().st_mode & 0o004:
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without hard links
            shutil.copy2(source, target)
    else:
        shutil.copy2(source, target)


def module_descriptors(modules: str, version: str) -> Mapping[str, str]:
    """The text of each module's plugin-descriptor.properties, by module name; `modules` is the text of modules.toml."""
    return {
        name: _DESCRIPTOR.format(
            name=name, version=version, classname=module["classname"], extended=module.get("extended", "")
        )
        for name, module in tomllib.loads(modules).items()
    }


def _mend_security(plugin: Path) -> None:
    """Make the security plugin's dependency on `rule-framework` optional: that plugin is not published anywhere."""
    descriptor = plugin / "plugin-descriptor.properties"
    if descriptor.exists():
        text = descriptor.read_text(encoding="utf-8")
        mended = re.sub(r"(?m)^(extended\.plugins=.*\brule-framework)\b(?!;)", r"\1;optional=true", text)
        descriptor.write_text(mended, encoding="utf-8")

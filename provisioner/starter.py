"""The starter pack as a new repository: what `provisioner init` writes."""

from __future__ import annotations

import pathlib

from provisioner.errors import ProvisionerError

PARTS = ("rules", "templates", "ilm", "docs/runbooks")
_SETTINGS = """\
# Who owns what is made, and the clusters it goes to.
owner: {owner}
default_target: dev

targets:
  # `provisioner dev up` starts this one: a real OpenSearch on this machine.
  dev:
    hosts: ["{host}"]
    namespace: default
    schedule: {schedule}             # every rule runs this often, for a quick answer
    catch:                    # every notification goes here, whatever its channel says
      http: "{http}"
      smtp: "{smtp}"
    vars: {{replicas: 0}}

  production:
    hosts: ["https://opensearch.internal:9200"]
    namespace: default
    username: provisioner
    password: ${{env:OPENSEARCH_PASSWORD}}
    # ca: /etc/ssl/certs/internal-ca.pem
    vars: {{replicas: 1}}
"""
_IGNORED = "# what provisioner writes while it works\nplan.json\n"


def folder() -> pathlib.Path:
    """Where the starter pack lies: in the wheel, or the checkout's own rules/, templates/ and ilm/."""
    package = pathlib.Path(__file__).parent
    return package / "starter" if (package / "starter").is_dir() else package.parent


def settings_text(
    owner: str,
    *,
    host: str = "http://127.0.0.1:9200",
    schedule: str = "10s",
    http: str = "http://127.0.0.1:9281",
    smtp: str = "127.0.0.1:9282",
) -> str:
    """A `provisioner.yml` with a dev target at `host`, whose notifications go to `http` and `smtp`."""
    return _SETTINGS.format(owner=owner, host=host, schedule=schedule, http=http, smtp=smtp)


def files() -> dict[str, bytes]:
    """Every file of the starter pack by its path in a repository."""
    root = folder()
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for part in PARTS
        for file in sorted((root / part).rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    }


def write(target: pathlib.Path, settings: str) -> list[str]:
    """Write the starter pack and `provisioner.yml` into a folder; the paths written.

    Raises ProvisionerError, before the first file, where one of them exists already.
    """
    wanted = {"provisioner.yml": settings.encode(), ".gitignore": _IGNORED.encode(), **files()}
    there = [path for path in wanted if (target / path).exists()]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise ProvisionerError(
            f"{target / there[0]}{more} exists already; nothing was written", "choose an empty folder"
        )
    try:
        for path, content in wanted.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(content)
    except OSError as error:
        raise ProvisionerError(
            f"{error.filename} can't be written: {error.strerror}", "choose another folder"
        ) from None
    return list(wanted)

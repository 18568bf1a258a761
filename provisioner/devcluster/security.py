"""The security plugin of a `--secure` cluster: certificates, its settings and its one user, `admin`."""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
import subprocess
from pathlib import Path

from provisioner.devcluster.certificates import expires_soon, issue
from provisioner.devcluster.config import to_yaml
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.java import Java
from provisioner.devcluster.places import make_folder, write_anew
from provisioner.devcluster.record import USERNAME

PASSWORD_VARIABLE = "PROVISIONER_DEV_PASSWORD"  # noqa: S105  the name of a variable, not a password
_PLUGIN = "plugins/opensearch-security"
_HASH_VARIABLE = "DEV_CLUSTER_PASSWORD"


def prepare(home: Path, distribution: Path, java: Java, owner: int | None) -> None:
    """Put certificates, plugin settings and the admin user into a cluster's folder, if they are not there yet.

    `owner` is the user id that the server runs as. Certificates are renewed a month before they end. The password comes
    from PROVISIONER_DEV_PASSWORD, else it is made at random; it is kept in the file `password`, which only we can read.
    """
    config = home / "config"
    now = dt.datetime.now(dt.UTC)
    if not (home / "ca.pem").exists() or expires_soon((home / "ca.pem").read_bytes(), now):
        _write_certificates(home, config, now, owner)
    if not (home / "password").exists():
        password = os.environ.get(PASSWORD_VARIABLE) or secrets.token_urlsafe(18)
        users = _users(_hash(password, distribution, java))
        settings = make_folder(config / "opensearch-security", owner=owner, mode=0o700)
        shipped = {path.name: path.read_bytes() for path in (distribution / _PLUGIN / "config").glob("*.yml")}
        # Over the plugin's own users: they are for demonstrations, and everybody knows their passwords.
        for name, content in {**shipped, "internal_users.yml": users.encode()}.items():
            write_anew(settings / name, content, mode=0o600, owner=owner)
        # Last, since it says that the others are there.
        write_anew(home / "password", f"{password}\n".encode(), mode=0o600)


def _write_certificates(home: Path, config: Path, now: dt.datetime, owner: int | None) -> None:
    certificates = issue(now)
    tls = make_folder(home / "tls", mode=0o700)
    for name, pair in (("stand-in", certificates.stand_in), ("admin", certificates.admin)):
        write_anew(tls / f"{name}.pem", pair.certificate)
        write_anew(tls / f"{name}-key.pem", pair.key, mode=0o600)
    write_anew(config / "node.pem", certificates.node.certificate)
    write_anew(config / "node-key.pem", certificates.node.key, mode=0o600, owner=owner)
    for folder in (config, home):  # the one in home last, since it says that the others are there
        write_anew(folder / "ca.pem", certificates.authority)


def _users(password_hash: str) -> str:
    return to_yaml(
        {
            "_meta": {"type": "internalusers", "config_version": 2},
            USERNAME: {"hash": password_hash, "reserved": True, "backend_roles": ["admin"]},
        }
    )


def _hash(password: str, distribution: Path, java: Java) -> str:
    """The plugin's own hash of a password, which it gets in a variable: an argument would stand in the process list."""
    classes = os.pathsep.join((f"{distribution / _PLUGIN}/*", f"{distribution}/lib/*"))
    answer = subprocess.run(  # noqa: S603  a Java that we found
        [
            java.executable,
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classes,
            "org.opensearch.security.tools.Hasher",
            "-env",
            _HASH_VARIABLE,
        ],
        env={_HASH_VARIABLE: password, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    if found := re.search(r"\$2[aby]\$\S+", answer.stdout):
        return found[0]
    raise DevClusterError(
        "the security plugin's Hasher gave no hash. What it said: " + answer.stderr[-500:].replace(password, "***")
    )

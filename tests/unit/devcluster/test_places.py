from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.places import NODE_UID, Places, make_folder, readable_by, require_reachable, write_anew


def test_own_variables_come_first(places: Places) -> None:
    assert (places.cache.name, places.state.name) == ("cache", "state")
    assert places.home("dev") == places.state / "clusters" / "dev"


@pytest.mark.parametrize(
    ("uid", "cache", "state"),
    [
        (0, "/var/cache/provisioner", "/var/lib/provisioner"),
        (1000, "~/.cache/provisioner", "~/.local/state/provisioner"),
    ],
)
def test_defaults(monkeypatch: pytest.MonkeyPatch, uid: int, cache: str, state: str) -> None:
    for variable in ("PROVISIONER_CACHE", "PROVISIONER_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setattr("os.geteuid", lambda: uid)
    assert Places.of_this_user() == Places(Path(cache).expanduser(), Path(state).expanduser())


def test_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROVISIONER_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert Places.of_this_user().cache == Path("/somewhere/provisioner")


def test_folders_are_open_whatever_the_umask(places: Places) -> None:
    before = os.umask(0o077)
    try:
        folder = make_folder(places.cache / "a" / "b")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (folder, folder.parent, places.cache)} == {0o755}


def test_a_folder_behind_a_closed_one_is_out_of_reach(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(places.cache / "closed" / "open")
    assert readable_by(NODE_UID, folder)
    (places.cache / "closed").chmod(0o700)
    assert not readable_by(NODE_UID, folder)
    assert readable_by(None, folder)
    assert readable_by(folder.stat().st_uid, folder) or folder.stat().st_uid == NODE_UID
    monkeypatch.setattr("provisioner.devcluster.places.node_uid", lambda: NODE_UID)
    with pytest.raises(DevClusterError, match="Set PROVISIONER_CACHE to a folder that every user can reach"):
        require_reachable(folder, "PROVISIONER_CACHE")


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("an old one, open to all")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        write_anew(path, b"secret", mode=0o600)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"secret"


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    for target in (victim, tmp_path / "not there"):
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(target)
        write_anew(tmp_path / "link", b"new")
        assert (tmp_path / "link").read_bytes() == b"new"
        assert not (tmp_path / "link").is_symlink()
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "not there").exists()

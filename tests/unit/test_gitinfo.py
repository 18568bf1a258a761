"""The revision that is applied."""

import shutil
import subprocess

from provisioner import gitinfo


def git(root, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


def test_a_commit_clean_and_with_changes(tmp_path):
    git(tmp_path, "init")
    assert gitinfo.revision(tmp_path) is None
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "one")
    git(tmp_path, "tag", "v1")
    clean = gitinfo.revision(tmp_path)
    assert clean is not None
    assert len(clean) == 12
    assert set(clean) <= set("0123456789abcdef")
    (tmp_path / "a").write_text("2")
    assert gitinfo.revision(tmp_path) == f"{clean}+changes"


def test_no_repository_no_folder_no_git(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert gitinfo.revision(tmp_path) is None
    assert gitinfo.revision(tmp_path / "nowhere") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("git") is None
    assert gitinfo.revision(tmp_path) is None

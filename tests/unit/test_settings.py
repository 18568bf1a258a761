"""provisioner.yml: which target, and what is wrong with it."""

import pytest

from provisioner import settings
from provisioner.errors import FindingsError, ProvisionerError
from provisioner.settings import Settings, Target

ONE = "owner: acme\ntargets:\n  dev: {hosts: ['http://a:9200']}\n"
TWO = ONE + "  production: {hosts: ['https://b'], vars: {replicas: 1}, timeout: 5}\n"


def test_the_only_the_default_or_the_named_target(make_repository):
    assert settings.load(make_repository({"provisioner.yml": ONE}), None) == Settings(
        "acme", Target("dev", ("http://a:9200",))
    )
    root = make_repository({"provisioner.yml": TWO + "default_target: production\n"})
    assert settings.load(root, None).target == Target("production", ("https://b",), vars={"replicas": 1}, timeout=5)
    assert settings.load(root, "dev").target.name == "dev"


def test_several_targets_and_no_default(make_repository):
    with pytest.raises(ProvisionerError, match="no default") as error:
        settings.load(make_repository({"provisioner.yml": TWO}), None)
    assert "dev, production" in error.value.hint


@pytest.mark.parametrize("default", ["", "default_target: porduction\n"])
def test_a_target_that_is_not_there(make_repository, default):
    root = make_repository({"provisioner.yml": TWO + default})
    with pytest.raises(ProvisionerError, match="no target 'porduction'") as error:
        settings.load(root, None if default else "porduction")
    assert error.value.hint == "did you mean 'production'?"
    assert error.value.exit_code == 2


def test_no_file_no_folder_a_folder_and_no_text(tmp_path, make_repository):
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ProvisionerError, match=r"there is no provisioner\.yml") as error:
            settings.load(root, None)
        assert "init" in error.value.hint
    make_repository({"provisioner.yml": b"owner: \xff"})
    with pytest.raises(ProvisionerError, match="can't be read"):
        settings.load(tmp_path, None)
    (tmp_path / "provisioner.yml").unlink()
    (tmp_path / "provisioner.yml").mkdir()
    with pytest.raises(ProvisionerError, match="can't be read"):
        settings.load(tmp_path, None)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "CFG001", "1:1"),
        ("---\n---\n", "CFG001", "1:1"),
        ("- a", "CFG001", "1:1"),
        ("owner: a\n---\nowner: b", "CFG001", "1:1"),
        ("owner: [", "YAML001", "1:9"),
        (ONE + "ower: x\n", "CFG001", "4:1"),
        ("owner: Acme\ntargets: {d: {hosts: ['http://a']}}", "CFG001", "1:8"),
        ("owner: acme\ntargets: {d: {hosts: ['a:9200']}}", "CFG001", "2:23"),
        ("owner: acme\ntargets: {d: {hosts: []}}", "CFG001", "2:22"),
        ("owner: acme\ntargets: {d: {hosts: ['https://u:hunter2@a']}}", "CFG001", "2:23"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], password: hunter2}}", "CFG001", "2:47"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], timeout: 0}}", "CFG001", "2:46"),
        ("owner: acme\ntargets: {}", "CFG001", "2:10"),
        ("owner: acme", "CFG001", "1:1"),
    ],
)
def test_a_wrong_file_is_a_finding_without_secrets(make_repository, text, code, place):
    with pytest.raises(FindingsError) as error:
        settings.load(make_repository({"provisioner.yml": text}), None)
    (found,) = error.value.findings
    assert (found.code, str(found.origin)) == (code, f"provisioner.yml:{place}")
    assert found.hint
    assert "hunter2" not in str(found)
    assert error.value.exit_code == 1


def test_a_byte_order_mark(make_repository):
    assert settings.load(make_repository({"provisioner.yml": "\ufeff" + ONE}), None).owner == "acme"

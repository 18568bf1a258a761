"""provisioner.yml: which target, and what is wrong with it."""

import pathlib

import pytest

from provisioner import settings
from provisioner.errors import FindingsError, ProvisionerError
from provisioner.quantities import Shares
from provisioner.settings import Aws, Settings, Target

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
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], username: u, password: hunter2}}", "CFG001", "2:60"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], token: hunter2}}", "CFG001", "2:44"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], username: u}}", "CFG001", "2:14"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], password: '${env:P}'}}", "CFG001", "2:14"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], aws: {service: es}}}", "CFG001", "2:42"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], aws: {region: r, service: s3}}}", "CFG001", "2:63"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], limits: {deletes: 101}}}", "CFG001", "2:55"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], limits: {from: 0}}}", "CFG001", "2:52"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], limits: {changes: 1.5}}}", "CFG001", "2:55"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], parallel: 9}}", "CFG001", "2:47"),
        ("owner: acme\ntargets: {d: {hosts: ['https://a'], lock_timeout: soon}}", "CFG001", "2:51"),
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


@pytest.mark.parametrize(
    "both",
    [
        "username: u, password: '${env:P}', token: '${env:T}'",
        "username: u, password: '${env:P}', aws: {region: r}",
        "token: '${env:T}', aws: {region: r}",
    ],
)
def test_one_way_to_prove_who_one_is(make_repository, both):
    text = f"owner: acme\ntargets: {{d: {{hosts: ['https://a'], {both}}}}}"
    with pytest.raises(FindingsError) as error:
        settings.load(make_repository({"provisioner.yml": text}), None)
    assert all("not allowed here" in f.message and "one way to prove" in f.hint for f in error.value.findings)


def test_a_target_with_everything(make_repository):
    text = """\
owner: acme
targets:
  a:
    hosts: ["https://a"]
    aws: {region: eu-central-1, service: aoss, profile: logs}
    limits: {deletes: 5, from: 3}
    parallel: 8
    lock_timeout: 2m
  b: {hosts: ["https://b"], token: "${env:T}"}
"""
    one, other = settings.load_all(make_repository({"provisioner.yml": text}), [], all_targets=True)
    aws, limits = Aws("eu-central-1", "aoss", "logs"), Shares(deletes=5, changes=30, from_objects=3)
    assert one.target == Target("a", ("https://a",), aws=aws, limits=limits, parallel=8, lock_timeout="2m")
    assert other.target == Target("b", ("https://b",), token="${env:T}")
    assert (other.target.limits, other.target.parallel) == (Shares(30, 30, 10), 4)


def test_several_targets_in_the_order_named_each_once(make_repository):
    root = make_repository({"provisioner.yml": TWO + "  test: {hosts: ['https://c']}\ndefault_target: test\n"})

    def names(wanted, **options):
        return [chosen.target.name for chosen in settings.load_all(root, wanted, **options)]

    assert names(["production", "dev", "production"], all_targets=False) == ["production", "dev"]
    assert names([], all_targets=False) == ["test"]
    assert names(["dev"], all_targets=True) == ["dev", "production", "test"]
    with pytest.raises(ProvisionerError, match="no target 'prod'") as error:
        names(["dev", "prod"], all_targets=False)
    assert "production" in error.value.hint


def test_a_byte_order_mark(make_repository):
    assert settings.load(make_repository({"provisioner.yml": "\ufeff" + ONE}), None).owner == "acme"


AUDITED = """\
owner: acme
audit: {file: chains/all.jsonl, key: "${env:ONE}", key_id: k2}
targets:
  a: {hosts: ["http://h"]}
  b: {hosts: ["http://h"], audit: {file: /var/log/b.jsonl}}
  c: {hosts: ["http://h"], audit: {file: "~/c.jsonl", key: "${file:/run/key}"}}
"""


def test_where_the_audit_is_for_all_targets_or_one(make_repository):
    root = make_repository({"provisioner.yml": AUDITED})
    a, b, c = (each.target.audit for each in settings.load_all(root, [], all_targets=True))
    assert a == settings.Audit(str(root / "chains/all.jsonl"), "${env:ONE}", "k2")
    assert b == settings.Audit("/var/log/b.jsonl", "${env:ONE}", "k2")
    assert c == settings.Audit(str(pathlib.Path.home() / "c.jsonl"), "${file:/run/key}", "k2")
    assert settings.load(make_repository(), None).target.audit == settings.Audit()


@pytest.mark.parametrize("said", ["{key: 6b6b6b}", "{key_id: k2}", "{key: '${env:X}', key_id: K 2}", "{file: ''}", "x"])
def test_a_wrong_audit_is_a_finding(make_repository, said):
    text = AUDITED.replace('{file: chains/all.jsonl, key: "${env:ONE}", key_id: k2}', said)
    with pytest.raises(FindingsError) as raised:
        settings.load(make_repository({"provisioner.yml": text}), "a")
    assert [(each.code, each.origin.line) for each in raised.value.findings] == [("CFG001", 2)]
    assert "6b6b6b" not in str(raised.value.findings)

"""Objects into raw documents: names, secrets, and what no document can say."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import repository, secretrefs, settings, source
from provisioner.kinds import all_kinds
from provisioner.model import Live
from provisioner.rawfile import UnwritableError, Writer, slugged

CHANNEL = all_kinds()["channel"]


@pytest.fixture
def writer(make_repository):
    root = make_repository()
    return Writer(root, settings.load(root, None))


def monitor(name, **more):
    return Live("monitor", name, {"name": name, **more}, f"id of {name}")


def slack(key, name, url="https://hooks.slack.com/services/hunter2"):
    return Live("channel", key, {"name": name, "config_type": "slack", "slack": {"url": url}}, key)


def test_a_document(writer):
    file = writer.file(monitor("Failed logins", enabled=True, inputs=[{"a": "on"}], type="monitor"), ())
    assert file.file == "rules/pulled/monitors/failed-logins.yml"
    assert file.text == (
        "# Pulled from the cluster: monitor id of Failed logins.\n"
        "kind: raw\nid: failed-logins\nresource: monitor\nname: Failed logins\n"
        "body:\n  type: monitor\n  name: Failed logins\n  enabled: true\n  inputs:\n    - a: 'on'\n"
    )


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Failed logins", "failed-logins"),
        ("a/b\\c: d", "a-b-c-d"),
        ("Überwachung Zürich", "uberwachung-zurich"),
        ("Сбой", ""),
        ("  --_x_--  ", "x"),
        ("logs_app", "logs_app"),
        ("x" * 200, "x" * 80),
        ("../../etc/passwd", "etc-passwd"),
        ("", ""),
    ],
)
def test_ids(name, slug):
    assert slugged(name) == slug


@given(st.text())
def test_every_id_fits_the_pattern(name):
    assert not (slug := slugged(name)) or source._ID.fullmatch(slug)


def test_names_that_look_alike_get_ids_and_files_of_their_own(writer):
    names = ["Failed logins", "failed-logins", "failed_logins", "Failed: logins", "Сбой", "Вход", "failed logins!"]
    lives = [*map(monitor, names), slack("failed-logins", "Failed logins"), slack("x", "Failed logins")]
    files = [writer.file(live, ()) for live in lives]
    assert len({file.id for file in files}) == len({file.file.lower() for file in files}) == len(lives)
    assert all(source._ID.fullmatch(file.id) for file in files)
    assert [file.id for file in files[:3]] == ["failed-logins", "failed-logins-monitor", "failed_logins"]
    assert files[4].id.startswith("monitor-")


def test_no_file_is_written_over(writer):
    (writer.root / "rules/pulled/monitors").mkdir(parents=True)
    (writer.root / "rules/pulled/monitors/x.yml").write_text("# mine")
    assert writer.file(monitor("x"), ()).file == "rules/pulled/monitors/x-monitor.yml"
    (writer.root / "rules/pulled/monitors/x-monitor.yml").touch()
    (writer.root / "rules/pulled/monitors/x-7478c3d8.yml").touch()
    with pytest.raises(UnwritableError, match=r"rules/pulled/monitors/x-7478c3d8\.yml exists already"):
        writer.file(monitor("x"), ())


def test_secrets_become_variables_of_their_own(writer, make_repository, monkeypatch):
    webhook = {
        "url": "https://hook.example/hunter2",
        "header_params": {"X-Key": "hunter3", "X_Key": "hunter4", "X-None": None, "X-Empty": ""},
        "method": "POST",
    }
    body = {"name": "a b", "config_type": "webhook", "webhook": webhook, "description": "hunted"}
    file = writer.file(Live("channel", "k", body, "k"), CHANNEL.secret_paths)
    again = writer.file(slack("k2", "a_b"), CHANNEL.secret_paths)
    assert file.variables == ("PROVISIONER_A_B_URL", "PROVISIONER_A_B_X_KEY", "PROVISIONER_A_B_X_KEY_2")
    assert again.variables == ("PROVISIONER_A_B_URL_2",)
    assert "hunter" not in file.text + again.text

    for name, value in zip(file.variables, ["https://hook.example/hunter2", "hunter3", "hunter4"], strict=True):
        monkeypatch.setitem(os.environ, name, value)
    read = repository.load(make_repository({file.file: file.text}))
    assert read.findings == ()
    assert secretrefs.resolve(read.resources[0].body) == body


@pytest.mark.parametrize("text", ["${env:HOME}", "a ${file:/etc/passwd} b"])
def test_text_that_would_be_resolved_is_not_pulled(writer, text):
    """Else applying would send the file to the cluster."""
    with pytest.raises(UnwritableError, match=r"body\.x holds text that would be taken for a reference"):
        writer.file(monitor("m", body=[{"x": 1}, {"x": text}]), ())
    with pytest.raises(UnwritableError, match="name holds text"):
        writer.file(Live("ingest_pipeline", text, {}, text), ())


def test_what_the_loader_refuses_is_not_pulled(writer):
    with pytest.raises(UnwritableError, match="64 bits"):
        writer.file(monitor("m", n=2**70), ())
    with pytest.raises(UnwritableError, match="invalid Unicode"):
        writer.file(monitor("m", n="\ud800"), ())
    with pytest.raises(UnwritableError, match="nested too deeply"):
        deep = []
        for _ in range(120):
            deep = [deep]
        writer.file(monitor("m", n=deep), ())
    with pytest.raises(UnwritableError, match="is empty"):
        writer.file(monitor(""), ())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["{{ x }}", r"\{{ replicas }}", "{{replicas}}", "{{ctx.results.0}}", "1e3", "on", "{% x %}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


@given(st.dictionaries(st.text(max_size=9), JSON, max_size=3))
def test_what_is_written_is_what_a_plan_wants(make_repository, body):
    root = make_repository()
    live = Live("ingest_pipeline", "{{ replicas }}", body, "x")
    try:
        file = Writer(root, settings.load(root, None)).file(live, ())
    except UnwritableError as error:
        assert "\\ufdd" in ascii(body), error  # Unicode's noncharacters, which body templates mark values with
        return
    read = repository.load(make_repository({file.file: file.text}))
    (root / file.file).unlink()
    assert read.findings == ()
    (resource,) = read.resources
    assert (resource.ref, resource.body) == (live.ref, body)

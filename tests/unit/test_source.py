"""Files into documents: nothing is left out in silence."""

import json
import os

import pytest

from provisioner import source

EVENT = "kind: event\nid: {}\n"


def load(root, **variables):
    return source.load(root, variables)


def findings(root, **variables):
    return [(f.code, str(f.origin), f.message) for f in load(root, **variables).findings]


def test_documents_in_the_order_of_files_and_lines(make_repository):
    root = make_repository(
        {
            "rules/b.yml": EVENT.format("b1") + "---\n" + EVENT.format("b2"),
            "rules/a/z.yaml": EVENT.format("z"),
            "ilm/x.yml": EVENT.format("x"),
            "templates/t.yml": EVENT.format("t"),
            "rules/.hidden.yml": "][",
            "rules/.git/x.yml": "][",
            "rules/readme.md": "][",
            "rules/x.yml~": "][",
            "other/x.yml": "][",
        }
    )
    read = load(root)
    assert read.findings == ()
    assert [document.id for document in read.documents.values()] == ["b1", "b2", "z", "t", "x"]
    assert str(read.documents["event", "b2"].origin) == "rules/b.yml:4:1"
    assert read.of_kind("rule") == ()


def test_an_empty_repository(make_repository):
    assert load(make_repository()) == source.Source({}, ())


def test_variables_keep_their_types_and_places(make_repository):
    root = make_repository(
        {
            "rules/a.yml": EVENT.format("a")
            + "x: '{{ n }}'\ny: ['{{n}}', '{{ list }}', 'not {{ n }}']\nz: '{{ none }}'\n"
        }
    )
    read = load(root, n=5, list=[{"a": 1}], none=None)
    assert read.findings == ()
    document = read.documents["event", "a"]
    assert document.body == {"x": 5, "y": [5, [{"a": 1}], "not {{ n }}"], "z": None}
    assert str(document.at(("y", 1, 0, "a"))) == "rules/a.yml:4:14"
    assert findings(root, n=1, list=[]) == [("VAR001", "rules/a.yml:5:4", "the target has no variable 'none'")]


def test_the_hint_for_a_missing_variable(make_repository):
    root = make_repository({"rules/a.yml": "kind: event\nid: a\nx: '{{ replica }}'\n"})
    escape = r"; where it is no variable, write \{{ replica }}"
    assert load(root, replicas=1).findings[0].hint == f"did you mean 'replicas'?{escape}"
    assert "provisioner.yml" in load(root).findings[0].hint


@pytest.mark.parametrize(
    "text",
    [
        "{{n}}",
        "{{ n }}",
        r"\{{ n }}",
        r"\\{{n}}",
        "{{ctx.monitor.name}}",
        "{{{n}}}",
        "{{#n}}",
        "a {{n}}",
        r"\a",
        "{{n}}\n",
    ],
)
def test_every_text_can_be_written_though_variables_look_like_mustache(make_repository, text):
    root = make_repository({"rules/a.yml": EVENT.format("a") + f"x: {json.dumps(source.literal(text))}\n"})
    read = load(root, n=5)
    assert read.findings == ()
    assert read.documents["event", "a"].body["x"] == text


def test_only_what_would_be_a_variable_needs_the_escape():
    assert source.literal("{{ctx.monitor.name}}") == "{{ctx.monitor.name}}"
    assert source.literal("{{ host }}") == r"\{{ host }}"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("id: a", "1:1", "the document has no kind"),
        ("kind: rull\nid: a", "1:7", "unknown kind 'rull'"),
        ("kind: [hunter2]\nid: a", "1:7", "unknown kind a list"),
        ("kind: event", "1:1", "the document has no id"),
        ("kind: event\nid: A b", "2:5", "'A b' can't be an id"),
        ("kind: event\nid: 2024", "2:5", "2024 can't be an id"),
        ("kind: event\nid:", "2:4", "nothing can't be an id"),
        ("kind: event\nid: '{{ x }}'", "2:5", "'{{ x }}' can't be an id"),
        ("kind: event\nid: " + "a" * 101, "2:5", "'" + "a" * 56 + "... can't be an id"),
        ("- kind: event", "1:1", "a document must be a mapping"),
        ("just text", "1:1", "a document must be a mapping"),
    ],
)
def test_what_is_no_document(make_repository, text, place, message):
    root = make_repository({"rules/a.yml": text, "rules/good.yml": EVENT.format("good")})
    assert findings(root) == [("DOC001", f"rules/a.yml:{place}", message)]
    assert load(root).findings[0].hint
    assert ("event", "good") in load(root).documents


def test_an_id_twice(make_repository):
    root = make_repository({"rules/a.yml": EVENT.format("x"), "rules/b.yml": "\n" + EVENT.format("x")})
    assert findings(root) == [("DOC003", "rules/b.yml:2:1", "event 'x' exists already at rules/a.yml:1:1")]


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("kind: event\nid: ä\n".encode("latin-1"), "2:5", "not UTF-8"),
        ("# é\nk: é\xff".encode("latin-1"), "1:3", "not UTF-8"),
        ("# é €\nk: é ".encode() + b"\xff\n", "2:6", "not UTF-8"),
        ("kind: event\nid: a\n".encode("utf-16"), "1:1", "not UTF-8"),
        (b"kind: event\0\n", "1:12", "U+0000"),
        (b"kind: event\nid: [\n", "2:6", "flow"),
    ],
)
def test_what_is_no_text_is_a_finding_at_its_place(make_repository, content, place, words):
    ((code, origin, message),) = findings(make_repository({"rules/a.yml": content}))
    assert (code, origin) == ("YAML001", f"rules/a.yml:{place}")
    assert words in message


def test_bom_and_carriage_returns(make_repository):
    root = make_repository({"rules/a.yml": b"\xef\xbb\xbfkind: event\r\nid: a\r\ntitle: x\r\n"})
    assert load(root).findings == ()
    assert load(root).documents["event", "a"].body == {"title": "x"}


def test_what_cannot_be_read_is_told(make_repository):
    root = make_repository({"rules/good.yml": EVENT.format("good"), "outside/a.yml": EVENT.format("a")})
    (root / "rules" / "folder.yml").mkdir()
    (root / "rules" / "folder.yml" / "inside.yml").write_text(EVENT.format("inside"))
    (root / "rules" / "dangling.yml").symlink_to(root / "nowhere.yml")
    (root / "rules" / "circle.yml").symlink_to(root / "rules" / "circle.yml")
    (root / "rules" / "linked").symlink_to(root / "outside")
    (root / "rules" / "device.yml").symlink_to("/dev/zero")
    os.mkfifo(root / "rules" / "pipe.yml")
    (root / "rules" / "single.yml").symlink_to(root / "outside" / "a.yml")
    read = load(root)
    assert sorted(document.id for document in read.documents.values()) == ["a", "good", "inside"]
    told = {finding.origin.file: finding.message for finding in read.findings}
    assert set(told) == {f"rules/{name}" for name in ("dangling.yml", "circle.yml", "linked", "device.yml", "pipe.yml")}
    assert told["rules/dangling.yml"] == "can't be read: No such file or directory"
    assert told["rules/pipe.yml"] == told["rules/device.yml"] == "can't be read: it is no ordinary file"
    assert "not followed" in told["rules/linked"]


def test_a_folder_that_cannot_be_listed_is_told(make_repository, monkeypatch):
    root = make_repository({"rules/closed/a.yml": EVENT.format("a"), "rules/b.yml": EVENT.format("b")})
    real = os.scandir

    def closed(path="."):  # root may list everything, so no mode of the folder can show this
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert findings(root) == [("YAML001", "rules/closed:1:1", "can't be read: Permission denied")]


def test_a_file_name_that_is_no_utf8_can_be_printed(make_repository):
    root = make_repository()
    (root / "rules").mkdir()
    (root / os.fsdecode(b"rules/\xff.yml")).write_text("[")
    ((_, origin, _),) = findings(root)
    assert origin.encode() == "rules/\ufffd.yml:1:2".encode()

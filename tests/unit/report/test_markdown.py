"""The comment for a pull request: rendered by a real CommonMark renderer, nothing from files becomes markup."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from provisioner import yamldiff
from provisioner.diff import ORPHAN
from provisioner.errors import ProvisionerError
from provisioner.model import Action, Change, Diff, Finding, Index, Limit, Line, Live, Origin, Plan, Severity
from provisioner.report import markdown

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {"h3", "blockquote", "ul", "li", "p", "table", "thead", "tbody", "tr", "th", "td", "pre", "code"}
OURS |= {"details", "summary"}
NOW = 86_400_000 * 1000


class Page(HTMLParser):
    """What a reader gets: elements, and the texts in code and outside of it."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text, self.code, self.comments, self.open = [], [], [], [], []
        self.feed(RENDERER.render(source))

    def handle_starttag(self, tag, attrs):
        assert tag != "code" or all(name == "class" for name, _ in attrs)
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.code if "code" in self.open else self.text).append(data)

    def handle_comment(self, data):
        self.comments.append(data)


def page(planned, target="production", **options):
    return Page(markdown.plan(planned, target, now=NOW, **options))


def change(key="acme-a", action=Action.UPDATE, **more):
    return Change(action, "monitor", key, more.pop("why", "changed"), Origin("rules/a.yml", 3, 5), **more)


def test_a_whole_comment():
    diff = yamldiff.diff("as written", {"count": 5, "a": 1}, {"count": 4, "a": 1})
    lost = Index(".ds-logs-000001", 12_345, 400_000_000, NOW - 412 * 86_400_000)
    planned = Plan(
        (
            change("acme-new", Action.CREATE, why="new"),
            change(risks=("closes alerts: 2 active",), diffs=(diff,)),
            change("acme-gone", Action.DELETE, doomed=(lost,)),
            Change(Action.NONE, "channel", "acme-old", ORPHAN, live=Live("channel", "acme-old", {}, "x")),
            change("acme-same", Action.NONE, why=""),
        ),
        (Limit("deletes", "5 of 12 objects (41 %) would be deleted; the limit is 30 %"),),
    )
    assert markdown.plan(planned, "production", now=NOW) == (
        """\
<!-- provisioner plan: production -->
### Plan for `production`: 1 to create, 1 to update, 1 to delete, 1 unchanged

> [!CAUTION]
> - refused: deletes: 5 of 12 objects (41 %) would be deleted; the limit is 30 %; if that is meant: --force deletes

> [!WARNING]
> - closes alerts: 2 active (`monitor acme-a`)
> - would delete 1 index, 400 MB (`monitor acme-gone`)
>   - .ds-logs-000001 (12,345 documents, 400 MB, 412 days)

| | object | why | where |
|---|---|---|---|
| +&nbsp;create | `monitor acme-new` | new | `rules/a.yml:3:5` |
| ~&nbsp;update | `monitor acme-a` | changed | `rules/a.yml:3:5` |
| -&nbsp;delete | `monitor acme-gone` | changed | `rules/a.yml:3:5` |
| !&nbsp;stays | `channel acme-old` | no longer in the repository |  |

<details><summary><code>monitor acme-a</code> update</summary>

as written:

```diff
- count: 5
+ count: 4
  a: 1
```

</details>
"""
    )


def test_no_changes():
    said = markdown.plan(Plan((change(action=Action.NONE),)), "dev")
    assert said == "<!-- provisioner plan: dev -->\n### Plan for `dev`: no changes\n"


def test_places_stand_before_the_stretch_that_they_are_of():
    place = Origin("rules/a.yml", 6, 20)
    lines = (Line(" ", "x:"), Line("-", "  a: 1"), Line("+", "  a: 2", place), Line("+", "  b: 2", Origin("f")))
    source = markdown.plan(Plan((change(diffs=(Diff("as written", lines),)),)), "dev")
    assert "  x:\n@@ rules/a.yml:6:20 @@\n-   a: 1\n+   a: 2\n+   b: 2\n" in source


NASTY = [
    "`", "``x", "a|b", "\\|", "\\\\|", "|`|", "`|`\\|", "<script>alert(1)</script>", "<!-- x", "--> x", "</details>",
    "</code>",
    "@octocat", "fix #123", "GH-12", "owner/repo#1", "https://evil.example/x", "www.evil.example", "a@evil.example",
    "[x](https://evil.example)", "![x](y)", "<https://evil.example>", "**b**", "_e_", "__s__", "~~d~~", "# h", "> q",
    "- item", "+ item", "1. item", "12) item", "===", "---", "```\nfoo\n```", "~~~", "a\n\n# heading", "a\r\n@all",
    "\x1b[31m",
    "\u2028x", "\u202ex", "&lt;b&gt;", "&#64;octocat", "$x$", "\ttab", "    code", "", " ", ":smile:", "[^1]: x",
    "[a]: /url",
    "\n", "x\\", "`\\", "\\`", "<b", "<details", "{% x %}", "a  \nb", "://", "🎉|é",
]  # fmt: skip


def shaped(nasty):
    lines = (Line("-", nasty.replace("\n", " ")), Line("+", nasty, Origin(nasty, 1, 1)))
    return Plan(
        (
            Change(
                Action.UPDATE,
                "monitor",
                nasty,
                nasty,
                Origin(nasty, 1, 1),
                risks=(nasty,),
                doomed=(Index(nasty, 1, 1, 0),),
                diffs=(Diff(nasty, lines),),
            ),
        ),
        (Limit(nasty, nasty),),
    )


def check(nasty):
    found = page(shaped(nasty))
    assert set(found.tags) <= OURS
    assert found.tags.count("h3") == found.tags.count("details") == found.tags.count("pre") == 1
    assert (found.tags.count("th"), found.tags.count("td"), found.tags.count("tr")) == (4, 4, 2)
    assert found.tags.count("blockquote") == 2
    assert found.comments == [" provisioner plan: production "]
    text = "".join(found.text)
    assert not re.search(r"@\w|#\d|\w://|www\.|GH-\d", text)
    return found


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_from_files_becomes_markup(nasty):
    found = check(nasty)
    seen = " ".join("".join(char if char.isprintable() else " " for char in nasty).split())
    shown = " ".join("".join([*found.text, *found.code]).replace("\u200b", "").split())
    assert shown.count(seen) >= 8  # and all of it is still there to read


@given(st.text(alphabet="`|\\<>@#_*[]()!-+~&;$:/.\n1aw ") | st.text())
@example("`\\|`")
def test_nothing_whatsoever_becomes_markup(nasty):
    check(nasty)


@pytest.mark.parametrize("target", ["dev", "-->", "a--b", "x\ny", "<b>", "`", "|"])
def test_the_marker_is_one_comment(target):
    found = page(Plan(()), target)
    assert len(found.comments) == 1
    assert found.comments[0].startswith(" provisioner plan: ")
    assert markdown.plan(Plan(()), target).startswith(f"{markdown.marker(target)}\n")
    assert set(found.tags) <= OURS


def test_fences_are_longer_than_what_they_hold():
    diff = yamldiff.diff("as written", {"m": "a\nb"}, {"m": "a\n`````\nb"})
    assert "``````diff\n" in markdown.plan(Plan((change(diffs=(diff,)),)), "dev")


@pytest.mark.parametrize("number", [10, 300, 3_000])
def test_a_comment_is_never_too_long(number):
    diff = yamldiff.diff("as written", {}, {f"key{n}": "x" * 50 for n in range(10)})
    planned = Plan(tuple(change(f"acme-{n}", diffs=(diff,), risks=("data!",)) for n in range(number)))
    source = markdown.plan(planned, "dev")
    assert len(source) <= markdown.LONGEST
    found = Page(source)
    assert not found.open
    rows, details = found.tags.count("tr") - 1, found.tags.count("details")
    text = "".join(found.text)
    if number == 10:
        assert (rows, details) == (10, 10)
        assert "left out" not in text
    else:
        assert 0 < details < number
        assert f"{number - details:,} of {number:,} diffs left out" in text
    if number == 3_000:
        assert 0 < rows < number
        assert f"{number - rows:,} of {number:,} changes left out" in text
        assert " of 3,000 warnings left out" in text


@given(st.integers(1_500, 20_000), st.integers(0, 60), st.integers(0, 2_000))
def test_any_length_holds(longest, number, size):
    diff = Diff("t", (Line("+", "x" * size),))
    planned = Plan(tuple(change(f"a{n}", diffs=(diff,), risks=("y" * size,)) for n in range(number)))
    source = markdown.plan(planned, "dev", longest=longest)
    assert len(source) <= longest
    assert not Page(source).open


@pytest.mark.parametrize("nasty", ["# @team #1 <img src=x> `a` [x](y) | **b**", "www.x.example http://y.example\n- a"])
def test_what_failed_is_plain_text(nasty):
    shown = Page(markdown.failed(ProvisionerError(nasty, nasty), nasty))
    assert set(shown.tags) <= OURS
    origin = Origin("rules/a.yml", 1, 2)
    found = [Finding("DOC001", nasty, origin, nasty), Finding("DOC002", "b", origin, severity=Severity.WARNING)]
    table = Page(markdown.findings(found, nasty))
    assert set(table.tags) <= OURS
    assert table.tags.count("tr") == 3
    assert table.code.count("rules/a.yml:1:2") == 2
    for each in (shown, table):
        assert each.comments[0].strip().startswith("provisioner plan: ")


def test_a_comment_on_what_failed_is_never_too_long():
    error = ProvisionerError("\n".join(["x" * 500] * 400), "y" * 500)
    found = [Finding("DOC001", "x" * 500, Origin("rules/a.yml", n, 2), "y" * 500) for n in range(400)]
    for text in (markdown.failed(error, "t", longest=9_000), markdown.findings(found, "t", longest=9_000)):
        assert len(text) <= 9_000
        assert "left out: the comment would be too long" in text

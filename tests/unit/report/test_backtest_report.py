"""The table, the JSON and the page of a backtest."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as Tree

import pytest

from provisioner.backtest.tally import DAY, HOUR, Tally
from provisioner.model import Document, Origin
from provisioner.report import backtest as report
from provisioner.report import backtestpage, html

NASTY = "</td><script>alert(1)</script>\"'&\x00\x1b[31m"
VOID = {"meta"}


def made(id_="brute-force", days=30, fired=(), **body):
    given = {"title": "Brute <force>", "severity": "high", "group_by": ["user"], **body}
    found = Tally(Document("rule", id_, given, {(): Origin("r.yml")}), 0, days * DAY, days * DAY, searches=12)
    for at, user, peak in fired:
        found.fire(at)
        found.about((("user", user),), peak)
        found.messages += 2
    return found


@pytest.fixture
def found():
    return made(fired=[(2 * DAY + HOUR, "root", 5.0), (2 * DAY + 3 * HOUR, "root", 9.5), (20 * DAY, NASTY, 6.0)])


class Reader(HTMLParser):
    """Reads a page as a browser does, and holds it against the nesting of its tags."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def bars(reader):
    return [attributes for tag, attributes in reader.seen if tag == "rect"]


def test_a_page_loads_nothing_and_has_no_script(found):
    reader = read(backtestpage.page([found], "acme", "production"))
    assert not {tag for tag, _ in reader.seen} & {"script", "link", "img", "iframe", "object"}
    assert not [
        name for _, attributes in reader.seen for name in attributes if name in ("src", "href", "style", "onload")
    ]
    assert not re.search(r"https?://|@import|url\(", backtestpage.page([found], "acme", "production"))
    assert "</td><script>alert(1)</script>" in "".join(reader.text)  # as text
    assert "\x00" not in "".join(reader.text)


def test_a_bar_for_each_day_with_fires_in_proportion(found):
    reader = read(backtestpage.page([found], "acme", "production"))
    two, one = bars(reader)
    assert float(two["height"]) == pytest.approx(2 * float(one["height"]), abs=0.02)
    assert float(two["y"]) + float(two["height"]) == pytest.approx(float(one["y"]) + float(one["height"]), abs=0.02)
    slot = (float(one["x"]) - float(two["x"])) / 18
    assert slot == pytest.approx((backtestpage._WIDTH - backtestpage._LEFT - 8) / 31, abs=0.01)
    (svg,) = [attributes for tag, attributes in reader.seen if tag == "svg"]
    assert svg["role"] == "img"
    assert svg["aria-label"] == "Fires of brute-force by day: 3 in all, at most 2 at 1970-01-03"
    assert "1970-01-03: 2" in reader.text


@pytest.mark.parametrize(("days", "each"), [(3, "hour"), (30, "day"), (400, "day"), (1_000, "week"), (20_000, "year")])
def test_a_long_time_has_longer_bars_and_all_of_them_on_the_plot(days, each):
    found = made(days=days, fired=[(0, "a", 1.0), (days * DAY - 1, "b", 1.0)])
    reader = read(backtestpage.page([found], "acme", "production"))
    first, last = bars(reader)
    assert float(last["x"]) + float(last["width"]) <= backtestpage._WIDTH
    assert float(first["x"]) >= backtestpage._LEFT
    assert f"Numbers by {each}" in reader.text
    labels = [
        attributes for tag, attributes in reader.seen if tag == "text" and attributes.get("text-anchor") == "middle"
    ]
    assert 3 <= len(labels) <= 6


def test_colours_can_be_read_in_the_dark_and_in_the_light():
    """Contrast after WCAG: text at least 4.5, bars at least 3."""

    def light(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{[^}]*\}", html.STYLE)]
    assert len(schemes) == 2
    for scheme in schemes:
        for name, least in {"ink": 4.5, "dim": 4.5, "bar": 3}.items():
            high, low = sorted((light(scheme[name]), light(scheme["paper"])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= least, (name, scheme)


def test_a_rule_that_never_fired_has_no_plot(found):
    quiet = made("quiet")
    reader = read(backtestpage.page([quiet, found], "acme", "production"))
    assert len([tag for tag, _ in reader.seen if tag == "svg"]) == 1
    assert any("quiet: fired 0 times, 0.0 a day; it would have sent 0 messages." in text for text in reader.text)


def test_the_plot_is_well_formed(found):
    each, values = backtestpage._bars(found)
    assert Tree.fromstring(Tree.tostring(backtestpage._plot("r", each, values))).tag == "svg"


def test_json_has_everything(found):
    found.until, found.going_on = 25 * DAY, 1
    (rule,) = report.json([found])["rules"]
    assert rule["complete"] is False
    assert (rule["fired"], rule["messages"], rule["going_on_at_begin"], rule["per_day"]) == (3, 6, 1, 0.12)
    assert rule["busiest_day"] == {"day": "1970-01-03", "fired": 2}
    assert rule["top"][0] == {"key": {"user": "root"}, "fired": 2, "peak": 9.5}
    assert rule["days"] == {"1970-01-03": 2, "1970-01-21": 1}
    assert list(rule["hours"]) == ["1970-01-03T01:00:00Z", "1970-01-03T03:00:00Z", "1970-01-21T00:00:00Z"]


def test_text_says_what_a_count_leaves_out(found):
    found.until, found.going_on, found.cut = 25 * DAY, 1, True
    said = [str(line) for line in report.lines([found, made("off", enabled=False)])]
    assert said[0].startswith("brute-force: user root (2); ")
    assert said[1:] == [
        "brute-force: interrupted: counted up to 1970-01-26T00:00:00Z only",
        "brute-force: 1 alert went on from before the begin: not counted",
        "brute-force: too many keys: rare ones are missing",
        "off: the rule is off",
    ]

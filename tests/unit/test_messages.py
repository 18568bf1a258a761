"""Messages are filled in at once: what a value says is a value, whatever it looks like."""

from __future__ import annotations

import pytest

from provisioner.messages import fill, sections


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("%title% of %rule%", {"title": "A", "rule": "b"}, "A of b"),
        ("%title%", {"title": "%rule%", "rule": "b"}, "%rule%"),
        ("%unknown% 100% %a b%", {"a": "x"}, "%unknown% 100% %a b%"),
        ("%a%b%a%", {"a": "1", "b": "2"}, "1b1"),
        ("", {"a": "1"}, ""),
    ],
)
def test_places_are_filled(text: str, values: dict[str, str], expected: str) -> None:
    assert fill(text, values) == expected


def test_a_value_given_by_its_name_is_the_one_that_counts() -> None:
    assert fill("%a% %b%", {"a": "1", "b": "2"}, b="3") == "1 3"


@pytest.mark.parametrize(
    ("text", "lists", "expected"),
    [
        ("x {{#%a%}}-{{/%a%}} y", ["p"], "x {{#p}}-{{/p}} y"),
        ("x {{#%a%}}-{{/%a%}} y", ["p", "q.r"], "x {{#p}}-{{/p}}{{#q.r}}-{{/q.r}} y"),
        ("{{#%a%}}1{{/%a%}}{{#%a%}}2{{/%a%}}", ["p"], "{{#p}}1{{/p}}{{#p}}2{{/p}}"),
        ("none", ["p"], "none"),
        ("{{#%a%}}-{{/%a%}}", [], ""),
        ("{{#%b%}}-{{/%b%}}", ["p"], "{{#%b%}}-{{/%b%}}"),
    ],
)
def test_a_section_is_written_for_each_list(text: str, lists: list[str], expected: str) -> None:
    assert sections(text, "a", lists, {}) == expected


def test_parts_are_replaced_behind_the_sections_in_order() -> None:
    assert sections("{{#%a%}}%x%{{/%a%}}", "a", ["p", "q"], {"%x%": "%y%", "%y%": "z"}) == "{{#p}}z{{/p}}{{#q}}z{{/q}}"

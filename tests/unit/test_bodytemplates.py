"""Whatever a value holds, it stays in its place; whatever a body template does, there is a sentence for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.bodytemplates import TemplateError, Templates, encode

NASTY = [
    'quote " and \\ backslash',
    "it's",
    "line\nanother: line\r\n- item",
    "# no comment",
    "{{ doc }} {% raw %} {# x #}",
    "a: b",
    "- a",
    "&anchor *alias !tag %dir @x `y`",
    "🎉 ümläut",
    "nel \x85 ls \u2028 ps \u2029 bom \ufeff nul \0 esc \x1b del \x7f nonchar \ufffe \uffff",
    "</script> & <b>",
    "}} ]} , evil: true",
    '", evil: 1, z: "',
    "",
    " lead and trail ",
    "null",
    "1e5",
    "~",
    "<<",
    "\t",
]


@pytest.fixture
def write(tmp_path):
    def write(text, name="body.yml.j2"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return Templates([tmp_path])

    return write


def render(templates, **context):
    return templates.render("body.yml.j2", {"read": templates.read, **context})


PLACES = """\
plain: {{ value }}
flow: {a: {{ value }}, b: [{{ value }}, 1]}
list:
  - {{ value }}
  - {{ 'before ' ~ value ~ ' after' }}
  - {{ value | tojson }}
  - {{ value | safe }}
{{ 'key' ~ value }}: 1  # a comment with {{ value }} in it
{% macro pair(x) %}{in: {{ x }}}{% endmacro %}
macro: {{ pair(value) }}
{% macro wrap() %}[{{ caller() }}, 2]{% endmacro %}
called: {% call wrap() %}{{ value }}{% endcall %}

{% set kept %}{{ value }}{% endset %}
kept: {{ kept }}
nested: {{ {'x': [value, {'y': value}]} }}
last: 1
"""


def check_every_place(templates, value):
    assert render(templates, value=value) == {
        "plain": value,
        "flow": {"a": value, "b": [value, 1]},
        "list": [value, f"before {value} after", value, value],
        f"key{value}": 1,
        "macro": {"in": value},
        "called": [value, 2],
        "kept": value,
        "nested": {"x": [value, {"y": value}]},
        "last": 1,
    }


@pytest.mark.parametrize("value", NASTY)
def test_a_nasty_value_stays_in_its_place(write, value):
    check_every_place(write(PLACES), value)


_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\ufdd0\ufdd1\ufdd2\ufdd3")
_ANY = st.one_of(st.sampled_from(NASTY), st.text(_CHARACTERS, max_size=40))


@given(st.lists(_ANY, max_size=3).map("".join))
def test_no_value_ever_breaks_out(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("templates", numbered=True)
    (folder / "body.yml.j2").write_text(PLACES, encoding="utf-8")
    check_every_place(Templates([folder]), value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.floats(allow_nan=False, allow_infinity=False)
        | _ANY,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_ANY, inner, max_size=3),
        max_leaves=10,
    )
)
def test_every_json_value_comes_back_as_it_was(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("templates", numbered=True)
    (folder / "body.yml.j2").write_text("value: {{ value }}", encoding="utf-8")
    back = Templates([folder]).render("body.yml.j2", {"value": value})["value"]
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("value", ["\nevil: true\n", 'x"\nevil: true\n', "x", "evil: true"])
@pytest.mark.parametrize(
    "expression",
    [
        "m(value) | replace('\"', '')",
        "m(value)[2:]",
        "m(value) ~ value",
        "m(value) + value",
        "m(value) | trim",
        "[m(value), value] | join",
        "m(value).replace('\"', '')",
        "'%s' | format(m(value))",
        "m(value) | safe",
        "m(value) | upper",
        "{'x': m(value)}",
        "kept ~ 'x'",
    ],
)
def test_what_a_macro_printed_is_no_value(write, expression, value):
    text = "{% macro m(x) %}{{ x }}{% endmacro %}\n{% set kept %}{{ value }}{% endset %}\na: {{ EXPRESSION }}\n"
    with pytest.raises(TemplateError, match="what a macro printed is used as a value"):
        render(write(text.replace("EXPRESSION", expression)), value=value)


@pytest.mark.parametrize("value", NASTY)
@pytest.mark.parametrize(
    "expression", ["(value | tojson)[1:-1]", "value | tojson ~ value", "(value | tojson).strip('\"')"]
)
def test_what_is_made_of_json_is_encoded_again(write, expression, value):
    rendered = render(write(f"a: {{{{ {expression} }}}}\nb: 1\n"), value=value)
    assert set(rendered) == {"a", "b"}
    assert isinstance(rendered["a"], str)


@pytest.mark.parametrize("mark", ["\ufdd0", "\ufdd00\ufdd1", "\ufdd1", "\ufdd2", "\ufdd3", "{{ '\ufdd0' }}"])
def test_our_own_marks_are_refused(write, mark):
    with pytest.raises(TemplateError, match=r"the character U\+FDD[0-3] can't stand in body templates") as error:
        render(write(f"a: 1\nb: {mark}\n"))
    assert error.value.where.endswith("body.yml.j2:2")


@pytest.mark.parametrize("expression", [r"'\ufdd0'", r"'\ufdd00\ufdd1'", r"{'\ufdd2': 1}", r"['\ufdd3']", "value"])
def test_no_value_is_taken_for_a_mark(write, expression):
    with pytest.raises(TemplateError, match="what a macro printed is used as a value"):
        render(write(f"a: 1\nb: {{{{ {expression} }}}}\n"), value="x\ufdd1")


def test_constants_are_encoded_like_values(write):
    rendered = render(write("a: {{ 'x: \"y\"' }}\nb: {{ 'p' ~ 'q' }}\nc: {{ 'a'|tojson }}\nd: {{ 1 + 1 }}\n"))
    assert rendered == {"a": 'x: "y"', "b": "pq", "c": "a", "d": 2}


def test_lone_surrogates_are_an_error_not_a_crash(write):
    with pytest.raises(TemplateError, match="invalid Unicode"):
        render(write("a: {{ value }}"), value="\ud800")


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__",
        "().__class__.__bases__",
        "lipsum.__globals__",
        "cycler.__init__.__globals__",
        "'{0.__class__}'.format(1)",
        "('%s' | attr('__class__'))",
        "doc.__init__",
        "range(10 ** 9)",
        "doc.update({'x': 1})",
        "doc.list.append(1)",
        "self.__init__.__globals__",
    ],
)
def test_the_sandbox_refuses(write, expression):
    document = {"list": [1]}
    with pytest.raises(TemplateError) as error:
        render(write(f"a: 1\nb: {{{{ {expression} }}}}"), doc=document)
    assert error.value.where == "templates/body.yml.j2:2"
    assert document == {"list": [1]}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: {{ missing }}", 1, "'missing' is undefined"),
        ("a: 1\nb: {{ doc.nothing }}", 2, "no attribute 'nothing'"),
        ("a: {{ [doc.nothing] }}", 1, "no attribute 'nothing'"),
        ("a: {{ 1 / 0 }}", 1, "division by zero"),
        ("a: {{ 1e308 * 10 }}", 1, ""),
        ("a: {{ big * 10 }}", 1, "not JSON compliant"),
        ("a: {{ doc.keys() }}", 1, "not callable"),
        ("a: {{ 'x'.encode() }}", 1, "a bytes is no value of JSON"),
        ("a: {{ none.x.y }}", 1, "'None' has no attribute 'x'"),
        ("a: {{ {}['x'] }}", 1, "no attribute 'x'"),
        ("\n{% if %}", 2, "Expected"),
        ("{% for x in doc %}", 1, "Unexpected end"),
        ("\n{% filter upper %}{{ big }}{% endfilter %}", 2, "no filter or autoescape blocks"),
        ("{% autoescape true %}{{ big }}{% endautoescape %}", 1, "no filter or autoescape blocks"),
        ("{% include '../secret' %}", 1, "no body template"),
        ("{% include 'no.j2' %}", 1, "no body template templates/no.j2"),
        ("{{ read('../outside.txt') }}", 1, "no file"),
        ("{{ read('/etc/passwd') }}", 1, "no file"),
        ("{{ read('link.txt') }}", 1, "no file"),
        ("{{ read('circle') }}", 1, "no file"),
        ("{{ read('\\0') }}", 1, "no file"),
        ("{{ read('x' * 5000) }}", 1, "no file"),
        ("{{ read('latin1.txt') }}", 1, "codec can't decode"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", 0, "calls itself without end"),
        ("a: [1", 0, "flow sequence"),
        ("a: 1\na: 2", 0, "stands twice"),
        ("{{ 'a' }}: 1\n{{ 'a' }}: 2", 0, "stands twice"),
        ("a: {{ 10 ** 20 }}", 0, "64 bits"),
    ],
)
def test_a_mistake_in_a_template_is_an_error_with_its_place(tmp_path, write, text, line, words):
    (tmp_path.parent / "outside.txt").write_text("secret")
    (tmp_path / "link.txt").symlink_to(tmp_path.parent / "outside.txt")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "latin1.txt").write_bytes(b"\xe9")
    with pytest.raises(TemplateError) as error:
        render(write(text), doc={"keys": ["a"]}, big=1e308)
    assert words in str(error.value)
    assert error.value.where.startswith("templates/body.yml.j2")
    if line:
        assert error.value.where in (f"templates/body.yml.j2:{line}", "templates/body.yml.j2")


def test_a_missing_template_is_an_error(write):
    with pytest.raises(TemplateError, match="no body template templates/other"):
        write("").render("other.j2", {})


def test_the_documents_own_keys_win_over_pythons_methods(write):
    assert render(write("a: {{ doc.keys }}\nb: {{ doc.items }}"), doc={"keys": [1], "items": 2}) == {"a": [1], "b": 2}


def test_read_takes_files_of_the_first_folder_that_has_them(tmp_path):
    for name in ("mine", "pack"):
        (tmp_path / name / "sub").mkdir(parents=True)
    (tmp_path / "mine" / "sub" / "a.txt").write_text("mine {{ x }}")
    (tmp_path / "pack" / "sub" / "a.txt").write_text("pack")
    (tmp_path / "pack" / "sub" / "b.txt").write_text("pack")
    (tmp_path / "mine" / "body.yml.j2").write_text("a: {{ read('sub/a.txt') }}\nb: {{ read('sub/b.txt') }}")
    templates = Templates([tmp_path / "mine", tmp_path / "pack"])
    assert render(templates) == {"a": "mine {{ x }}", "b": "pack"}


def test_an_empty_template_is_an_empty_mapping(write):
    assert render(write("{# nothing #}")) == {}


def test_encode_is_json_for_ascii_controls():
    assert encode("a\x85b\u2028\x7f\n") == '"a\\u0085b\\u2028\\u007f\\n"'


@pytest.mark.parametrize(
    "text",
    [
        'a: "{{ value }}"',
        "a: '{{ value }}'",
        'a: "say {{ value }}"',
        'a: {k: "say {{ value }}", z: 1}',
        'a: {k: "x, {{ value }}, y", z: 1}',
        "a: ['x {{ value }}', 'y']",
        "a: logs-{{ value }}",
        "a: {{ value }}-logs",
        "a: {{ value }} {{ value }}",
        "key{{ value }}: 1",
        "a: {% if true %}x{% endif %}{{ value }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}a: '{{ m(value) }}'",
        "a: x {{ number }}",
        "a: 1{{ number }}",
        'a: "{{ [value] }}"',
    ],
)
@pytest.mark.parametrize("value", ["plain", ', "evil": 1, "z": ', ", evil: 1, z: ", "x' , evil: 1, z: '", "", " # "])
def test_a_value_in_quotes_or_beside_other_text_is_refused(write, text, value):
    with pytest.raises(TemplateError):
        render(write(f"first: 1\n{text}\n"), value=value, number=2)


def test_the_refusal_says_what_to_do(write):
    with pytest.raises(TemplateError, match="stands in quotes or beside other text; print whole values") as error:
        render(write("first: 1\na: logs-{{ value }}\n"), value="x")
    assert error.value.where == "templates/body.yml.j2 (rendered):2:4"


@pytest.mark.parametrize("value", NASTY)
def test_in_block_scalars_and_comments_a_value_is_json(write, value):
    text = "a: |\n  say {{ value }} twice {{ value }}\nb: 1  # not {{ value }}\n# nor '{{ value }}'\nc: [{{ value }}]"
    said = encode(value)
    assert render(write(text), value=value) == {
        "a": f"say {said} twice {said}\n",
        "b": 1,
        "c": [value],
    }


def test_texts_bear_no_marks(write):
    templates = write("a {{ 'b' }} {% macro m() %}{{ 1 }}{% endmacro %}{{ m() }}")
    assert templates.text("body.yml.j2", {}) == 'a "b" 1'

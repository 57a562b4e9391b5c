"""Where the values of a template stand, and which of them may."""

from __future__ import annotations

import pytest

from nextauth_py.content.templates import COMMENT, Attribute, places

from .templates import Template, admitted

J = "javascript:hacked=1"


def where(*strings: str) -> list[str | None]:
    """The places of a template's values: `tag name`, "comment", or None for text."""
    found = places(strings).all
    return [
        None if place is None else "comment" if place is COMMENT else f"{place.tag} {place.kind}{place.name}"
        for place in found
    ]


@pytest.mark.parametrize(
    ("strings", "found"),
    [
        (("<p>", "</p>"), [None]),
        (("", ""), [None]),
        (("<p>online=", "</p>"), [None]),
        (("<p>1 = ", "</p>"), [None]),
        (('<p>q="</p><a href=', "></a>"), ["a href"]),
        (("<p>a < ", " b > c</p>"), [None]),
        (("<p>a <", " b</p>"), ValueError),
        (("<p>href='", "'</p>"), [None]),
        (("<p title=", ">"), ["p title"]),
        (('<p class="a" title="', '">'), ["p title"]),
        (("<P Title='x ", "'>"), ["p title"]),
        (('<a title="x=" href=', ">"), ["a href"]),
        (("<a title='>' href=", ">"), ["a href"]),
        (("<a title=a=b href=", ">"), ["a href"]),
        (("<a\n\t title\n=\n'", "'\n>"), ["a title"]),
        (("<img src=", "/>"), ["img src"]),
        (("<img src=", " />"), ["img src"]),
        (("<a href=/a/b?c=", "&d=", ">"), ["a href", "a href"]),
        (("<a @click=", " ?hidden=", " .value=", ">"), ["a @click", "a ?hidden", "a .value"]),
        (("<x-y .data=", "></x-y>"), ["x-y .data"]),
        (('<p title="', '">', "</p><!-- ", " --><b>", "</b>"), ["p title", None, "comment", None]),
        (("<!-- <a href=", "> --><p>", "</p>"), ["comment", None]),
        (("<textarea title=", "><a href=", "></textarea><b>", "</b>"), ["textarea title", None, None]),
        (("<title>", "</title>"), [None]),
        (("<style>a > b { content: '<p title=' }</style><p>", "</p>"), [None]),
        (("<svg><animate values=", "/></svg>"), ["animate values"]),
    ],
)
def test_the_place_of_a_value_is_found(strings: tuple[str, ...], found: list[str | None] | type) -> None:
    if isinstance(found, list):
        assert where(*strings) == found
    else:
        with pytest.raises(ValueError, match="the template"):
            places(strings)


def test_an_attribute_is_known_by_all_its_parts() -> None:
    found = places(("<p>", "</p><a href='/u/", "/", "?a&amp;b#'>")).all
    assert found == (None, *[Attribute("a", "", "href", ("/u/", "/", "?a&b#"), 1)] * 2)


@pytest.mark.parametrize(
    ("strings", "why"),
    [
        (("<", ">"), "'<{…}>' has a value in the name of a tag"),
        (("<h", ">x"), "in the name of a tag"),
        (("<p>x</p><", " a=b>"), "in the name of a tag"),
        (("<p>x</", ">"), "no HTML"),
        (("<p ", ">"), "in the name of an attribute"),
        (("<p ", "=x>"), "in the name of an attribute"),
        (("<p a", "b=x>"), "in the name of an attribute"),
        (("<p a='b' ", ">"), "in the name of an attribute"),
        (("<p title=", " title=", ">"), "two attributes 'title'"),
        (("<p title='a' Title=", ">"), "two attributes 'Title'"),
        (("<textarea/>", "</textarea>"), "<textarea/> without a space before the slash"),
        (("<noscript><textarea></noscript>", "<i></i>"), "<textarea> without </textarea>"),
        (("<script>", "</script>"), "inside <script>"),
        (("<svg><STYLE>a{b:", "}</STYLE></svg>"), "inside <STYLE>"),
        (("<iframe>", "</iframe>"), "inside <iframe>"),
        (("<noscript>", "</noscript>"), "inside <noscript>"),
        (("<xmp>", "</xmp>"), "inside <xmp>"),
        (("<plaintext>", ""), "inside <plaintext>"),
        (("<textarea>", ""), "<textarea> without </textarea>"),
        (("<TEXTAREA>", "</textarea>"), "<TEXTAREA> without </TEXTAREA>"),
        (("<!-- ", ""), "no HTML"),
        (("<!-->", "-->"), "no HTML"),
        (("<!-- --!> ", " -->"), "no HTML"),
        (("<!doctype ", ">"), "no HTML"),
        (("<?", "?>"), "no HTML"),
        (("<svg><![CDATA[", "]]></svg>"), "no HTML"),
        (("<a href=", ""), "no HTML"),
        (("<a href='", ""), "no HTML"),
        (('<a title="x"href=', ">"), "no HTML"),
        (("<a/href=", ">"), "no HTML"),
        (("<a title=x'y href=", ">"), "no HTML"),
        (("<a ='x' href=", ">"), "no HTML"),
        (('<a "x href=', '">'), "no HTML"),
        (("<a <b href=", ">"), "no HTML"),
        (("<a href=`", "`>"), "no HTML"),
        (("<a href==", ">"), "no HTML"),
        (("<p>\0", "</p>"), "a control character"),
        (("<p\vtitle=", ">"), "a control character"),
    ],
)
def test_where_no_value_may_stand_the_template_is_shown(strings: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match="the template .* has ") as caught:
        places(strings)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [".innerHTML", ".outerHTML", "srcdoc", ".srcdoc", "onclick", ".onclick", "ONERROR", ".style", "style"],
)
def test_values_that_browsers_run_or_parse_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="would be run or parsed"):
        places((f"<p {name}=", ">"))


@pytest.mark.parametrize(
    ("template", "values"),
    [
        (Template('<a href="', "", "", J, '">'), [None, None]),
        (Template('<a href="', "java", "", "script:x", '">'), [None, None]),
        (Template("<a href=", "java", "script:x>"), [None]),
        (Template("<a href='&#106;ava", "script:x", "'>"), [None]),
        (Template('<a href=" ', J, '">'), [None]),
        (Template('<a href="\n  ', "/a", '\n">'), ["/a"]),
        (Template('<a href="', 1, "/", None, '">'), ["1", ""]),
        (Template('<a href="/u/', J, '">'), [J]),
        (Template('<a href="?next=', f"{J}\n", '">'), [f"{J}\n"]),
        (Template('<a href="mailto:', "a@b.example", '">'), ["a@b.example"]),
        (Template('<set to="mailto:a;', J, '">'), [None]),
        (Template('<a href="javascript:f(', "1", ')">'), [None]),
        (Template('<a href="data:text/html,', "x", '">'), [None]),
        (Template('<img src="data:image/png;base64,', "AAAA", '">'), ["AAAA"]),
        (Template("<a .href=", J, ">"), [""]),
        (Template("<a .href=", "/a", ">"), ["/a"]),
        (Template("<a href=", None, ">"), [None]),
        (Template("<a href=", [J], ">"), [f"['{J}']"]),
        (Template("<x-y .data=", [1, 2], "></x-y>"), [[1, 2]]),
        (Template("<x-y .href=", J, "></x-y>"), [""]),
        (Template("<x-y .href=", [J], "></x-y>"), [""]),
        (Template("<x-y .href=", [[[J]]], "></x-y>"), [""]),
        (Template("<x-y .href=", ["/a"], "></x-y>"), [["/a"]]),
        (Template("<object .data=", [J], ">"), [""]),
        (Template("<p title=", J, ">"), [J]),
        (Template("<p title='a ", None, "'>"), [""]),
        (Template("<p title=", None, ">"), [None]),
        (Template("<p ?hidden=", [], " ?inert=", "x", ">"), [False, True]),
        (Template("<p>", J, "</p><!-- ", "x", " -->"), [J, "x"]),
    ],
)
def test_the_whole_value_decides(template: Template, values: list[object]) -> None:
    assert admitted(template) == values


class Sneaky(str):
    """A text that says something else each time."""

    def __str__(self) -> str:
        return J


def test_the_checked_value_is_the_shown_value() -> None:
    assert admitted(Template("<a href=", Sneaky("/a"), ">")) == [None]


def test_a_template_is_read_once() -> None:
    strings = ("<p title=", ">", "</p>")
    assert places(strings) is places(tuple(strings))

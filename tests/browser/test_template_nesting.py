"""Templates whose elements are not where their strings have them: no value gets into another one's place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from demo.serve import AuthServer

from .conftest import shared_page
from .python_page import PythonPage
from .test_templates import ANY_TEMPLATE, CLICK_EVERYTHING


@pytest.fixture(scope="module")
def python(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    with shared_page(browser, f"{auth_server.url}/python.html") as python:
        python.run("from nextauth_py import *")
        yield python


def show(python: PythonPage, template: str) -> str | None:
    """Draw a template; the page's text."""
    python.run(f"""
        J, name, u = "javascript:void(window.hacked=1)", "javascript:void(window.hacked=1)", "#page"

        @component("#target")
        def shown():
            return t'''{template}'''
    """)
    return python.page.locator("#target").text_content()


@pytest.mark.parametrize(
    "template",
    [
        # Browsers copy the first link into what comes after: a value too many.
        "<p><a href={u}>One</p> <p>{name} <a href={u}>Two</a></p>",
        "<a href={u}><div>Profile</a></div> {name} <a href={u}>x</a>",
        "<a href={u}><p>click</a> {name} <a href={u}>x</a>",
        # They put a link in front of the table that it is in.
        "<table><tr><td>{name}</td></tr><a href={u}>x</a></table>",
        # They drop elements.
        "<div><tr background={u}></tr></div>{name}<a title={u}>x</a>",
        "<col title={u}><a href={u}></a>{name}<a href={u}>x</a>",
        # lit-html does not look into these, browsers do, or the other way round.
        "<template><a href={u}></a></template>{name}<a title={u}>x</a>",
        "<svg><title><b class={name}></b></title></svg><a href={u}>x</a>",
        "<svg><textarea><b class={name}></b></textarea></svg><a href={u}>x</a>",
        "<textarea/><b href={u}></textarea><a title={name}>x</a>",
        "<iframe><textarea></iframe><b title={name}></b><textarea></textarea><a href={u}>x</a>",
        "<noscript><b title='</noscript>'></b></noscript><b title={name}></b><a href={u}>x</a>",
    ],
)
def test_a_value_that_is_text_becomes_no_link(python: PythonPage, template: str) -> None:
    shown = show(python, template)
    page = python.page
    page.evaluate(CLICK_EVERYTHING)
    page.evaluate("async () => new Promise((done) => setTimeout(done))")  # where such a link would have run
    assert page.evaluate("window.hacked") is None
    assert page.locator("#target [href^=javascript]").count() == 0
    assert shown == "This part of the page could not be shown."


def test_the_console_says_which_template_it_is(python: PythonPage) -> None:
    with python.page.expect_console_message(lambda message: message.type == "error") as told:
        show(python, "<p><a href={u}>One</p> <p>{name} <a href={u}>Two</a></p>")
    assert "'<p><a href={…}>One</p>" in told.value.text
    assert "is an end tag missing" in told.value.text
    assert "javascript" not in told.value.text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("<ul><li>{u}<li title={u}>{u}</ul>", "#page#page"),
        ("<p title={u}>{u}<p>{u}", "#page#page"),
        ("<tr title={u}><td>{u}<td>{u}</tr>", "#page#page"),
        ("<table title={u}><tr><td>{u}</table>", "#page"),
        ("<select title={u}><option value={u}>{u}</select>", "#page"),
        ("<svg viewBox={'0 0 1 1'}><title>{u}</title><circle r={u} /><g fill={u}/>{u}</svg>", "#page#page"),
        ("<math title={u}><mi>{u}</mi></math>{u}", "#page#page"),
        ("<form></form><select></select><!----><b>{u}</b><i title={u}/>", "#page"),
        ("<textarea title={u}>{u}</textarea><!--{u}--><!-- {u} -->{u}", "#page#page"),
        ("<noscript><img src='/a'></noscript>{u}<b title='{u}/>{u}'>{u}</b>", "#page#page"),
        ("<img src={u}/><br>{u}", "#page"),
        ("<b title='a' ?hidden={False} .lang={u} @click={print}>{u}</b>", "#page"),
    ],
)
def test_what_is_where_it_is_written_is_shown(python: PythonPage, template: str, text: str) -> None:
    assert show(python, template) == text


# As in test_templates.py, of elements that browsers move, copy and drop.
NESTED = r"""
    TAGS = (
        "a a a b i nobr p p div table tr td tbody caption col select option svg title math mi foreignObject "
        "desc form template li ul button h1 noscript body image style textarea annotation-xml x-y frameset "
        "ruby rt applet object dd font html script xmp iframe"
    ).split()
    ATTRIBUTES = [" href=\0", ' title="\0"', " class='a \0'", " color=\0", " size=1", " viewBox=\0"]
    ATTRIBUTES += [" .id=\0"]

    def nested(dice, depth=4):
        if depth == 0 or dice.random() < 0.2:
            return dice.choice(["\0", "x", " ", "\n", "<!--\0-->", "<!--?\0-->", "<!---->", ""])
        tag = dice.choice(TAGS)
        attributes = "".join(dice.sample(ATTRIBUTES, dice.choice([0, 0, 1, 1, 2])))
        inner = "".join(nested(dice, depth - 1) for _ in range(dice.randrange(3)))
        if tag in ("style", "script", "xmp", "iframe", "noscript"):
            inner = inner.replace("\0", "")
        end = dice.choice([f"</{tag}>"] * 6 + ["", f"</{dice.choice(TAGS)}>"])
        return f"<{tag}{attributes}{dice.choice(['', '', '', '/', ' /'])}>{inner}{end}"

    def part(dice, inner=""):
        return nested(dice)

    def drawn(seed):
        outcome = differs(seed)
        refused = "could not be shown" in js.document.querySelector("#target").textContent
        return None if refused or outcome is None else outcome
"""


def test_no_nesting_leads_a_value_elsewhere(python: PythonPage) -> None:
    python.run(ANY_TEMPLATE)
    python.run(NESTED)
    outcomes = python.run("[drawn(seed) for seed in range(3000)]")
    assert [each for each in outcomes if each] == []
    assert sum(each == [] for each in outcomes) > 500  # the others have no value, or are refused

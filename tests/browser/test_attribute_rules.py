"""What attributes take from a session in a page: by lit-html, bindings, attributes of the page, and early."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from demo.serve import AuthServer
from tests.attribute_cases import CASES, Case

from .conftest import shared_page
from .python_page import PythonPage

EXPIRES = "2099-01-01T00:00:00.000Z"

START = """
    import json, js
    from string.templatelib import Interpolation, Template
    from nextauth_py import *

    provider = SessionProvider(None).start()
    target = js.document.querySelector("#target")
    cases = json.loads(js.cases)

    def show(**user):
        provider.session = {"user": user, "expires": "2099-01-01T00:00:00Z"}

    def attribute(element, name):
        return element.getAttribute(name) if element.hasAttribute(name) else None

    def outcome(tag, name, act):
        element = js.document.createElement(tag)
        element.setAttribute(name, "before")
        target.replaceChildren(element)
        try:
            act(element)
        except ValueError:
            return "refused"
        return attribute(element, name)
"""


@pytest.fixture(scope="module")
def python(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    script = f"globalThis.cases = {json.dumps(json.dumps(CASES))};"
    with shared_page(browser, f"{auth_server.url}/attributes.html", script=script) as python:
        python.run(START)
        yield python


def expected(case: Case) -> str | None:
    return {"kept": case.value, "dropped": None, "refused": "refused"}[case.outcome]


def differing(found: list[str | None], cases: list[Case] = CASES) -> list[tuple[Case, str | None]]:
    assert len(found) == len(cases)
    return [(case, each) for case, each in zip(cases, found, strict=True) if each != expected(case)]


def test_a_binding(python: PythonPage) -> None:
    found = python.run("""
        def bound(tag, name, value, _):
            show(value=value)
            undo = []
            found = outcome(tag, name, lambda each: undo.append(
                use_session().bind(each, attr={name: "user.value"})))
            [each() for each in undo]
            return found

        [bound(*case) for case in cases]
    """)
    assert differing(found) == []


def test_an_attribute_of_the_page(python: PythonPage) -> None:
    found = python.run("""
        def by_attribute(tag, name, value, _):
            show(value=value)
            undo = []

            def act(each):
                each.setAttribute("data-session-attr", f"{name}:user.value")
                undo.append(bind_page(target))

            found = outcome(tag, name, act)
            [each() for each in undo]
            return found

        [by_attribute(*case) for case in cases]
    """)
    assert differing(found) == []


TEMPLATES = """
    from nextauth_py.content.templates import places

    def by_template(tag, name, values, quote):
        inside = [each for value in values for each in (Interpolation(value, "value"), "")][:-1]
        template = Template(f"<{tag} data-x='x=' {name}={quote}", *inside, f"{quote}></{tag}>")
        try:
            places(template.strings)
        except ValueError:
            return "refused"
        component(target)(lambda: template)
        return attribute(target.firstElementChild, name)
"""


@pytest.mark.parametrize(("cut", "quote"), [(None, ""), (None, "'"), (0, '"'), (1, "'"), (-1, '"')])
def test_a_template(python: PythonPage, cut: int | None, quote: str) -> None:
    python.run(TEMPLATES)
    found = python.run(f"""
        cut = {cut!r}
        [
            by_template(tag, name, [value] if cut is None else [value[:cut], value[cut:]], {quote!r})
            for tag, name, value, _ in cases
        ]
    """)
    assert differing(found) == []


PAINT = """async ({ html, answer, names }) => {
    document.body.innerHTML = html;
    window.nextauthSession = {
        answer: Promise.resolve([200, answer, [["content-type", "application/json"]]]),
        signal: new AbortController().signal,
        drop() {},
    };
    const script = document.createElement("script");
    const done = new Promise((done) => (script.onload = done));
    document.head.append(Object.assign(script, { src: "/static/dist/session-paint.js" }));
    await done;
    const bound = document.querySelectorAll("[data-session-attr]");
    return [...bound].map((each, at) => each.getAttribute(names[at]));
}"""

# The script leaves these to Python, and URLs with blanks around them.
RARE = {"by", "codebase", "content", "from", "longdesc", "to", "values", "xlink:href", "xml:base"}
# In a body too they do what they do in a head.
IN_HEADS = {"base", "link", "meta"}


def test_the_early_paint(page: Page, auth_server: AuthServer) -> None:
    page.goto(f"{auth_server.url}/static/dist/pyscript.json")
    cases = [case for case in CASES if case.tag not in IN_HEADS]
    html = "".join(
        f'<{case.tag} {case.name}=before data-session-attr="{case.name}:user.v{number}"></{case.tag}>'
        for number, case in enumerate(cases)
    )
    values = {f"v{number}": case.value for number, case in enumerate(cases)}
    answer = json.dumps({"user": values, "expires": EXPIRES})
    names = [case.name for case in cases]
    found = page.evaluate(PAINT, {"html": html, "answer": answer, "names": names})
    assert len(found) == len(cases)
    for case, each in zip(cases, found, strict=True):
        has_blanks = case.value != case.value.strip().strip("\ufeff")
        is_rare = case.name in RARE or case.tag == "source" or has_blanks
        is_left = case.outcome == "refused" or is_rare
        assert (case, each) == (case, "before" if is_left else expected(case))

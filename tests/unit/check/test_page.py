"""What a page's HTML loads."""

from __future__ import annotations

import pytest

from nextauth_py.check.answers import Answer, resolved, shown
from nextauth_py.check.findings import Level
from nextauth_py.check.page import check_page, check_redirects, check_sources, parse_page

from .examples import SITE, answer, bad, html, one, redirect

CORE = '<script type="module" src="/static/dist/pyscript/core.js"></script>'
PREFETCH = '<script src="/static/dist/session-prefetch.js"></script>'
PYTHON = '<script type="py" src="main.py" config="/static/dist/pyscript.json"></script>'


def complaints(body: str, *headers: tuple[str, str], url: str = "/shop/page.html") -> list[str]:
    found = html(url, f"<!doctype html>{body}", *headers)
    return bad(check_page(parse_page(found), found))


def test_a_page_in_order_has_no_complaint() -> None:
    found = html("/shop/page.html", PREFETCH + CORE + PYTHON)
    page = parse_page(found)
    assert {each.level for each in check_page(page, found)} == {Level.OK}
    assert page.sources == [f"{SITE}/shop/main.py"]
    assert page.configs == [f"{SITE}/static/dist/pyscript.json"]
    assert page.inline_configs == []
    assert not page.has_workers
    assert not page.is_from_cdn


def test_elements_of_python_are_read_as_pyscript_does() -> None:
    body = """
        <!-- <script type="py" src="commented.py"></script> -->
        <script type="PY" worker config='{"packages": ["numpy"]}'>"<script type='py' src='no.py'>"</script>
        <py-config>{"packages": []}</py-config><py-config src="own.toml"></py-config>
        <py-script src="one.py"></py-script><py-script src="one.py"></py-script>
    """
    page = parse_page(html("/page", body))
    assert page.sources == [f"{SITE}/one.py"]
    assert page.configs == [f"{SITE}/own.toml"]
    assert page.inline_configs == ['{"packages": ["numpy"]}', '{"packages": []}']
    assert page.has_workers


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PYTHON, "warning page: it has Python, but its HTML names no core.js"),
        (CORE.replace(' type="module"', "") + PYTHON, "error page: core.js is a module"),
        (CORE + '<script type="py" src="a.py"></script>', "error page: its Python has no config"),
        (CORE + PYTHON + '<script type="mpy">1</script>', "error page: it has MicroPython"),
        (
            CORE + PYTHON + '<script src="http://shop.example/x.js"></script>',
            "error page: browsers refuse to load",
        ),
        (
            '<base href="https://evil.example/">' + CORE + PYTHON,
            "warning page: its <base> leads to https://evil",
        ),
        ("<p>Hello", "warning page: https://shop.example/shop/page.html loads no PyScript"),
    ],
)
def test_what_keeps_a_page_from_working(body: str, expected: str) -> None:
    (found,) = complaints(body)
    assert found.startswith(expected)


def test_broken_html_is_read_as_far_as_it_goes() -> None:
    page = parse_page(html("/page", f"{CORE}<![broken[ <!doctype <script"))
    assert page.core


def test_what_is_no_page() -> None:
    found = answer("/page", "{}")
    assert "not HTML" in one(check_page(parse_page(found), found), Level.ERROR).text


def test_a_script_that_react_adds_later_is_known_by_its_preload() -> None:
    found = html("/page", '<link rel="preload" href="/static/dist/pyscript/core.js" as="script"/>' + PYTHON)
    page = parse_page(found)
    assert bad(check_page(page, found)) == []
    assert page.core_url == f"{SITE}/static/dist/pyscript/core.js"
    assert not page.is_from_cdn


def test_pyscript_from_its_cdn_is_known() -> None:
    for url in ("https://pyscript.net/releases/2026.3.1/core.js", "https://cdn.example/npm/core-BxZ1.js"):
        assert parse_page(html("/page", f'<script type="module" src="{url}"></script>')).is_from_cdn


def test_cookies_of_a_page_for_shared_caches_are_warned() -> None:
    headers = ("cache-control", "public, max-age=60"), ("set-cookie", "lb=secret")
    (found,) = complaints(CORE + PYTHON, *headers)
    assert found.startswith("warning page: it sets cookies (lb) and says Cache-Control: public")
    assert complaints(CORE + PYTHON, headers[0]) == complaints(CORE + PYTHON, headers[1]) == []


def test_another_librarys_core_is_not_pyscript() -> None:
    page = parse_page(html("/page", '<script src="/lib/core.js"></script>' + CORE))
    assert page.core_url == f"{SITE}/static/dist/pyscript/core.js"


def test_advice_names_the_bundle_that_was_found() -> None:
    found = html("/page", CORE + '<script type="py" src="a.py"></script>')
    page = parse_page(found)
    advice = one(check_page(page, found, f"{SITE}/py/"), Level.ERROR).advice
    assert advice.startswith('config="/py/pyscript.json"')
    assert one(check_page(page, found), Level.ERROR).advice.startswith('config="…/pyscript.json"')
    found = html("/page", PYTHON)
    advice = one(check_page(parse_page(found), found, f"{SITE}/py/"), Level.WARNING).advice
    assert advice == '<script type="module" src="/py/pyscript/core.js"></script>'


EMBEDDED = '<script type="application/json" id="nextauth-session">{"user": {"name": "Alice"}}</script>'


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("cache-control", "private, no-cache")], []),
        ([], ["warning embedded session: the page holds"]),
        ([("cache-control", "public, max-age=60")], ["error embedded session: the page holds"]),
        ([("cache-control", "private"), ("x-cache", "HIT")], ["error embedded session: the page holds"]),
    ],
)
def test_an_embedded_session_is_private(headers: list[tuple[str, str]], expected: list[str]) -> None:
    found = complaints(CORE + PYTHON + EMBEDDED, *headers)
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected
    assert not any("Alice" in line for line in found)


# --- where it leads ---


@pytest.mark.parametrize(
    ("url", "location", "seen"),
    [
        ("http://shop.example/", "https://shop.example/", "(http to https)"),
        ("https://www.shop.example/", "https://shop.example/", "(without www)"),
        ("https://shop.example/", "https://www.shop.example/?token=1", "https://www.shop.example/ (www)"),
        ("https://shop.example/a", "/b", "https://shop.example/a leads to https://shop.example/b"),
    ],
)
def test_where_a_page_leads_is_said(url: str, location: str, seen: str) -> None:
    found = one(check_redirects([redirect(url, location), html("/")]), Level.NOTE)
    assert seen in found.text
    assert "token" not in str(found)


def test_a_page_for_members_is_not_read() -> None:
    findings = check_redirects([redirect("/account", "/login?callbackUrl=%2Faccount")])
    assert "for signed-in visitors" in findings[-1].text
    assert bad(findings) == []


def test_a_circle_of_redirects_is_an_error() -> None:
    assert "on and on" in one(check_redirects([redirect("/a", "/b"), redirect("/b", "/a")]), Level.ERROR).text


def test_a_site_without_tls_is_warned_but_not_on_this_machine() -> None:
    assert "no TLS" in one(check_redirects([html("http://shop.example/")]), Level.WARNING).text
    assert check_redirects([html("http://localhost:3000/")]) == []
    assert check_redirects([html("http://127.0.0.1/")]) == []


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        (redirect("/main.py", "/login?callbackUrl=x"), "/main.py redirects to /login"),
        (answer("/main.py", "", status=404), "/main.py: 404"),
        (Answer(f"{SITE}/main.py", failure="no answer within 1 s"), "/main.py: no answer within 1 s"),
        (html("/main.py"), "/main.py is an HTML page"),
    ],
)
def test_python_files_are_public(found: Answer, seen: str) -> None:
    page = parse_page(html("/page", CORE + PYTHON))
    assert seen in one(check_sources(page, {found.url: found}), Level.ERROR).text


# --- addresses ---


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("b?x#y", f"{SITE}/a/b?x"),
        ("../c", f"{SITE}/c"),
        ("//cdn.example/x", "https://cdn.example/x"),
        *(
            (url, "")
            for url in ("", "javascript:1", "data:,x", "https://[", "https://u:p@shop.example/", "http://")
        ),
    ],
)
def test_addresses_are_resolved(url: str, expected: str) -> None:
    assert resolved(f"{SITE}/a/page", url) == expected


def test_addresses_are_shown_without_their_query() -> None:
    assert shown(f"{SITE}/a?token=1", SITE) == "/a"
    assert shown("https://id.example?code=1", SITE) == "https://id.example/"

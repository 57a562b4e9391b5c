"""Where a page and its Python ask for the session."""

from __future__ import annotations

import pytest

from nextauth_py.check.answers import Answer
from nextauth_py.check.base_path import Call, calls_of, check_base_path
from nextauth_py.check.findings import Finding, Level
from nextauth_py.check.page import parse_page

from .examples import SITE, answer, bad, html, one

PREFETCH = '<script src="/py/session-prefetch.js"></script>'
IMPORT = "from nextauth_py import SessionProvider\n"
MAIN = f"{SITE}/main.py"


def calls(*sources: str) -> list[Call]:
    page = parse_page(html("/page"))
    files = {
        f"{SITE}/{n}.py": answer(f"/{n}.py", each, kind="text/x-python") for n, each in enumerate(sources)
    }
    return calls_of(page, files)


def findings(source: str, base_path: str, body: str = "") -> list[Finding]:
    page = parse_page(html("/page", body))
    return check_base_path(
        page, calls_of(page, {MAIN: answer("/main.py", source, kind="text/plain")}), base_path
    )


@pytest.mark.parametrize(
    ("source", "base_path"),
    [
        (IMPORT + "SessionProvider().start()", "/api/auth"),
        (IMPORT + "SessionProvider(None, debug=True, base_path=None)", "/api/auth"),
        (IMPORT + "with SessionProvider(base_path='/auth/'): pass", "/auth"),
        ("from nextauth_py import *\nSessionProvider(base_path='/auth')", "/auth"),
        ("from nextauth_py import SessionProvider as P\nP(base_path='/auth')", "/auth"),
        ("import nextauth_py\nnextauth_py.SessionProvider(base_path='/auth')", "/auth"),
        ("import nextauth_py as n\nawait n.SessionProvider(base_path='/auth').start().ready()", "/auth"),
        (IMPORT + f"SessionProvider(base_url='{SITE}/shop/auth')", "/shop/auth"),
        (IMPORT + f"SessionProvider(base_url='{SITE}', base_path='/own')", "/own"),
        ("from nextauth_py.blocking import get_session\nget_session(base_path='/auth')", "/auth"),
        ("from nextauth_py import blocking\nblocking.get_providers(base_path='/auth')", "/auth"),
        ("import nextauth_py.blocking\nnextauth_py.blocking.get_session(base_path='/auth')", "/auth"),
        (IMPORT + "x = '\\d'\nSessionProvider(base_path='/auth')", "/auth"),
    ],
)
def test_a_literal_base_path_is_read(source: str, base_path: str) -> None:
    assert [call.base_path for call in calls(source)] == [base_path]


@pytest.mark.parametrize(
    "source",
    [
        IMPORT + "SessionProvider(base_path=document.body.dataset.auth)",
        IMPORT + "SessionProvider(base_path=f'/{name}/auth')",
        IMPORT + "SessionProvider(base_path='/shop' + AUTH)",
        IMPORT + "SessionProvider(base_path='/auth', base_url=URL)",
        IMPORT + "SessionProvider(**options)",
        IMPORT + "SessionProvider(base_url='https://id.example/auth')",
        "import os\n" + IMPORT + "os.environ['NEXTAUTH_URL'] = url\nSessionProvider()",
    ],
)
def test_what_is_not_literal_is_not_judged(source: str) -> None:
    (call,) = calls(source)
    assert (call.base_path, call.problem) == (None, "")
    (found,) = findings(source, "/own")
    assert (found.level, found.advice) == (Level.NOTE, "")
    assert "not compared" in found.text


@pytest.mark.parametrize(
    "source",
    [
        "SessionProvider(base_path='/auth')",
        "from elsewhere import SessionProvider\nSessionProvider()",
        "from .nextauth_py import SessionProvider\nSessionProvider()",
        IMPORT + "from elsewhere import *\n# SessionProvider(base_path='/auth')",
        "import nextauth_py\nnextauth_py.sign_in('credentials', base_path='/auth')",
        "from nextauth_py.blocking import get_session\nget_session(timeout=3)",
        IMPORT + "SessionProvider(",
        IMPORT + '"""',
        IMPORT + "SessionProvider()\0",
        "(" * 100_000,
        "-" * 100_000 + "1",
    ],
)
def test_other_python_says_nothing(source: str) -> None:
    assert calls(source) == []


def test_a_variable_counts_for_all_files_of_the_page() -> None:
    first, second = (
        "import os\nos.environ.update(AUTH_URL='x', **{'AUTH_URL': url})",
        IMPORT + "SessionProvider()",
    )
    assert [call.base_path for call in calls(first, second)] == [None]


@pytest.mark.parametrize("prefix", ["t", "T", "rt", "tR"])
@pytest.mark.parametrize("quote", ['"', '"""'])
def test_files_with_templates_are_read_by_older_pythons_too(prefix: str, quote: str) -> None:
    source = f"{IMPORT}def page():\n    return {prefix}{quote}<b class='x'>{{name}}\\d</b>{quote}\n"
    (call,) = calls(f"{source}SessionProvider(base_path='/auth')")
    assert (call.base_path, call.place) == ("/auth", "/0.py, line 4")


def test_python_in_the_page_itself_is_read() -> None:
    body = f"<script type='py'>\n  {IMPORT}  SessionProvider(base_path='/auth')\n</script>"
    page = parse_page(html("/page", body))
    (call,) = calls_of(page, {})
    assert (call.base_path, call.place) == ("/auth", "the page's own Python, line 3")


@pytest.mark.parametrize(
    "found",
    [
        html("/main.py", IMPORT),
        answer("/main.py", IMPORT, status=404),
        answer("/main.py", IMPORT, is_whole=False),
    ],
)
def test_what_is_no_whole_file_is_not_read(found: Answer) -> None:
    source = IMPORT + "SessionProvider()"
    answers = {MAIN: Answer(found.url, found.status, found.headers, source.encode(), found.is_whole)}
    assert calls_of(parse_page(html("/page")), answers) == []


@pytest.mark.parametrize(
    ("arguments", "base_path", "asks"),
    [
        ("", "/auth", "/api/auth"),
        ("base_path='/auth'", "/api/auth", "/auth"),
        ("base_path='/auth'", "/shop/auth", "/auth"),
        ("base_path='/'", "/auth", "/"),
    ],
)
def test_python_that_asks_elsewhere_is_an_error(arguments: str, base_path: str, asks: str) -> None:
    (found,) = findings(f"{IMPORT}SessionProvider({arguments})", base_path)
    seen = f"/main.py, line 2: SessionProvider asks at {asks}, the auth routes are at {base_path}"
    assert str(found) == f'error    python: {seen}. Fix: SessionProvider(base_path="{base_path}")'


def test_python_and_html_that_agree_on_a_wrong_path_are_two_errors() -> None:
    body = PREFETCH.replace(" src", ' data-base-path="/auth" src')
    prefetch, python = findings(f"{IMPORT}SessionProvider(base_path='/auth')", "/api/auth", body)
    assert (prefetch.level, prefetch.subject) == (Level.ERROR, "prefetch")
    assert (python.level, python.subject) == (Level.ERROR, "python")
    assert 'data-base-path="/api/auth"' in prefetch.advice


def test_a_base_path_that_the_client_refuses_is_an_error() -> None:
    for value in ("'auth'", "'//auth'", "3"):
        found = one(findings(f"{IMPORT}SessionProvider(base_path={value})", "/auth"), Level.ERROR)
        assert found.text.startswith("/main.py, line 2: base_path")
        assert found.advice == 'SessionProvider(base_path="/auth")'


def test_python_that_asks_at_the_right_place_is_ok() -> None:
    (found,) = findings(f"{IMPORT}SessionProvider(base_path='/auth')", "/auth")
    assert str(found) == "ok       python: /main.py, line 2: asks at /auth"


def test_without_python_to_read_another_base_path_says_what_pages_have_to_write() -> None:
    found = one(findings("", "/auth"), Level.NOTE)
    assert "as those of other Auth.js frameworks" in found.text
    assert 'SessionProvider(base_path="/auth")' in found.advice
    assert 'data-base-path="/auth"' in found.advice
    assert findings("", "/api/auth") == []


@pytest.mark.parametrize(
    ("attribute", "base_path", "is_right"),
    [
        ("", "/api/auth", True),
        ("", "/auth", False),
        (' data-base-path="/auth"', "/auth", True),
        (' data-base-path="/auth/"', "/auth", True),
        (' data-base-path="/auth"', "/api/auth", False),
        (' data-base-path="/"', "/api/auth", False),
    ],
)
def test_the_early_script_asks_at_the_base_path(attribute: str, base_path: str, *, is_right: bool) -> None:
    body = PREFETCH.replace(" src", f"{attribute} src")
    found = next(each for each in findings("", base_path, body) if each.subject == "prefetch")
    assert found.level == ("ok" if is_right else "error")
    assert is_right or f'data-base-path="{base_path}"' in found.advice
    assert bad(findings("", base_path)) == []

"""The self-hosted runtime in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from demo.serve import AuthServer

from .python_page import PythonPage

HTML = """<!doctype html>
<script type="module" src="../../static/dist/pyscript/core.js"></script>
<p id="target"></p>
<script type="py" config="../../static/dist/pyscript.json">
from nextauth_py import component

@component("#target")
def hello():
    return "it runs"
</script>"""


def test_a_page_at_another_depth_may_name_it_relatively(page: Page, auth_server: AuthServer) -> None:
    url = f"{auth_server.url}/deep/er/page"
    page.route(url, lambda route: route.fulfill(body=HTML, content_type="text/html"))
    page.goto(url)
    expect(page.locator("#target")).to_have_text("it runs")


def test_it_holds_everything_that_a_page_imports(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    outcome = python.run("""
        import sys
        import nextauth_py
        loaded_early = [name for name in ("pydantic", "pyodide_http") if name in sys.modules]
        import pydantic, pyodide_http
        from pyscript.js_modules import lit
        [loaded_early, pydantic.VERSION.split(".")[0], callable(lit.render), sys.version_info[:2]]
    """)
    assert outcome == [[], "2", True, [3, 14]]
    assert python.requests == []


def test_a_page_on_which_nobody_is_signed_in_never_loads_pydantic(
    page: Page, auth_server: AuthServer
) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    outcome = python.run("""
        import sys
        from nextauth_py import SessionProvider
        state = await SessionProvider().start().ready()
        [state.status, "pydantic" in sys.modules]
    """)
    assert outcome == ["unauthenticated", False]

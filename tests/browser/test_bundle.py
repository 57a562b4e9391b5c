"""The self-hosted runtime in a browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, expect

from demo.serve import AuthServer
from nextauth_py.bundle import build_bundle

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


def test_a_signed_out_page_never_loads_pydantic(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    outcome = python.run("""
        import sys
        from nextauth_py import SessionProvider
        state = await SessionProvider().start().ready()
        [state.status, "pydantic" in sys.modules]
    """)
    assert outcome == ["unauthenticated", False]


def test_imported_modules_are_precompiled(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    files = python.run("""
        import sys
        import nextauth_py, pydantic
        names = ("nextauth_py.provider", "nextauth_py.ui.component", "pydantic.main", "typing_extensions")
        [sys.modules[name].__file__ for name in names if name in sys.modules or __import__(name)]
    """)
    assert len(files) == 4
    assert [path for path in files if not path.endswith(".pyc")] == []


def test_a_traceback_names_files_and_lines(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    told = python.run("""
        import traceback
        from nextauth_py import SessionProvider
        try:
            SessionProvider(timeout="soon")
        except TypeError:
            told = traceback.format_exc()
        told
    """)
    source = (Path(__file__).parents[2] / "nextauth_py/core/options.py").read_text("utf-8").splitlines()
    line = next(number for number, text in enumerate(source, 1) if "takes seconds as a number" in text)
    assert f'site-packages/nextauth_py/core/options.py", line {line}, in checked_seconds' in told


def test_a_bundle_may_do_without_a_snapshot(page: Page, auth_server: AuthServer, tmp_path: Path) -> None:
    build_bundle(tmp_path, snapshot=False)
    serve(page, f"{auth_server.url}/static/dist/", tmp_path)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    loaded, files, restored = python.run("""
        import sys
        from nextauth_py import SessionProvider
        await SessionProvider().start().ready()
        loaded = [name for name in ("pydantic", "urllib.parse", "email.utils") if name in sys.modules]
        import asyncio, pydantic
        [loaded, [asyncio.__file__, pydantic.__file__], "nextauth_py_reseed" in sys.modules]
    """)
    assert loaded == []  # which would take longer than the whole package
    assert files == [
        "/lib/python314.zip/asyncio/__init__.pyc",
        "/lib/python3.14/bundled-packages/pydantic/__init__.pyc",
    ]
    assert not restored


CDN = "https://cdn.jsdelivr.net/pyodide/"
CDN_PAGE = """<!doctype html>
<script type="module" src="/static/dist/pyscript/core.js"></script>
<p id="target"></p>
<script type="py" config="/cdn/pyscript.json">
import sys
from nextauth_py import component
from nextauth_py.models import Session
from pyscript.js_modules import lit

@component("#target")
def hello():
    return f"it runs {'nextauth_py_reseed' not in sys.modules}"
</script>"""


def test_a_page_may_load_pyscript_from_its_cdn(
    browser: Browser, auth_server: AuthServer, bundle: Path, tmp_path: Path
) -> None:
    build_bundle(tmp_path, cdn=True)
    page = browser.new_page()
    # PyScript is the bundle's own copy here, and its Pyodide answers for the CDN's.
    serve(page, f"{CDN}*/full/", bundle / "pyodide")
    serve(page, f"{auth_server.url}/cdn/", tmp_path)
    page.route(
        f"{auth_server.url}/page", lambda route: route.fulfill(body=CDN_PAGE, content_type="text/html")
    )
    page.goto(f"{auth_server.url}/page")
    expect(page.locator("#target")).to_have_text("it runs True")
    page.close()


def serve(page: Page, url: str, folder: Path) -> None:
    def answer(route: Route) -> None:
        start = re.match(re.escape(url).replace(r"\*", "[^/]+"), route.request.url)
        assert start
        route.fulfill(
            path=folder / route.request.url[start.end() :], headers={"access-control-allow-origin": "*"}
        )

    page.route(f"{url}**", answer)

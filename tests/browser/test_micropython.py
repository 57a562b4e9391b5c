"""A page that runs the wrong Python reads which one it needs."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

import nextauth_py
from demo.serve import AuthServer

PACKAGE = Path(nextauth_py.__file__)
CONFIG = '{"interpreter": "/peers/micropython.mjs", "files": {"/package.py": "nextauth_py/__init__.py"}}'
PAGE = f"""<!doctype html><link rel=icon href="data:,"><body>
    <script type=module src=/static/dist/pyscript/core.js></script>
    <script type=mpy config='{CONFIG}'>import nextauth_py</script>"""


def test_micropython_gets_an_error_that_says_what_to_use(page: Page, auth_server: AuthServer) -> None:
    source = PACKAGE.read_text("utf-8")
    page.route("**/package.py", lambda route: route.fulfill(body=source, content_type="text/x-python"))
    page.route("**/mpy", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.goto(f"{auth_server.url}/mpy")
    expect(page.get_by_text('nextauth_py needs Pyodide: use <script type="py">')).to_be_visible()

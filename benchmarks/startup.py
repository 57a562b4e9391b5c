"""How long a page takes to show who is signed in, beside a PyScript page that only sets its title.

All pages in turn, in each round. Real servers; nothing is intercepted.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.serve import AuthServer, install_packages
from nextauth_py.bundle import build_bundle
from nextauth_py.bundle.build.places import pinned
from tests.browser.browsers import launch_options

from .report import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

WARM_ROUNDS, COLD_ROUNDS, SLOW_ROUNDS = 9, 5, 3
SETTLE = 4_000  # milliseconds, in which a browser caches what it has compiled, and a page what it keeps

# A slow line: 10 Mbit/s.
SLOW = {"offline": False, "latency": 40, "downloadThroughput": 1_250_000, "uploadThroughput": 1_250_000}

# PyScript and Pyodide as npm has them, where the server says that they never change.
STOCK = "/startup"
STOCK_PYODIDE = "pyodide/57000000"
PREFETCH = '<script src="/static/session-prefetch.js"></script>'
PAINT = f'{PREFETCH}<script src="/static/session-paint.js" defer></script>'

NAME = """
from nextauth_py import SessionProvider, component, use_session

SessionProvider().start()

@component("#name")
def name():
    session = use_session()
    return session.data and session.data.user.name
"""
BY_HAND = """
import js
from pydantic import BaseModel
from pyodide.http import pyfetch

class User(BaseModel):
    name: str

class Session(BaseModel):
    user: User
    expires: str

response = await pyfetch("/api/auth/session")
session = Session.model_validate_json(await response.text())
js.document.getElementById("name").textContent = session.user.name
"""
ATTRIBUTES = """
from nextauth_py import SessionProvider, bind_page

SessionProvider().start()
bind_page()
"""

# Of what a page has not imported by then.
IMPORT = """
import json
import js
from time import perf_counter

def elapsed(name):
    start = perf_counter()
    __import__(name)
    return (perf_counter() - start) * 1000

js.window.elapsed = json.dumps([elapsed("nextauth_py"), elapsed("nextauth_py.models")])
js.window.shown = True
"""
IMPORTED = ("import nextauth_py", "then nextauth_py.models, with pydantic")

SHOWS = "document.getElementById('{}')?.textContent.trim() === 'Alice Liddell'"

# Checked at every frame, from the first one on: the page's own clock, not the test's.
WATCH = """
    const look = () => (CONDITION) ? window.done = performance.now() : requestAnimationFrame(look);
    requestAnimationFrame(look);
"""


@dataclass(frozen=True)
class Start:
    """One way to show a name.

    Attributes:
        title: In the table.
        path: Of the page.
        shown: What is true, in JavaScript, once it is done.
        html: The page, unless the server has it.
        generation: Of the server.
    """

    title: str
    path: str
    shown: str = SHOWS.format("name")
    html: str = ""
    generation: str = "v4"


@dataclass(frozen=True)
class Site:
    """Two servers, by generation, and the cookies of somebody who is signed in at both."""

    urls: dict[str, str]
    state: Any


def _page(code: str, *, head: str = "", dist: str = "/static/dist", config: Any = None) -> str:
    described = json.dumps(config) if config else f"{dist}/pyscript.json"
    return (
        f'<!doctype html>\n<title>…</title>\n<link rel="icon" href="data:,">\n{head}\n'
        f'<script type="module" src="{dist}/pyscript/core.js"></script>\n'
        f'<b id="name" data-session-text="user.name"></b>\n'
        f"<script type=\"py\" config='{described}'>{code}</script>\n"
    )


INTERPRETER = {"interpreter": f"{STOCK}/{STOCK_PYODIDE}/pyodide.mjs"}


def _by_wheel(*packages: str) -> dict[str, Any]:
    lit = {"main": {"/static/dist/lit/lit.js": "lit"}}
    return {**INTERPRETER, "packages": packages, "packages_cache": "passthrough", "js_modules": lit}


STARTS = [
    Start(
        "PyScript, an empty page",
        "empty.html",
        "document.title === 'Python'",
        _page('\nfrom pyscript import document\ndocument.title = "Python"\n', dist=STOCK, config=INTERPRETER),
    ),
    Start(
        "PyScript, fetch and pydantic by hand",
        "hand.html",
        html=_page(BY_HAND, dist=STOCK, config=_by_wheel("pydantic")),
    ),
    Start(
        "nextauth_py, Pyodide as it is",
        "wheels.html",
        html=_page(NAME, dist=STOCK, config=_by_wheel("nextauth-py")),
    ),
    Start("nextauth_py, --no-snapshot", "none.html", html=_page(NAME, head=PREFETCH, dist="/no-snapshot")),
    Start("nextauth_py", "name.html", html=_page(NAME)),
    Start("nextauth_py, prefetched", "prefetched.html", html=_page(NAME, head=PREFETCH)),
    Start("nextauth_py, early paint", "paint.html", html=_page(ATTRIBUTES, head=PAINT)),
    Start("React, next-auth v4", "peer-v4.html", SHOWS.format("shown")),
    Start("React, next-auth v5", "peer-v5.html", SHOWS.format("shown"), generation="v5"),
]

IMPORTS = [
    Start(
        "Pyodide as it is",
        "import-wheels.html",
        "window.shown",
        _page(IMPORT, dist=STOCK, config=_by_wheel("nextauth-py")),
    ),
    Start("--no-snapshot", "import-none.html", "window.shown", _page(IMPORT, dist="/no-snapshot")),
    Start("with a snapshot", "import.html", "window.shown", _page(IMPORT)),
]


def measure(browser: Browser, mounts: dict[str, Path]) -> list[Table]:
    """Load each page often: with a warm cache, with none, and over a slow line."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build_bundle(folder / "no-snapshot", snapshot=False, report=lambda _: None)
        _fetch_stock(folder, mounts["/static"] / "dist/pyodide")
        for start in filter(lambda start: start.html, STARTS + IMPORTS):
            (folder / start.path).write_text(start.html, "utf-8")
        pages = {"/no-snapshot": folder / "no-snapshot", "/startup": folder, **mounts}

        def site(*, compresses: bool) -> Site:
            servers = [AuthServer(pages, generation=each, compresses=compresses) for each in ("v4", "v5")]
            urls = {server.generation: stack.enter_context(server).url for server in servers}
            return Site(urls, _signed_in(browser, urls))

        plain, compressing = site(compresses=False), site(compresses=True)
        with _profile(browser, plain) as context:
            warm, imports = _warm(context, plain), _imports(context, plain)
        columns = {
            "warm": warm,
            "cold": _cold(browser, plain, COLD_ROUNDS),
            "cold, 10 Mbit/s and 40 ms": _cold(browser, plain, SLOW_ROUNDS, _slow_down),
            "the same, compressed by the server": _cold(browser, compressing, SLOW_ROUNDS, _slow_down),
        }
    rows = {start.title: {name: column[start] for name, column in columns.items()} for start in STARTS}
    return [
        Table("ms until the name is there", rows, base=STARTS[0].title),
        Table("ms in a page, warm", {start.title: imports[start] for start in IMPORTS}),
    ]


def _fetch_stock(folder: Path, bundle: Path) -> None:
    """PyScript and Pyodide from npm, and the bundle's wheels for Pyodide's own boot."""
    npm = folder / "npm"
    npm.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pinned(name), npm)
    install_packages(npm, "PyScript and Pyodide", report=lambda _: None)
    shutil.copytree(npm / "node_modules/@pyscript/core/dist", folder / "pyscript")
    shutil.copytree(npm / "node_modules/pyodide", folder / STOCK_PYODIDE)
    for path in (bundle / "pyodide-lock.json", *bundle.glob("*.whl")):
        shutil.copy(path, folder / STOCK_PYODIDE)


@contextmanager
def _profile(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A visitor's own browser. In Playwright's contexts, as in private windows, it keeps no compiled code."""
    with tempfile.TemporaryDirectory() as folder:
        context = browser.browser_type.launch_persistent_context(folder, **launch_options())
        context.add_cookies(site.state["cookies"])
        yield context
        context.close()


def _signed_in(browser: Browser, urls: dict[str, str]) -> Any:
    context = browser.new_context()
    for url in urls.values():
        page = context.new_page()
        page.goto(f"{url}/api/auth/signin?callbackUrl=/peer-v4.html")
        page.get_by_label("User").fill("alice")
        page.get_by_label("Password").fill("wonder")
        page.get_by_role("button").click()
        page.wait_for_url("**/peer-v4.html")
    state = context.storage_state()
    context.close()
    return state


def _warm(context: BrowserContext, site: Site) -> dict[Start, list[float | None]]:
    _visit_twice(context, STARTS, site)
    times: dict[Start, list[float | None]] = {start: [] for start in STARTS}
    for start in STARTS * WARM_ROUNDS:
        page = context.new_page()
        times[start].append(_load(page, start, site))
        page.close()
    return times


def _imports(context: BrowserContext, site: Site) -> dict[Start, dict[str, list[float | None]]]:
    _visit_twice(context, IMPORTS, site)
    times: dict[Start, dict[str, list[float | None]]] = {
        start: {name: [] for name in IMPORTED} for start in IMPORTS
    }
    for start in IMPORTS * WARM_ROUNDS:
        page = context.new_page()
        _load(page, start, site)
        for name, elapsed in zip(IMPORTED, json.loads(page.evaluate("elapsed")), strict=True):
            times[start][name].append(elapsed)
        page.close()
    return times


def _visit_twice(context: BrowserContext, starts: list[Start], site: Site) -> None:
    """The second time, what was compiled is cached."""
    for start in starts * 2:
        page = context.new_page()
        _load(page, start, site)
        page.wait_for_timeout(SETTLE)
        page.close()


def _cold(
    browser: Browser,
    site: Site,
    rounds: int,
    prepare: Callable[[Page], None] | None = None,
) -> dict[Start, list[float | None]]:
    times: dict[Start, list[float | None]] = {start: [] for start in STARTS}
    for start in STARTS * rounds:
        context = browser.new_context(storage_state=site.state)
        page = context.new_page()
        if prepare:
            prepare(page)
        times[start].append(_load(page, start, site))
        context.close()
    return times


def _slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)


def _load(page: Page, start: Start, site: Site) -> float:
    """Milliseconds from the start of the navigation until the name is there."""
    page.set_default_timeout(120_000)
    page.add_init_script(WATCH.replace("CONDITION", start.shown))
    page.goto(f"{site.urls[start.generation]}/{'startup/' if start.html else ''}{start.path}")
    page.wait_for_function("() => window.done")
    elapsed: float = page.evaluate("window.done")
    return elapsed

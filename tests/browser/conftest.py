"""Browser tests: a real Chromium, a real NextAuth server, and no request that leaves this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from demo.serve import AuthServer, install_server
from nextauth_py.bundle import build_bundle
from tests.peers import build_peers, fetch_wheels
from tests.servers import SERVER_SCRIPT
from tests.servers.control import ServerControl

from .browsers import firefox_options, launch_options, load_config
from .python_page import PythonPage

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "static/dist"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LOADED_FROM_PAGE = {"http", "https", "ws", "wss"}


CONFIG = load_config()
# Asked for here, before Playwright runs.
LAUNCH_OPTIONS = launch_options()
FIREFOX_OPTIONS = firefox_options()


def pytest_configure(config: pytest.Config) -> None:
    expect.set_options(timeout=CONFIG.EXPECT_TIMEOUT)
    if not config.option.browser:
        config.option.browser = CONFIG.BROWSERS


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, **LAUNCH_OPTIONS}


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The self-hosted runtime, built if it is not there."""
    build_bundle(BUNDLE)
    return BUNDLE


@pytest.fixture(scope="session")
def start_server(bundle: Path) -> Iterator[Callable[..., AuthServer]]:
    """Starts one more auth server, with the options of `AuthServer`."""
    install_server()
    mounts = {
        "/static/dist": bundle,
        "/demo": ROOT / "demo/pages",
        "/peers": build_peers(),
        "/wheels": fetch_wheels(),
        "/": Path(__file__).parent / "pages",
    }
    with ExitStack() as servers:
        yield lambda **options: servers.enter_context(
            AuthServer(mounts, **{"script": SERVER_SCRIPT, **options})
        )


@pytest.fixture(scope="session")
def auth_server(start_server: Callable[..., AuthServer]) -> AuthServer:
    """A NextAuth v4 server that serves the test pages, and the demo's under ``/demo``."""
    return start_server()


@pytest.fixture(scope="session")
def base_url(auth_server: AuthServer) -> str:
    return CONFIG.BASE_URL or auth_server.url


@pytest.fixture
def control(auth_server: AuthServer) -> Iterator[ServerControl]:
    """Holds back and replaces answers of the server, and counts its requests."""
    with ServerControl(auth_server.url) as control:
        yield control


NOTE_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) =>
        noteViolation([event.violatedDirective, event.blockedURI, event.sourceFile, event.sample].join(" ")));
"""


@pytest.fixture
def violations(context: BrowserContext) -> list[str]:
    """Whatever the browser blocks in pages, and the errors in the console, also those of workers."""
    found: list[str] = []
    context.expose_binding("noteViolation", lambda _source, violation: found.append(violation))
    context.add_init_script(NOTE_VIOLATIONS)
    context.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    return found


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine(context: BrowserContext) -> Iterator[None]:
    """Fails a test whose pages asked for anything beyond loopback."""
    outside = prepare(context)
    yield
    # A request that meets its handler while the context closes would wait for ever.
    for page in context.pages:
        page.unroute_all(behavior="ignoreErrors")
    assert outside == []


def prepare(context: BrowserContext) -> list[str]:
    """Set a context's timeouts; returns a list to which it adds every request that leaves this machine."""
    context.set_default_timeout(CONFIG.ACTION_TIMEOUT)
    outside: list[str] = []

    def note(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in LOADED_FROM_PAGE and parts.hostname not in LOOPBACK:
            outside.append(url)

    context.on("request", lambda request: note(request.url))
    return outside


@contextmanager
def shared_page(browser: Browser, url: str, *, script: str = "") -> Iterator[PythonPage]:
    """A page with Python for several tests that clean up, after a script of the test's own."""
    context = browser.new_context()
    context.add_init_script(script)
    outside = prepare(context)
    yield PythonPage(context.new_page()).open(url)
    context.close()
    assert outside == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the server's log with a test that failed."""
    report = yield
    for server in getattr(item, "funcargs", {}).values():
        if report.failed and isinstance(server, AuthServer) and server.log:
            report.sections.append(("auth server", "\n".join(list(server.log)[-50:])))
    return report

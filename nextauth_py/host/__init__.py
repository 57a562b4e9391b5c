"""The seam to the world: one set of protocols; behind it a page or a worker in Pyodide, memory in tests."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Host, TestTab

# The tab that runs just now, where there are several in one Python: only in tests.
_tab: ContextVar[TestTab | None] = ContextVar("tab", default=None)


def current_tab() -> TestTab | None:
    """The tab of a test that runs just now; None in a browser, which has one."""
    return _tab.get()


def enter_tab(tab: TestTab) -> None:
    """Make it the current tab, for the rest of the context that this is called in."""
    _tab.set(tab)


def default_host() -> Host:
    """The page or the worker that this runs in, or the current tab of a test.

    Raises:
        RuntimeError: This Python does not run in a browser.
    """
    return _tab.get() or _browser()


@cache
def _browser() -> Host:
    if sys.platform != "emscripten":
        raise RuntimeError(
            "nextauth_py runs in the browser (PyScript, Pyodide). On a server use nextauth_py.server, in "
            "tests nextauth_py.testing; or pass a host: SessionProvider(host=…)."
        )
    import js  # noqa: PLC0415 - only a browser can import it

    if hasattr(js, "document"):
        from .browser import BrowserHost  # noqa: PLC0415

        return BrowserHost()
    from .worker import WorkerHost  # noqa: PLC0415

    return WorkerHost()

"""The seam to the browser: protocols, implemented by pages, workers and the memory host of tests."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Host

# Where there are several in one Python: the one that runs just now.
_entered: ContextVar[Host | None] = ContextVar("host", default=None)


def entered_host() -> Host | None:
    """The host that was entered; None where there is only one."""
    return _entered.get()


def enter(host: Host) -> None:
    """Make a host the default, for the rest of the context that this is called in."""
    _entered.set(host)


def default_host() -> Host:
    """The host that was entered, or else the page or the worker that this runs in.

    Raises:
        RuntimeError: This Python does not run in a browser.
    """
    return _entered.get() or _browser()


@cache
def _browser() -> Host:
    if sys.platform != "emscripten":
        raise RuntimeError(
            "nextauth_py runs in the browser (PyScript, Pyodide). On a server use nextauth_py.server, in "
            "tests nextauth_py.testing; or pass a host: SessionProvider(host=…)."
        )
    import js  # noqa: PLC0415 - only a browser can import it

    if hasattr(js, "window"):  # not "document", which PyScript lends to workers of isolated pages
        from .browser import BrowserHost  # noqa: PLC0415

        return BrowserHost()
    from .worker import WorkerHost  # noqa: PLC0415

    return WorkerHost()

"""The seam to the world: one set of protocols, a browser behind it in Pyodide and memory in tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Host


def default_host() -> Host:
    """The browser, when running in one.

    Raises:
        RuntimeError: This Python does not run in a browser.
    """
    if sys.platform != "emscripten":
        raise RuntimeError(
            "nextauth_py runs in the browser (PyScript, Pyodide). Outside of one, pass a host: "
            "SessionProvider(host=…)."
        )
    from .browser import BrowserHost  # noqa: PLC0415 - only a browser can import it

    return BrowserHost()

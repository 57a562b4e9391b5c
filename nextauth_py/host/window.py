"""Windows that a page opens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, jsnull

from .dom import document, own

if TYPE_CHECKING:
    from .base import Window

_FEATURES = "popup,width=480,height=640"


def open_window() -> Window | None:
    """As `Page.open_window`."""
    activation = getattr(js.navigator, "userActivation", None)
    if activation is not None and not activation.isActive:
        return None
    try:
        opened = js.window.open("", "", _FEATURES)
    except JsException:
        return None
    return None if opened is jsnull else _OpenedWindow(opened)


def popup_page() -> str | None:
    """As `Page.popup_page`."""
    import pyodide_js  # noqa: PLC0415 - few pages need it

    url = js.URL.new("../session-popup.html", pyodide_js._api.config.indexURL)  # noqa: SLF001 - it has no public name
    return str(url.href) if url.origin == js.location.origin else _beside_the_wheel()


def _beside_the_wheel() -> str | None:
    """In a bundle that leaves PyScript to its CDN, the page is beside the wheel that was installed."""
    from importlib.metadata import distribution  # noqa: PLC0415 - it is slow to import

    wheel = distribution("nextauth-py").read_text("PYODIDE_URL")
    if not wheel:
        return None
    url = js.URL.new("session-popup.html", js.URL.new(wheel.strip(), js.location.href))
    return str(url.href) if url.origin == js.location.origin else None


class _OpenedWindow:
    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self._focused = document().activeElement
        with suppress(AttributeError, JsException):  # the visitor has closed it already
            opened.opener = jsnull  # other origins' pages in it could send this page anywhere
            opened.document.title = "Sign-in"
            opened.document.body.textContent = "One moment…"

    def go(self, url: str) -> None:
        with suppress(JsException):  # closed
            self._opened.location.replace(url)

    def is_closed(self) -> bool:
        return bool(self._opened.closed)

    def location(self) -> str | None:
        try:
            return str(self._opened.location.href)
        except (AttributeError, JsException):
            return None

    def close(self) -> None:
        self._opened.close()
        js.window.focus()
        page = document()
        if page.activeElement == page.body and self._focused != page.body:
            own(self._focused).focus()

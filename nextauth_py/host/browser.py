"""A page of a browser: what `PyodideHost` has, and the document."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, create_proxy

from ..core.wire import Response
from .common import PyodideHost, bounded_text, from_origin, primitive, reader_of, to_object
from .common import listen as listen_to
from .dom import document, find_element

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import Lifecycle, Passkeys, Prefetched, Undo, View, Window

_SESSION = "script#nextauth-session[type]"

# What only happens when somebody is there.
_USES = ("keydown", "pointerdown", "wheel")

# Seconds for which a prefetched answer counts as current. Announced changes of other tabs discard it at once;
# this is for the others.
_FRESH = 60.0


class BrowserHost(PyodideHost):
    """The page that this Python runs in."""

    is_page = True

    def store(self, key: str, text: str) -> None:
        try:
            js.localStorage.setItem(key, text)
            # Browsers tell only the other tabs; this is for clients beside us.
            told = to_object({"key": key, "newValue": text, "storageArea": js.localStorage})
            js.window.dispatchEvent(js.StorageEvent.new("storage", told))
        except (AttributeError, JsException):  # storage blocked by the user, or full
            return

    def stored(self, key: str) -> str | None:
        try:
            text = js.localStorage.getItem(key)
        except (AttributeError, JsException):
            return None
        return text if isinstance(text, str) else None

    def keep(self, key: str, text: str) -> bool:
        try:
            js.sessionStorage.setItem(key, text)
        except (AttributeError, JsException):
            return False
        return True

    def take_kept(self, key: str) -> str | None:
        try:
            text = js.sessionStorage.getItem(key)
            js.sessionStorage.removeItem(key)
        except (AttributeError, JsException):
            return None
        return text if isinstance(text, str) else None

    def on_stored(self, key: str, heard: Callable[[str | None], None]) -> Undo:
        self.stored(key)  # WebKit sends no storage events to a page that has never read its storage
        read = reader_of(js.StorageEvent, "newValue")

        def listen(event: Any) -> None:
            if event.isTrusted and event.key == key:
                text = primitive(read(event))
                heard(text if isinstance(text, str) else None)

        return listen_to(js.window, "storage", listen)

    def on_answered(self, heard: Callable[[str, float, float], None]) -> Undo:
        read = reader_of(js.PerformanceEntry, "name")

        def on_entries(entries: Any, *_: object) -> None:
            start = self.now() - js.performance.now() / 1000
            for entry in entries.getEntries():
                url = bounded_text(read(entry)).partition("?")[0].partition("#")[0]
                path = url.removeprefix(str(js.location.origin))
                # Cookies come with the headers; other origins hide when that was.
                answered = entry.responseStart or entry.responseEnd
                heard(path, start + entry.startTime / 1000, start + answered / 1000)

        proxy = create_proxy(on_entries)
        observer = js.PerformanceObserver.new(proxy)
        observer.observe(to_object({"type": "resource"}))

        def undo() -> None:
            observer.disconnect()
            proxy.destroy()

        return undo

    def is_visible(self) -> bool:
        return bool(document().visibilityState == "visible")

    def on_visibility(self, changed: Callable[[], None]) -> Undo:
        return listen_to(document(), "visibilitychange", lambda _event: changed())

    def on_focus(self, focused: Callable[[], None]) -> Undo:
        return listen_to(js.window, "focus", lambda _event: focused())

    def on_next_use(self, used: Callable[[], None]) -> Undo:
        undo = ExitStack()

        def on_event(_event: Any) -> None:
            undo.close()
            used()

        for event in _USES:
            # Before the page's own listeners, which might stop it.
            undo.callback(listen_to(js.window, event, on_event, capture=True))
        return undo.close

    def on_lifecycle(self, changed: Callable[[Lifecycle], None]) -> Undo:
        undo = ExitStack()

        def on_show(event: Any) -> None:
            if event.persisted:
                changed("restored")

        undo.callback(listen_to(js.window, "pagehide", lambda _event: changed("left")))
        undo.callback(listen_to(js.window, "pageshow", on_show))
        undo.callback(listen_to(document(), "freeze", lambda _event: changed("frozen")))
        undo.callback(listen_to(document(), "resume", lambda _event: changed("thawed")))
        return undo.close

    def find_element(self, target: object) -> Any:
        return find_element(target)

    def make_view(self, element: Any) -> View:
        """With lit-html where the page's config names it, else without."""
        try:
            from pyscript.js_modules import lit  # noqa: PLC0415
        except ImportError:
            from .plain import PlainView  # noqa: PLC0415

            return PlainView(element)
        from .lit import LitView  # noqa: PLC0415

        return LitView(element, lit, self.report)

    def location(self) -> str:
        """The page's address, or the root of its origin if it has none: ``about:srcdoc``, ``blob:``."""
        href = str(js.location.href)
        return href if href.startswith("http") else from_origin("/")

    def navigate(self, url: str) -> None:
        """Resolve against the page's address: a ``<base href>`` would lead to another origin."""
        js.location.assign(js.URL.new(url, self.location()).href)

    def replace_address(self, url: str) -> None:
        js.history.replaceState(js.history.state, "", url)

    def reload(self) -> None:
        js.location.reload()

    def open_window(self) -> Window | None:
        from .window import open_window  # noqa: PLC0415 - few pages need it

        return open_window()

    def has_focus(self) -> bool:
        return bool(document().hasFocus())

    def popup_page(self) -> str | None:
        from .window import popup_page  # noqa: PLC0415 - few pages need it

        return popup_page()

    def take_embedded_session(self) -> str | None:
        found = [each for each in document().querySelectorAll(_SESSION) if _is_json(each)]
        for each in found:
            each.remove()
        if len(found) > 1:
            raise ValueError(f"the page has {len(found)} of them, so none counts")
        return str(found[0].textContent) if found else None

    def passkeys(self) -> Passkeys:
        from .passkeys import BrowserPasskeys  # noqa: PLC0415 - few pages use them

        return BrowserPasskeys()

    def find_prefetched(self, path: str) -> Prefetched | None:
        # An <a id="nextauthSession"> is a member of the window too, but not its own.
        if not js.Object.hasOwn(js.window, "nextauthSession"):
            return None
        found = js.window.nextauthSession
        if getattr(found, "path", None) != path:
            return None
        prefetched = _Prefetched(found)
        if 0 <= self.now() - prefetched.started < _FRESH:
            return prefetched
        prefetched.drop()
        return None


def _is_json(script: Any) -> bool:
    """Whether a script is JSON to browsers, and no SVG."""
    kind = script.getAttribute("type").strip(" \t\n\f\r").lower()
    return kind == "application/json" and bool(script.namespaceURI.endswith("/xhtml"))


class _Prefetched:
    """The prefetch of `session-prefetch.js`."""

    def __init__(self, found: Any) -> None:
        self.started = found.at / 1000
        self._found = found

    async def response(self) -> tuple[Response, float]:
        try:
            answer = await self._found.answer
        except JsException:
            raise OSError("the request made ahead has failed") from None
        text = bounded_text(answer.map(js.Object)[1])
        return Response(answer[0], text, dict(answer[2])), answer[3] / 1000

    def drop(self) -> None:
        self._found.drop()

"""The host of Pyodide, common to pages and workers: requests, time, channels, locks."""

from __future__ import annotations

import asyncio
import math
import os
import time
import traceback
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, create_proxy, to_js
from pyodide.ffi.wrappers import clear_timeout, set_timeout

from ..core.bounded_json import LONGEST_MESSAGE
from ..core.wire import MESSAGE_FIELDS, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.wire import Request
    from .base import Channel, Undo


class PyodideHost:
    """The global scope that this Python runs in: a window, or a worker."""

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - see below
        """Fetch with no-store: Chrome otherwise makes equal GETs of several tabs wait for each other.

        By the browser's own function and timer: Pyodide's imports as much as all of this package.
        """
        abort = js.AbortController.new()
        options = {
            "method": request.method,
            "headers": dict(request.headers),
            "cache": "no-store",
            "credentials": "include" if request.with_credentials else "same-origin",
            "signal": abort.signal,
            "body": request.body,
        }
        # Firefox aborts a page's requests some 25 ms after this event. No page listens for it when there are
        # none: older versions would not keep it in the back/forward cache.
        leaving: list[Any] = []
        stop = listen(js.self, "beforeunload", leaving.append)
        # Browsers fire a longer timer at once.
        timer = js.setTimeout(abort.abort.bind(abort), min(int(timeout * 1000), 2**31 - 1))
        try:
            answer = await js.fetch(from_origin(request.url), to_object(options))
            # In JavaScript all the way: Python gets a promise as a future, and its text as a copy.
            texts = js.Array.of(answer).map(js.Function.prototype.call.bind(js.Response.prototype.text))
            text = bounded_text((await js.Promise.all(texts)).map(js.Object)[0])
        except asyncio.CancelledError:
            abort.abort()
            raise
        except JsException as error:
            if abort.signal.aborted:
                raise TimeoutError from None
            raise (ConnectionAbortedError if leaving else OSError)(str(error)) from None
        finally:
            js.clearTimeout(timer)
            stop()
        return Response(answer.status, text, js.Object.fromEntries(answer.headers).to_py())

    def now(self) -> float:
        return time.time()

    def page_started(self) -> float:
        return float(js.performance.timeOrigin) / 1000

    def parse_date(self, text: str) -> float | None:
        at = float(js.Date.parse(text)) / 1000
        return None if math.isnan(at) else at

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Undo:
        timer = set_timeout(callback, int(seconds * 1000))
        return lambda: clear_timeout(timer)

    def open_channel(self, name: str, heard: Callable[[object], None]) -> Channel | None:
        try:
            return _BroadcastChannel(js.BroadcastChannel.new(name), heard)
        except (AttributeError, JsException):  # an old browser, a sandboxed frame
            return None

    def request_lock(self, name: str, granted: Callable[[], None]) -> Undo | None:
        try:
            # Resolving a promise gives the lock back at once. A page that is left gets no later chance.
            held, queue = js.Promise.withResolvers(), js.AbortController.new()
            request = js.navigator.locks.request
            options = to_object({"signal": queue.signal})
        except (AttributeError, JsException):
            return None

        def hold(_lock: Any) -> Any:
            granted()
            return held.promise

        proxy = create_proxy(hold)

        def over(_: Any) -> None:
            proxy.destroy()

        def undo() -> None:
            held.resolve()
            queue.abort()

        request(name, options, proxy).then(over, over)  # refused in a sandboxed frame
        return undo

    def unique(self) -> str:
        return os.urandom(8).hex()

    def is_online(self) -> bool:
        return bool(js.navigator.onLine)

    def on_online(self, changed: Callable[[], None]) -> Undo:
        undo = ExitStack()
        for event in ("online", "offline"):
            undo.callback(listen(js.self, event, lambda _event: changed()))
        return undo.close

    def environ(self) -> Mapping[str, str]:
        return os.environ

    def log(self, line: str) -> None:
        js.console.info(line)

    def warn(self, line: str) -> None:
        js.console.warn(f"nextauth_py: {line}")

    def report(self, message: str, error: BaseException) -> None:
        # Not on stderr: PyScript shows what is written there in a red box, to everybody.
        js.console.error(f"nextauth_py: {message}\n" + "".join(traceback.format_exception(error)))


class _BroadcastChannel:
    """A BroadcastChannel. Mappings travel as plain objects, which is what JavaScript clients post."""

    def __init__(self, channel: Any, heard: Callable[[object], None]) -> None:
        self._channel = channel
        read = reader_of(js.MessageEvent, "data")
        self._stop = listen(channel, "message", lambda event: heard(_to_python(read(event))))

    def post(self, message: Mapping[str, Any] | str) -> None:
        try:
            self._channel.postMessage(to_object(message))
        except JsException:  # the browser has shut the channel
            return

    def close(self) -> None:
        self._stop()
        self._channel.close()


def from_origin(url: str) -> str:
    """Absolute, because a ``<base href>`` would lead relative requests to another origin.

    Raises:
        OSError: The page has no origin: it is a sandboxed frame or a file.
    """
    if not url.startswith("/"):
        return url
    if js.self.origin == "null":
        raise OSError("this page has no origin: it is a sandboxed frame, or a file")
    return str(js.self.origin) + url


def listen(target: Any, event: str, listener: Callable[[Any], None], *, capture: bool = False) -> Undo:
    """Add a listener to a DOM object; returns its undo."""
    proxy = create_proxy(listener)
    target.addEventListener(event, proxy, capture)

    def undo() -> None:
        target.removeEventListener(event, proxy, capture)
        proxy.destroy()

    return undo


# Any script of the origin may post anything, and Pyodide copies a text as soon as Python touches it, into
# memory that the browser never gets back. So values stay JavaScript objects until their length is bounded.


def reader_of(interface: Any, name: str) -> Callable[[Any], Any]:
    """Return a function that reads an attribute of DOM objects as a JavaScript object."""
    get = js.Object.getOwnPropertyDescriptor(interface.prototype, name).get
    read = js.Function.prototype.call.bind(get)
    return lambda target: js.Array.of(target).map(read).map(js.Object)[0]


def bounded_text(boxed: Any) -> str:
    """Return the text of a JavaScript String object, cut off at the longest text that is read."""
    return str(boxed.slice(0, LONGEST_MESSAGE + 1))


def primitive(boxed: Any) -> str | float | None:
    """Return the text or number that a JavaScript object wraps, if it does."""
    if js.String.prototype.isPrototypeOf(boxed):
        return bounded_text(boxed)
    return boxed.valueOf() if js.Number.prototype.isPrototypeOf(boxed) else None


def to_object(value: object) -> Any:
    """The value for JavaScript: a mapping as a plain object."""
    return to_js(value, dict_converter=js.Object.fromEntries)


def _to_python(boxed: Any) -> object:
    """A text; or of an object the few texts and numbers that are read of messages, however large it is."""
    if (value := primitive(boxed)) is not None:
        return value
    values = js.Array.of(*MESSAGE_FIELDS).map(js.Reflect.get.bind(None, boxed)).map(js.Object)
    fields = zip(MESSAGE_FIELDS, map(primitive, values), strict=True)
    return {name: value for name, value in fields if value is not None}

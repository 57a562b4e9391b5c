"""Requests that block, through pyodide-http: what a worker may do, and mends for what goes wrong there.

In pyodide-http 0.2.2, answers keep headers that no longer fit their bodies (so that ``urlopen`` ends in
IncompleteRead), ``urlopen`` forgets ``data`` and ``timeout`` and takes a 404 for a success, and a failure is
an uncaught error of JavaScript.
"""

from __future__ import annotations

import io
import urllib.request
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError

from pyodide.ffi import JsException
from pyodide_http import _core, patch_requests

from ..core.wire import Response
from .common import from_origin

if TYPE_CHECKING:
    from ..core.wire import Request

# They describe the answer on its way. The browser has decoded it, and knows its length.
_OF_THE_WAY = {"transfer-encoding", "content-encoding", "content-length"}

_FORM = "application/x-www-form-urlencoded"
_send_raw = _core.send


def send(request: Request, *, timeout: float) -> Response:
    """Send, and wait for the whole answer.

    Raises:
        TimeoutError: The answer was not complete within `timeout` seconds. Only workers support a timeout.
        OSError: There was no answer.
    """
    headers = {**request.headers, "Cache-Control": "no-store"} if request.method == "GET" else request.headers
    body = None if request.body is None else request.body.encode()
    try:
        answer = _send(_request(request.method, request.url, dict(headers), body, timeout))
    except _core._StreamingTimeout:  # noqa: SLF001 - it has no public name
        raise TimeoutError from None
    except _core._StreamingError:  # noqa: SLF001
        raise OSError("there was no answer") from None
    found = {name.lower(): value for name, value in answer.headers.items()}
    return Response(answer.status_code, answer.body.decode(errors="replace"), found)


def patch() -> None:
    """Have ``urllib`` and, if it is installed, ``requests`` send through the browser."""
    urllib.request.urlopen = _urlopen
    urllib.request.OpenerDirector.open = _open  # type: ignore[assignment, method-assign]
    patch_requests(continue_on_import_error=True)
    try:
        from pyodide_http import _requests  # noqa: PLC0415 - it needs requests
    except ImportError:
        return
    _requests.send = _send


def _request(method: str, url: str, headers: dict[str, str], body: bytes | None, timeout: float) -> Any:
    made = _core.Request(method, from_origin(url), headers=headers, body=body)
    made.timeout = timeout
    return made


def _send(request: Any, stream: bool = False) -> Any:
    """As pyodide-http's own, with errors that its callers know, and headers that fit the body."""
    try:
        answer = _send_raw(request, stream)
    except JsException as error:
        kind = _core._StreamingTimeout if error.name == "TimeoutError" else _core._StreamingError  # noqa: SLF001
        raise kind(str(error), request=request) from None
    answer.headers = {
        name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_WAY
    }
    return answer


def _urlopen(
    url: str | urllib.request.Request, data: Any = None, timeout: float | None = None, **_tls: object
) -> HTTPResponse:
    request = urllib.request.Request(from_origin(url)) if isinstance(url, str) else url  # noqa: S310
    if data is not None:
        request.data = data
    if request.data is not None and not request.has_header("Content-type"):
        request.add_header("Content-type", _FORM)  # as urllib's own
    body: Any = request.data
    body = body.read() if hasattr(body, "read") else body
    try:
        answer = _send(
            _request(
                request.get_method(), request.full_url, dict(request.header_items()), body, _seconds(timeout)
            )
        )
    except _core._StreamingTimeout:  # noqa: SLF001
        raise URLError(TimeoutError("timed out")) from None
    except _core._StreamingError as error:  # noqa: SLF001
        raise URLError(str(error)) from None
    response = _as_http(answer)
    response.url = request.full_url
    if answer.status_code >= 400:  # noqa: PLR2004 - where errors begin
        raise HTTPError(
            request.full_url, answer.status_code, response.reason, response.headers, io.BytesIO(answer.body)
        )
    return response


def _open(
    _self: urllib.request.OpenerDirector,
    fullurl: str | urllib.request.Request,
    data: Any = None,
    timeout: float | None = None,
) -> HTTPResponse:
    return _urlopen(fullurl, data, timeout)


def _seconds(timeout: object) -> float:
    """Urllib's own default is an object that means "none"."""
    return float(timeout) if isinstance(timeout, (int, float)) else 0


def _as_http(answer: Any) -> HTTPResponse:
    lines = [
        f"HTTP/1.1 {answer.status_code} ",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    head = "\r\n".join([*lines, f"content-length: {len(answer.body)}", "", ""]).encode("latin-1", "replace")
    response = HTTPResponse(_Socket(head + answer.body))  # type: ignore[arg-type]
    response.begin()
    return response


class _Socket:
    """The socket that `HTTPResponse` reads from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)

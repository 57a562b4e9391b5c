"""Requests to the auth server, async or blocking, with a limit on the response's time and length.

Connections are kept for the next visitor, and nothing else is: requests go to a transport of httpx, because a
client would keep the cookies too.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import time
import zlib
from contextlib import nullcontext
from contextvars import ContextVar
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import anyio
import httpcore
import httpx

from ..core import wire
from ..errors import ClientFetchError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractAsyncContextManager

# Browsers keep less than this in all cookies of a site, and a session from a database goes into pages too.
# Whatever is longer is no session, and would cost this server that much memory for each visitor.
LIMIT = 2**20  # bytes

# Of idle connections. Node closes its own after 5 s.
_KEPT, _KEPT_FOR = 20, 4.0  # seconds

_FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    OSError,  # TimeoutError, too
    UnicodeError,
)
_TIMEOUTS = (TimeoutError, httpx.TimeoutException, httpcore.TimeoutException)
_BROKEN = (
    httpx.NetworkError,
    httpx.RemoteProtocolError,
    httpcore.NetworkError,
    httpcore.RemoteProtocolError,
)


class Answer(NamedTuple):
    """The auth server's answer, and its ``Set-Cookie`` lines as Latin-1."""

    response: wire.Response
    set_cookies: list[str]


async def fetch(
    request: wire.Request,
    cookie: bytes,
    timeout: float,  # noqa: ASYNC109 - the option
    transport: httpx.AsyncBaseTransport | None = None,
) -> Answer:
    """Ask the auth server.

    Args:
        request: What to ask.
        cookie: The Cookie header.
        timeout: Seconds from now to the last byte of the answer.
        transport: What to send through, instead of the event loop's own pool of connections.

    Raises:
        ClientFetchError: There was no whole answer in time, or it is too long.
    """
    try:
        with anyio.fail_after(timeout):
            async with nullcontext(transport) if transport else _pool() as pool:
                answer = await _send(pool, request, cookie, timeout)
                again = wire.slashed_request(request, answer.response)
                return _added(answer, await _send(pool, again, cookie, timeout)) if again else answer
    except _FAILURES as error:
        raise _failure(request, error, timeout) from None


def fetch_blocking(
    request: wire.Request, cookie: bytes, timeout: float, transport: httpx.BaseTransport | None = None
) -> Answer:
    """As `fetch`. A transport of the user's own applies the timeout to each step of a request."""
    _end.set(time.monotonic() + timeout)
    try:
        pool = transport or _blocking_pool()
        answer = _send_blocking(pool, request, cookie, timeout)
        again = wire.slashed_request(request, answer.response)
        return _added(answer, _send_blocking(pool, again, cookie, timeout)) if again else answer
    except _FAILURES as error:
        raise _failure(request, error, timeout) from None


async def _send(
    pool: httpx.AsyncBaseTransport,
    request: wire.Request,
    cookie: bytes,
    timeout: float,  # noqa: ASYNC109
) -> Answer:
    steps: list[str] = []

    async def trace(step: str, _info: object) -> None:
        steps.append(step)

    try:
        answer = await pool.handle_async_request(_raw(request, cookie, timeout, trace))
    except _BROKEN:
        if not _was_idle(steps):
            raise
        return await _send(pool, request, cookie, timeout)
    stream = cast("httpx.AsyncByteStream", answer.stream)
    try:
        body = bytearray()
        async for chunk in stream:
            body += chunk
            _check_length(request, answer, body)
    finally:
        await stream.aclose()
    return _read(answer, _unpacked(request, answer, body))


def _send_blocking(pool: httpx.BaseTransport, request: wire.Request, cookie: bytes, timeout: float) -> Answer:
    steps: list[str] = []
    try:
        answer = pool.handle_request(_raw(request, cookie, timeout, lambda step, _info: steps.append(step)))
    except _BROKEN:
        if not _was_idle(steps):
            raise
        return _send_blocking(pool, request, cookie, timeout)
    stream = cast("httpx.SyncByteStream", answer.stream)
    try:
        body = bytearray()
        for chunk in stream:
            _rest()
            body += chunk
            _check_length(request, answer, body)
    finally:
        stream.close()
    return _read(answer, _unpacked(request, answer, body))


def _raw(request: wire.Request, cookie: bytes, timeout: float, trace: Callable[..., Any]) -> httpx.Request:
    # Uncompressed: the auth server is near.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "nextauth-py"}
    pairs: list[tuple[str, str | bytes]] = [*headers.items(), *request.headers.items()]
    if cookie:
        pairs.append(("Cookie", cookie))
    raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in pairs]
    extensions = {"timeout": httpx.Timeout(timeout).as_dict(), "trace": trace}
    return httpx.Request(request.method, request.url, headers=raw, extensions=extensions)


def _was_idle(steps: list[str]) -> bool:
    """Whether a request failed on a kept connection. The auth server may close one at any time: ask again."""
    return bool(steps) and not any(".connect_" in step for step in steps)


def _added(first: Answer, second: Answer) -> Answer:
    return Answer(second.response, first.set_cookies + second.set_cookies)


def _check_length(request: wire.Request, answer: httpx.Response, body: bytes | bytearray) -> None:
    if len(body) > LIMIT:
        raise ClientFetchError(request.url, answer.status_code, f"the answer is longer than {LIMIT:,} bytes")


def _unpacked(request: wire.Request, answer: httpx.Response, body: bytearray) -> bytes | bytearray:
    """The body, which a proxy may have compressed unasked. httpx would inflate a few bytes to gigabytes."""
    coding = answer.headers.get("content-encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return body
    try:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # gzip
        content = stream.decompress(body, LIMIT + 1) if coding in {"gzip", "x-gzip"} else b""
    except zlib.error:
        content = b""
    _check_length(request, answer, content)
    if not stream.eof:
        reason = "the answer is compressed, which was not asked for, and cannot be read"
        raise ClientFetchError(request.url, answer.status_code, reason)
    return content


def _read(answer: httpx.Response, body: bytes | bytearray) -> Answer:
    text = body.decode("utf-8-sig", "replace")  # as browsers read JSON
    # httpx guesses one encoding for all headers; frameworks write them as Latin-1.
    set_cookies = [
        value.decode("latin-1") for name, value in answer.headers.raw if name.lower() == b"set-cookie"
    ]
    return Answer(wire.Response(answer.status_code, text, answer.headers), set_cookies)


def _failure(request: wire.Request, error: Exception, timeout: float) -> ClientFetchError:
    if isinstance(error, _TIMEOUTS):
        return ClientFetchError(request.url, None, f"no answer within {timeout:g} s")
    return ClientFetchError(request.url, None, "the auth server cannot be reached")


@cache
def _tls() -> ssl.SSLContext:
    """Return the TLS context, created once: that takes longer than a request."""
    return httpx.create_ssl_context()


# --- connections that are kept, for each event loop and for all blocking code ---

_POOL = "_nextauth_py_pool"


def _pool() -> AbstractAsyncContextManager[httpx.AsyncBaseTransport]:
    """The running event loop's connections, which close with it; without asyncio, those of one request."""
    try:
        loop = asyncio.get_running_loop()
        names = vars(loop)
    except (RuntimeError, TypeError):  # under trio, or a loop that has no room for them
        return _new_pool()
    if _POOL not in names:
        names[_POOL] = _new_pool()
        # On the loop, so that both go together: however a server or a test ends, it closes its loop.
        loop.close = partial(_close, loop, loop.close)  # type: ignore[method-assign]
    return nullcontext(names[_POOL])


def _new_pool() -> httpx.AsyncHTTPTransport:
    # No limit to those in use: a visitor must not wait for others.
    limits = httpx.Limits(max_keepalive_connections=_KEPT, keepalive_expiry=_KEPT_FOR)
    return httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False, limits=limits)


def _close(loop: asyncio.AbstractEventLoop, close: Callable[[], None]) -> None:
    if not loop.is_closed():
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # as it should be
            pool: httpx.AsyncHTTPTransport | None = vars(loop).pop(_POOL, None)
            if pool:
                loop.run_until_complete(pool.aclose())
    close()


# By process, because one that is forked must not read what its parent asked for.
_blocking_pools: dict[int, httpx.BaseTransport] = {}


def _blocking_pool() -> httpx.BaseTransport:
    process = os.getpid()
    return _blocking_pools.get(process) or _blocking_pools.setdefault(process, _Transport())


@atexit.register
def _close_blocking() -> None:
    pool = _blocking_pools.pop(os.getpid(), None)
    if pool:
        pool.close()


# --- a deadline for blocking code: httpx applies its timeout to each read of the socket ---

# When this request must be over, by the monotonic clock. Each thread and each greenlet has its own.
_end: ContextVar[float] = ContextVar("_end")


def _rest() -> float:
    rest = _end.get() - time.monotonic()
    if rest <= 0:
        raise httpcore.ReadTimeout
    return rest


class _Transport(httpx.BaseTransport):
    """httpx's own transport, on sockets with a deadline."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            _tls(),
            max_connections=None,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_FOR,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(sent)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline is what counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers; each gets its share of the time."""
        addresses = [found[4] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        failed: Exception = httpcore.ConnectError()
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                stream = self._sockets.connect_tcp(
                    str(address[0]), port, _rest() / left, local_address, socket_options
                )
                return _Stream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _rest())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _rest())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _rest()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

"""One request to the auth server, in async or blocking code, with a limit to its answer's time and length."""

from __future__ import annotations

import socket
import time
import zlib
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import httpcore
import httpx

from .. import wire
from ..errors import ClientFetchError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

# Browsers keep less than this in all cookies of a site, and a session from a database goes into pages too.
# Whatever is longer is no session, and would cost this server that much memory for each visitor.
LIMIT = 2**20  # bytes

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


class Answer(NamedTuple):
    """The auth server's answer, and its ``Set-Cookie`` lines as Latin-1."""

    response: wire.Response
    set_cookies: list[str]


async def fetch(request: wire.Request, cookie: bytes, timeout: float) -> Answer:  # noqa: ASYNC109 - the option
    """Ask the auth server.

    Args:
        request: What to ask.
        cookie: The Cookie header.
        timeout: Seconds from now to the last byte of the answer.

    Raises:
        ClientFetchError: There was no whole answer in time, or it is too long.
    """
    try:
        with anyio.fail_after(timeout):
            async with (
                httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=timeout) as client,
                client.stream("GET", request.url, headers=_headers(cookie)) as answer,
            ):
                body = bytearray()
                async for chunk in answer.aiter_raw():
                    body += chunk
                    _check_length(request, answer, body)
                return _read(answer, _unpacked(request, answer, body))
    except _FAILURES as error:
        raise _failure(request, error, timeout) from None


def fetch_blocking(request: wire.Request, cookie: bytes, timeout: float) -> Answer:
    """As `fetch`."""
    _end.set(time.monotonic() + timeout)
    try:
        with (
            httpx.Client(transport=_Transport(), trust_env=False, timeout=timeout) as client,
            client.stream("GET", request.url, headers=_headers(cookie)) as answer,
        ):
            body = bytearray()
            for chunk in answer.iter_raw():
                body += chunk
                _check_length(request, answer, body)
            return _read(answer, _unpacked(request, answer, body))
    except _FAILURES as error:
        raise _failure(request, error, timeout) from None


def _headers(cookie: bytes) -> dict[bytes, bytes]:
    # Uncompressed: the auth server is near.
    headers = {b"Accept": b"application/json", b"Accept-Encoding": b"identity"}
    return {**headers, b"Cookie": cookie} if cookie else headers


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
    """Made once: it takes longer than a request."""
    return httpx.create_ssl_context()


# --- a deadline for blocking code: httpx applies its timeout to each read of the socket ---

# When this request must be over, by the monotonic clock. Each thread and each greenlet has its own.
_end: ContextVar[float] = ContextVar("_end")


def _rest() -> float:
    rest = _end.get() - time.monotonic()
    if rest <= 0:
        raise httpcore.ReadTimeout
    return rest


class _Transport(httpx.BaseTransport):
    """As httpx's own, but on sockets that know the deadline."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=_Backend())

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

"""The session as the server has it: one request for all who ask, in order with what changes it.

Requests that may set a cookie take turns. Two at once, before there is a cookie, would each get a csrf
cookie of their own, and the one that answers last would make the other's token worthless.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from ..core.options import UNSET, Unset
from ..core.store import NEVER, SessionStore, Stamp, describe
from ..errors import NextAuthError
from ..state import Reason, S
from ..tabs.messages import Pace
from .driver import monotonic
from .revival import RevivalGuard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from ..core.server_clock import ServerClock
    from ..host.base import Host
    from .driver import Driver
    from .outbox import Outbox
    from .trace import Trace
    from .transport import Transport

# Reads that messages of other tabs may abort at once, and so have sent again.
_INTERRUPTIONS = 20


class SessionReader(Generic[S]):
    """Read the session and write the answer into the store. Concurrent callers share one request.

    Args:
        host: The page or worker this runs in.
        transport: Sends the requests.
        store: Takes the answers.
        session_type: Returns the session model; pydantic is imported only when there is a session.
        clock: The server's clock.
        driver: Knows when other tabs change the session.
        outbox: Is told of each read.
        trace: Logs decisions.

    Attributes:
        revival: Notices a session that a mutation has replaced, and another client brings back.
        lock: Held during each request that may set a cookie, and during each mutation.
    """

    def __init__(
        self,
        host: Host,
        transport: Transport,
        store: SessionStore[S],
        *,
        session_type: Callable[[], type[S]],
        clock: ServerClock,
        driver: Driver,
        outbox: Outbox[S],
        trace: Trace,
    ) -> None:
        self.lock = asyncio.Lock()
        self._host = host
        self._transport = transport
        self._store = store
        self._session_type = session_type
        self._clock = clock
        self._driver = driver
        self._outbox = outbox
        self._trace = trace
        self._in_flight: _InFlight | None = None
        self.revival: RevivalGuard[S] = RevivalGuard()
        self._interruptions = Pace(host.now, _INTERRUPTIONS)
        self._awake = asyncio.Event()
        self._awake.set()

    async def get_session(self, reason: Reason) -> S | None:
        """Read the session, or join the request in flight.

        A read that a mutation invalidated returns the state after the mutation.

        Raises:
            ClientFetchError: The server could not be reached, or failed. The store keeps its state.
            SessionValidationError: The session does not fit the session type. The store keeps its state.
        """
        requested_at = self._store.begin_read()
        last, due = monotonic() + self._driver.longest_wait, float("inf")
        while True:
            if self._driver.fence.is_up:
                await self._driver.wait_until_clear(last - monotonic())
                if self._store.has_written_since(requested_at):
                    return self._store.state.data
            due = min(due, monotonic() + self._transport.timeout)
            if self._in_flight is None:
                self._in_flight = _InFlight(self._read_session(reason))
            else:
                self._trace("joins the request under way (%s)", reason)
            flight = self._in_flight
            flight.due = min(flight.due, due)
            try:
                completed = await flight.join()
            finally:
                if self._in_flight is flight and flight.is_over:
                    self._in_flight = None
            if not completed:
                await self._wait_for_lock()
            if self._store.is_closed or self._store.has_written_since(requested_at):
                return self._store.state.data
            if self.revival.has_returned:
                return self._store.state.data
            is_news = completed and not NEVER < flight.outdated < requested_at
            if is_news and (self._store.state.status != "loading" or monotonic() >= due):
                return self._store.state.data

    def interrupt(self, why: str) -> None:
        """Abort the request in flight because of another tab's message, unless that happens too often."""
        flight = self._in_flight
        is_due = flight is not None and monotonic() >= flight.due
        if flight is None or (not is_due and self._interruptions.take()):
            self.abort_reads(why)
        else:
            self._trace("goes on with the request under way although %s", why)
            flight.outdated = self._store.begin_read()

    def abort_reads(self, why: str) -> None:
        """Abort the request in flight: its answer would be outdated, and might set an old cookie."""
        self._transport.drop_prefetched()
        if self._in_flight is not None:
            self._trace("aborts the request under way: %s", why)
            self._in_flight.cancel()
            self._in_flight = None

    async def check_expiry(self) -> None:
        """Check whether the session has ended, but not before it has.

        If this machine's clock is in doubt, get the time from the server first: a request for the session
        might extend it.

        Raises:
            NextAuthError: The request failed.
        """
        if self._clock.is_sure:
            await self.get_session("expiry")
            return
        self._trace("asks for a csrf token, to learn the server's time")
        async with self.lock:
            with suppress(NextAuthError):  # then the request for the session will fail too, and show it
                await self._transport.csrf_token()
        self._clock.trust()

    def pause(self) -> None:
        """Send nothing more: the page is being left, and may be restored."""
        self._awake.clear()
        self.abort_reads("the page is left")

    def resume(self) -> None:
        """Send requests again."""
        self._awake.set()

    def expect_revival_of(
        self,
        replaced: S | Unset | None,
        repeat: Callable[[], Awaitable[object]],
        failure: NextAuthError | None = None,
        at: float | None = None,
    ) -> None:
        """As `RevivalGuard.expect`."""
        timeout = self._driver.channel.longest_timeout
        self.revival.expect(replaced, repeat, failure, took=self._transport.took, timeout=timeout, at=at)

    def suspect(self) -> bool:
        """Note that an old cookie may have been set. Return whether to ask for the session."""
        return self.revival.suspect(self._store.begin_read())

    async def refetch_after_nudge(self, reason: Reason) -> None:
        """Ask; if another client has brought back what a mutation replaced, repeat the mutation.

        Raises:
            NextAuthError: The request failed, or the repeated mutation.
        """
        is_check = self.revival.is_watching and (reason == "broadcast" or self.revival.is_suspicious)
        if is_check and reason != "load":  # which nothing precedes
            # Ours must not be joined to a request that does not look for what came back.
            self.abort_reads("it began before another client spoke")
            self.revival.begin_check(self._store.begin_read())
        await self.get_session(reason)
        await self.revival.repeat_if_returned()
        if failure := self.revival.take_failure():
            self._store.apply(failure, started=self._store.begin_read(), reason="sign_out", source="mutation")

    async def _read_session(self, reason: Reason) -> None:
        async with self.lock:
            read = await self._read_alone(reason)
        if self._store.is_current(read.started) and self.revival.holds_back(read.answer, read.started):
            return
        self._write(read, reason)

    async def _read_alone(self, reason: Reason) -> _Read[S]:
        """Read the session. The caller holds the lock."""
        await self._awake.wait()
        started = self._store.begin_read()
        self._store.mark_refreshing(True)
        raw: Mapping[str, Any] | Unset | None = UNSET
        try:
            if found := await self._transport.prefetched_session():
                self._trace("takes what was asked for ahead (%s)", reason)
                self._outbox.asking(found[0])
                started, raw = self._store.read_begun_at(found[0]), found[1]
            else:
                self._trace("asks (%s)", reason)
                self._outbox.asking()
                raw = await self._transport.session()
            return _Read(started, None if raw is None else self.validated(raw), raw)
        except NextAuthError as error:
            return _Read(started, error, raw)
        finally:
            self._store.mark_refreshing(False)

    def _write(self, read: _Read[S], reason: Reason) -> None:
        self._trace("is answered: %s", describe(read.answer))
        if why := self._store.rejection_reason(read.started):
            self._trace("discards the answer: %s", why)
        is_session = isinstance(read.raw, dict)
        if is_session and read.started < self._store.epoch:
            self._outbox.outdated(is_suspicious=self.suspect())
        if self._store.apply(read.answer, started=read.started, reason=reason, raw=read.raw):
            if is_session:
                self.revival.accept()
            if isinstance(read.answer, NextAuthError):
                raise read.answer

    def validated(self, raw: Mapping[str, Any]) -> S:
        """The session as a model."""
        from ..models import read_model  # noqa: PLC0415 - pydantic loads when first needed

        return read_model(self._session_type(), raw)

    async def _wait_for_lock(self) -> None:
        async with self.lock:
            pass


@dataclass(eq=False, repr=False)
class _Read(Generic[S]):
    """The answer to one session GET: when the GET began, the answer, and the JSON that the server sent."""

    started: Stamp
    answer: S | NextAuthError | None
    raw: Mapping[str, Any] | Unset | None


class _InFlight:
    """A request that several callers wait for; it is cancelled when the last of them is.

    Attributes:
        due: The event loop's time from which on no message of another tab aborts it.
        outdated: When such a message came; the answer is too old for a later caller.
    """

    def __init__(self, read: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(read)
        # A failure that nobody waited for any more must not be reported by the event loop.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._waiting = 0
        self.due = float("inf")
        self.outdated: Stamp = NEVER

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or has no waiting caller."""
        return self._task.done() or not self._waiting

    def cancel(self) -> None:
        """Cancel the request; every `join()` returns False."""
        self._task.cancel()

    async def join(self) -> bool:
        """Wait for the end. Return False if the request was aborted.

        Raises:
            NextAuthError: The read failed.
        """
        self._waiting += 1
        try:
            await asyncio.wait([self._task])
        finally:
            self._waiting -= 1
            if self._waiting == 0:
                self._task.cancel()
        if self._task.cancelled():
            return False
        self._task.result()
        return True

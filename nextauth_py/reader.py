"""The session as the server has it: one request for all who ask, in order with what changes it.

Requests that may set a cookie take turns. Two at once, before there is a cookie, would each get a csrf
cookie of their own, and the one that answers last would make the other's token worthless.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

from .errors import NextAuthError
from .flight import Flight
from .options import UNSET, Unset
from .state import NEVER, Reason, S, SessionStore, Stamp, describe, is_same_session
from .tabs import Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from .fence import Fence
    from .host.base import Host
    from .neighbours import Neighbours
    from .server_clock import ServerClock
    from .trace import Trace
    from .transport import Transport

# For so many seconds after a mutation, what it replaced is taken for an old answer that a JavaScript client
# has just got, and which has set the old cookie again. Nobody signs in again within a second by hand.
_WATCH = 1.0
_REPEATS = 2

# Reads that messages of other tabs may abort at once, and so have sent again.
_INTERRUPTIONS = 20


class SessionReader(Generic[S]):
    """Asks for the session and writes the answer into the store.

    Args:
        host: The world around.
        transport: Makes the requests.
        store: Where answers go.
        session_type: The session model; a callable, so that pydantic is imported only for a session.
        clock: The server's.
        fence: Keeps this tab's reads and the mutations of others apart.
        neighbours: Those to tell.
        trace: Explains what is done.

    Attributes:
        turn: Held during each request that may set a cookie, and during each mutation.
    """

    def __init__(
        self,
        host: Host,
        transport: Transport,
        store: SessionStore[S],
        *,
        session_type: Callable[[], type[S]],
        clock: ServerClock,
        fence: Fence,
        neighbours: Neighbours,
        trace: Trace,
    ) -> None:
        self.turn = asyncio.Lock()
        self._host = host
        self._transport = transport
        self._store = store
        self._session_type = session_type
        self._clock = clock
        self._fence = fence
        self._neighbours = neighbours
        self._trace = trace
        self._flight: Flight | None = None
        self._watch: _Watch[S] | None = None
        self._interruptions = Pace(host.now, _INTERRUPTIONS)
        self._awake = asyncio.Event()
        self._awake.set()

    async def get_session(self, reason: Reason) -> S | None:
        """Ask for the session, or join a request that is under way.

        A read that a mutation made worthless ends with what the mutation left.

        Raises:
            ClientFetchError: The server could not be asked. The store keeps what it showed.
            SessionValidationError: The session does not fit the session type. Likewise.
        """
        wished = self._store.begin_read()
        now = asyncio.get_running_loop().time
        due = now() + self._fence.longest
        while True:
            if self._fence.is_up:
                await self._fence.clear(due - now())
                if self._store.has_written_since(wished):
                    return self._store.state.data
            if self._flight is None:
                self._flight = Flight(self._read_session(reason))
            else:
                self._trace("joins the request under way (%s)", reason)
            flight = self._flight
            flight.due = min(flight.due, due)
            try:
                completed = await flight.join()
            finally:
                if self._flight is flight and flight.is_over:
                    self._flight = None
            if not completed:
                await self._wait_for_turn()
            if self._store.is_closed or self._store.has_written_since(wished):
                return self._store.state.data
            is_news = completed and not NEVER < flight.outdated < wished
            if is_news and (self._store.state.status != "loading" or now() >= due):
                return self._store.state.data

    def interrupt(self, why: str) -> None:
        """Abort the read under way because of what another tab says, unless that happens again and again."""
        flight = self._flight
        is_due = flight is not None and asyncio.get_running_loop().time() >= flight.due
        if flight is None or (not is_due and self._interruptions.take()):
            self.abort_reads(why)
        else:
            self._trace("goes on with the request under way although %s", why)
            flight.outdated = self._store.begin_read()

    def abort_reads(self, why: str) -> None:
        """Cancel the read under way: its answer would be worthless, and might set an old cookie."""
        self._transport.drop_prefetched()
        if self._flight is not None:
            self._trace("aborts the request under way: %s", why)
            self._flight.cancel()
            self._flight = None

    async def check_expiry(self) -> None:
        """Ask whether the session has ended, but not before it has.

        Where this machine's clock is in doubt, the server is asked for the time first: a request for the
        session might extend it.

        Raises:
            NextAuthError: The request failed.
        """
        if self._clock.is_sure:
            await self.get_session("expiry")
            return
        self._trace("asks for a csrf token, to learn the server's time")
        async with self.turn:
            with suppress(NextAuthError):  # then the request for the session will fail too, and show it
                await self._transport.csrf_token()
        self._clock.trust()

    def pause(self) -> None:
        """Ask no more: the page is being left, and may be kept to come back to."""
        self._awake.clear()
        self.abort_reads("the page is left")

    def resume(self) -> None:
        """Go on asking."""
        self._awake.set()

    def watch_for(self, replaced: S | None, again: Callable[[], Awaitable[object]]) -> None:
        """For a moment, take `replaced` for an old answer if a JavaScript tab brings it back.

        Args:
            replaced: The session before a mutation.
            again: Repeats the mutation.
        """
        now = self._host.now()
        if self._watch and self._watch.is_repeating:
            self._watch.until = now + _WATCH
        else:
            self._watch = None if replaced is None else _Watch(replaced, now + _WATCH, again)

    @property
    def is_watching(self) -> bool:
        """Whether what the last mutation replaced may yet come back."""
        return self._watch is not None and bool(self._watch.left) and self._host.now() <= self._watch.until

    async def look_again(self) -> None:
        """Ask because another client spoke; if that brought back what a mutation replaced, repeat that.

        Raises:
            NextAuthError: The request failed, or the repeated mutation.
        """
        if not self.is_watching:
            await self.get_session("broadcast")
            return
        # Ours must not be joined to one that does not look for what came back.
        self.abort_reads("it began before another client spoke")
        await self.get_session("broadcast")
        watch = self._watch
        if watch is None or not watch.has_come_back:
            return
        watch.has_come_back = False
        watch.left -= 1
        watch.is_repeating = True
        try:
            await watch.again()
        finally:
            watch.is_repeating = False

    def end_watch(self) -> None:
        """Another mutation begins, unless it is the repetition of the last one."""
        if not (self._watch and self._watch.is_repeating):
            self._watch = None

    async def _read_session(self, reason: Reason) -> None:
        async with self.turn:
            read = await self._read_alone(reason)
        watch = self._watch if reason == "broadcast" and self.is_watching else None
        if (
            watch
            and not isinstance(read.answer, NextAuthError)
            and is_same_session(read.answer, watch.replaced)
        ):
            watch.has_come_back = True
        else:
            self._write(read, reason)

    async def _read_alone(self, reason: Reason) -> _Read[S]:
        """Ask for the session; to be called by whoever has the turn."""
        await self._awake.wait()
        started = self._store.begin_read()
        self._store.mark_refreshing(True)
        raw: Mapping[str, Any] | Unset | None = UNSET
        try:
            if found := await self._transport.prefetched_session():
                self._trace("takes what was asked for ahead (%s)", reason)
                self._neighbours.asking(found[0])
                started, raw = self._store.read_begun_at(found[0]), found[1]
            else:
                self._trace("asks (%s)", reason)
                self._neighbours.asking()
                raw = await self._transport.session()
            return _Read(started, None if raw is None else self.validated(raw), raw)
        except NextAuthError as error:
            return _Read(started, error, raw)
        finally:
            self._store.mark_refreshing(False)

    def _write(self, read: _Read[S], reason: Reason) -> None:
        self._trace("is answered: %s", describe(read.answer))
        if why := self._store.why_not(read.started):
            self._trace("discards the answer: %s", why)
        is_written = self._store.apply(read.answer, started=read.started, reason=reason)
        if is_written and not isinstance(read.raw, Unset):
            self._neighbours.confirmed(read.raw, read.started)
        if is_written and isinstance(read.answer, NextAuthError):
            self._neighbours.failed(read.answer, read.started)
            raise read.answer

    def validated(self, raw: Mapping[str, Any]) -> S:
        """The session as a model."""
        from .models import read_model  # noqa: PLC0415 - pydantic loads when first needed

        return read_model(self._session_type(), raw)

    async def _wait_for_turn(self) -> None:
        async with self.turn:
            pass


@dataclass(frozen=True)
class _Read(Generic[S]):
    """The answer to one GET of the session, when it was asked for, and as the server sent it."""

    started: Stamp
    answer: S | NextAuthError | None
    raw: Mapping[str, Any] | Unset | None = field(repr=False)


@dataclass
class _Watch(Generic[S]):
    """What a mutation has replaced, until when it may come back, and what to do then, how often at most."""

    replaced: S
    until: float
    again: Callable[[], Awaitable[object]]
    left: int = _REPEATS
    has_come_back: bool = False
    is_repeating: bool = False

"""The driver of poller, leader and fence: it holds timers, the lock, event listeners and futures.

`Poller`, `Leader` and `Fence` take a message or a time and return what to do; the driver does it.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from ..tabs.fence import ACK_TIMEOUT, MOST_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..core.server_clock import ServerClock
    from ..core.store import Stamp
    from ..host.base import Host
    from ..state import Reason
    from ..tabs.channel import TabChannel
    from ..tabs.fence import Fence
    from ..tabs.poller import Poller

# A timer that fires so many seconds late, or early, means that the machine has slept, or its clock was set.
_JUMP = 5.0

# A shorter wait, in seconds, might not move the clock on.
_SHORTEST = 0.001

# How often, in seconds, it is noticed that somebody uses the page.
_USE_RESOLUTION = 1.0


class Driver:
    """Act on what the poller and the fence decide.

    Args:
        host: The page or worker this runs in.
        channel: To the other tabs.
        fence: This tab's fence, and the others'.
        poller: Decides when to ask.
        clock: The server's clock.
        ask: Called to ask for the session in the background.
        look: Called to look for a session that has come back after a sign-out.

    Attributes:
        channel: As given.
        fence: As given.
        poller: As given.
    """

    def __init__(
        self,
        host: Host,
        channel: TabChannel,
        fence: Fence,
        poller: Poller,
        *,
        clock: ServerClock,
        ask: Callable[[Reason], None],
        look: Callable[[], None],
    ) -> None:
        self.channel = channel
        self.fence = fence
        self.poller = poller
        self._host = host
        self._clock = clock
        self._ask = ask
        self._look = look
        self._is_open = False
        self._on_close = ExitStack()
        self._release_lock: Callable[[], None] | None = None
        self._cancel_timer: Callable[[], None] | None = None
        self._cancel_use: Callable[[], None] | None = None
        self._fires_at = 0.0
        self._clock_began = 0.0  # when the machine's clock began, in monotonic seconds
        self._waiting: set[asyncio.Future[None]] = set()

    # --- polling ---

    def open(self) -> None:
        """Start."""
        self._is_open = True
        self._clock_began = self._host.now() - monotonic()
        self.poller.started()
        self._on_close.callback(self._host.on_visibility(self._on_visibility))
        self._on_close.callback(self._host.on_focus(lambda: self._ask_if(self.poller.focused())))
        self._on_close.callback(self._host.on_online(self._on_online))
        if self.poller.schedule.renew_before:
            self._await_use()
        self._campaign()

    def close(self) -> None:
        """Stop: cancel the timer and release all waiters."""
        self._is_open = False
        self._resign()
        self._stop_timer()
        if self._cancel_use:
            self._cancel_use()
            self._cancel_use = None
        self._on_close.close()
        self.wake()

    def pause(self) -> None:
        """Release the lock: the page is about to be frozen or left."""
        self._resign()

    def resume(self) -> None:
        """Queue for the lock again: the page is thawed or restored."""
        self._campaign()
        self.channel.post("here")  # where this tab still has the lock, its successor hears so
        self.reschedule()

    def reschedule(self) -> None:
        """Set the timer for what is due next. Call this whenever something that decides it has changed."""
        self._set_timer(self.poller.wait() if self._is_open else None)

    def look_again(self, took: float, *, is_first: bool, is_shared: bool = False) -> None:
        """As `Poller.look_again`."""
        self.poller.look_again(took, is_first=is_first, is_shared=is_shared)
        self.reschedule()

    def _set_timer(self, wait: float | None) -> None:
        self._stop_timer()
        self._look_at_clock()
        if wait is not None and self._is_open:
            self._fires_at = self._host.now() + wait
            self._cancel_timer = self._host.call_later(wait, self._on_timer)

    def _stop_timer(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    def _on_timer(self) -> None:
        self._cancel_timer = None
        if abs(self._host.now() - self._fires_at) > _JUMP:
            self._clock.doubt()
        if nudged := self.poller.take_nudge():
            self.reschedule()
            self._ask(nudged)
        elif self.poller.take_look():
            self.reschedule()
            self._look()
        elif scheduled := self.poller.take_scheduled():
            self._set_timer(self.poller.wait(only_nudge=True))  # all of it, when the request begins or ends
            self._ask(scheduled)
        else:
            self.reschedule()

    def _look_at_clock(self) -> None:
        """Notice that the machine's clock was set: what is planned by it may be wrong."""
        began = self._host.now() - monotonic()
        if abs(began - self._clock_began) > _JUMP:
            self._clock.doubt()
        self._clock_began = began

    def _ask_if(self, reason: Reason | None) -> None:
        if reason:
            self._ask(reason)
        else:
            self.reschedule()

    def _on_visibility(self) -> None:
        is_visible = self._host.is_visible()
        if is_visible:
            self._campaign()
        else:
            self._resign(acting=True)
        self.reschedule()
        if is_visible:
            self._ask_if(self.poller.came_into_view())

    def _on_online(self) -> None:
        reason = self.poller.network_changed()
        self.reschedule()
        self._ask_if(reason)

    def _await_use(self) -> None:
        self._cancel_use = self._host.on_next_use(self._on_use)

    def _on_use(self) -> None:
        self.poller.used()
        self.reschedule()
        self._cancel_use = self._host.call_later(_USE_RESOLUTION, self._await_use)

    # --- the lock ---

    def _campaign(self) -> None:
        """Queue for the lock. Browsers throttle the timers of hidden pages, so these do not."""
        if self._release_lock is None and self._host.is_visible():
            name = f"nextauth_py {self.channel.scope}"
            self._release_lock = self._host.request_lock(name, self._on_lock)
            self.poller.leader.has_locks = self._release_lock is not None

    def _on_lock(self) -> None:
        self.poller.leader.win()
        self.channel.post("here")  # whoever has led so far hears that it need not
        self.reschedule()

    def _resign(self, *, acting: bool = False) -> None:
        """Release the lock, or leave its queue."""
        self.poller.leader.resign(acting=acting)
        if self._release_lock is not None:
            release, self._release_lock = self._release_lock, None
            release()

    # --- the fence ---

    @property
    def longest_wait(self) -> float:
        """The longest wait for other tabs in seconds, however many fences they announce."""
        return MOST_REQUESTS * self.channel.longest_timeout

    async def wait_until_clear(self, seconds: float | None = None) -> None:
        """Wait until no other tab has a fence up, for at most `seconds`; by default `longest_wait`."""
        await self._wait_while(lambda: self.fence.is_up, self.longest_wait if seconds is None else seconds)

    @contextmanager
    def fenced(self, started: Stamp) -> Iterator[None]:
        """Keep the other tabs from reading. Afterwards the caller posts how the mutation has ended."""
        self.fence.raise_own(started, self.channel.peers)
        self.post_fence()
        try:
            yield
        finally:
            self.fence.lower_own()

    def post_fence(self) -> None:
        """Post that this tab's fence is up."""
        self.channel.post("fence", time=self.fence.own)

    def on_request(self) -> None:
        """A request begins: if it is one of a mutation, the other tabs must know that this is alive."""
        if self.fence.repeats():
            self.post_fence()

    async def wait_for_acks(self) -> None:
        """Wait until the other tabs have stopped reading, and mutations that began before ours have ended."""
        fence = self.fence
        await self._wait_while(lambda: bool(fence.missing), ACK_TIMEOUT)
        for tab in fence.missing:
            self.channel.peers.pop(tab, None)
        fence.missing.clear()
        await self._wait_while(fence.is_preceded, self.longest_wait)

    async def _wait_while(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait while a condition holds that other tabs or time can change."""
        last = monotonic() + seconds
        fires_at, cancel = float("inf"), _nothing

        def on_timer() -> None:
            nonlocal fires_at
            fires_at = float("inf")  # it may have fired a little early
            self.wake()

        try:
            while condition() and self._is_open and (now := monotonic()) < last:
                due = min(last, now + self.fence.expires_in())
                if due < fires_at:
                    cancel()
                    fires_at, cancel = due, self._host.call_later(max(due - now, _SHORTEST), on_timer)
                await self._news()
        finally:
            cancel()

    async def _news(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def wake(self) -> None:
        """Have all waiters check their condition again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)


def monotonic() -> float:
    """Seconds of a clock that is never set: the event loop's."""
    return asyncio.get_running_loop().time()


def _nothing() -> None:
    """There is no timer to cancel."""

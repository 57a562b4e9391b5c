"""Refetches on time, focus, reconnection and messages, unless another tab does so for all."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ..core.schedule import FOCUS_THROTTLE, Conditions, expires_at
from ..tabs.leader import Leader
from ..tabs.messages import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.schedule import Schedule
    from ..core.server_clock import ServerClock
    from ..host.base import Host
    from ..state import Reason, SessionState
    from ..tabs.channel import TabChannel
    from ..tabs.messages import Message
    from .trace import Trace

# A nudge of a JavaScript client reaches every tab. The leader waits only for more of them to come together;
# the others for the leader to say that it asks.
_TOGETHER = 0.01
_HEAD_START = 0.1
# "I am asking" and the nudge that it is about come on two channels, in any order.
_JUST_NOW = 0.05

# Requests that nudges may cause at once; then one a second. Nudges that come in faster than they are answered
# wait for each other no longer than this.
_NUDGES = 10
_TOGETHER_AT_MOST = 1.0

# An answer follows "I am asking" within the timeout, and this. Who only goes on saying so is not waited for.
_ANSWER_MARGIN = 1.0

# Seconds for which other tabs' failures put off this tab's own attempts. A tab that tries for all does so
# once a minute at least.
_PUT_OFF = 300.0

# A timer that fires so many seconds late, or early, means that the machine has slept, or its clock was set.
_JUMP = 5.0

# How often, in seconds, it is noticed that somebody uses the page.
_USE_RESOLUTION = 1.0

# Seconds after a mutation, besides those of a request, of the look at what has come back without a word.
_LOOK = 0.4


class Poller:
    """Drive the schedule, the leader election and the browser's events.

    Args:
        host: The page or worker this runs in.
        schedule: When to poll.
        line: The channel to the other tabs.
        state: Returns the session's state.
        ask: Called to refetch in the background.
        timeout: Seconds after which another tab's request has failed.
        clock: The server's clock.
        trace: Logs decisions.
    """

    def __init__(
        self,
        host: Host,
        schedule: Schedule,
        line: TabChannel,
        *,
        state: Callable[[], SessionState[Any]],
        ask: Callable[[Reason], None],
        timeout: float,
        clock: ServerClock,
        trace: Trace,
    ) -> None:
        self._schedule = schedule
        self._host = host
        self._channel = line
        self._state = state
        self._ask = ask
        self._timeout = timeout
        self._clock = clock
        self._trace = trace
        self._leader = Leader(host, f"nextauth_py {line.scope}", line.tab, self._on_lead)
        line.leads = lambda: self._leader.rank
        line.since = lambda: schedule.since
        self._on_close = ExitStack()
        self._cancel_timer: Callable[[], None] | None = None
        self._cancel_nudge: Callable[[], None] | None = None
        self._cancel_use: Callable[[], None] | None = None
        self._fires_at = self._nudge_at = self._nudged_at = 0.0
        self._nudges = Pace(host.now, _NUDGES)
        self._is_open = False
        self._was_offline = False
        self._missed_return = False  # of the network, while the page was hidden
        self._others_asked_at = self._mutated_at = self._others_mutated_at = float("-inf")
        self._others_ask_since = self._put_off_since = float("-inf")

    def open(self) -> None:
        """Start."""
        self._is_open = True
        self._was_offline = not self._host.is_online()
        self._on_close.callback(self._host.on_visibility(self._on_visibility))
        self._on_close.callback(self._host.on_focus(self._on_focus))
        self._on_close.callback(self._host.on_online(self._on_online))
        if self._schedule.renew_before:
            self._await_use()
        self._leader.campaign()

    def close(self) -> None:
        """End."""
        self._is_open = False
        self._leader.resign()
        self._stop_timer()
        self._stop_nudge()
        if self._cancel_use:
            self._cancel_use()
            self._cancel_use = None
        self._on_close.close()

    def pause(self) -> None:
        """Resign: the page is about to be frozen or left."""
        self._leader.resign()

    def resume(self) -> None:
        """Campaign again: the page is thawed or restored."""
        self._leader.campaign()
        self._channel.post("here")  # where this tab still has the lock, its successor hears so
        self.reschedule()

    def asking(self, asked_at: float | None = None) -> None:
        """Note that this tab's GET has begun, or that a prefetched one began at `asked_at`."""
        if asked_at is not None:
            self._schedule.asked_at = max(self._schedule.asked_at, asked_at)
            return
        self._schedule.asked_at = self._put_off_since = self._host.now()
        self._stop_nudge()
        if self._is_open:
            self._channel.post("asking")

    def assumed(self, made: float) -> None:
        """Note a session, or none, that is shown without a request and was valid at `made`."""
        self._schedule.recover()
        self._schedule.assume(self._expires(), made, self._offset)
        self.reschedule()

    def confirmed(self) -> None:
        """Note that an answer to this tab or another is shown."""
        self._schedule.recover()
        self._schedule.confirm(self._expires(), self._offset)
        self.reschedule()

    def failed(self, retry_after: float | None) -> None:
        """Note a failure of this tab or another; the server may ask to wait `retry_after` seconds."""
        self._schedule.fail(self._host.now(), retry_after, self._channel.tab)
        self.reschedule()

    def others_failed(self, retry_after: float | None) -> None:
        """Back off because another tab's request failed, but not for ever."""
        now = self._host.now()
        if self._schedule.rest is None:
            self._put_off_since = now
        if now - self._put_off_since < _PUT_OFF:
            self.failed(retry_after)

    def mutated(self, took: float, *, is_doubtful: bool) -> None:
        """Note a mutation of this tab whose slowest request took `took` seconds."""
        self._mutated_at = self._schedule.asked_at = self._host.now()
        if is_doubtful or self._channel.has_javascript_peers:
            self._nudge_after(_LOOK + took)

    def hear(self, message: Message) -> None:
        """Process a message of another tab."""
        self._leader.hear(message)
        if message.kind == "here":
            self._schedule.join(message.since[0] / 1e6, self._host.now())
            self.reschedule()
        if message.kind not in {"asking", "state", "failed"} or not self._is_credible(message):
            return
        if message.kind != "failed":
            began = min(message.time[0] / 1e6, self._host.now())
            self._schedule.asked_at = max(self._schedule.asked_at, began)
        if message.mutated:
            self._others_mutated_at = self._host.now()
        if message.kind != "asking":
            self._stop_nudge()
        elif self._cancel_nudge:
            self._nudge_after(self._timeout)
        self.reschedule()

    def _is_credible(self, message: Message) -> bool:
        """Whether the message is an answer, or announces one that can still follow."""
        now = self._host.now()
        if message.kind != "asking":
            self._others_asked_at = float("-inf")
            return True
        if now - self._others_asked_at > self._timeout:
            self._others_ask_since = now
        self._others_asked_at = now
        return now - self._others_ask_since <= self._timeout + _ANSWER_MARGIN

    def nudge(self) -> None:
        """Have one tab refetch for all: the session may have changed."""
        now, watch = self._host.now(), self._channel.longest_timeout
        # The tab that has made a mutation asks: what comes back may be what it has replaced.
        if now - self._mutated_at < watch:
            wait = _TOGETHER
        elif 0 <= now - self._others_asked_at < _JUST_NOW:
            wait = self._timeout
        elif now - self._others_mutated_at < watch and self._channel.peers:
            wait = self._lateness
        else:
            wait = self._head_start or _TOGETHER
        self._nudge_after(wait)

    def reschedule(self) -> None:
        """Set the timer for the next refetch. Call this whenever something that decides it has changed."""
        self._stop_timer()
        if not self._is_open or not (self._is_signed_in or self._schedule.rest):
            return
        wait = self._schedule.timer(self._surroundings())
        if wait is not None:
            self._fires_at = self._host.now() + wait
            self._cancel_timer = self._host.call_later(wait, self._on_timer)

    def _on_lead(self) -> None:
        self._channel.post("here")  # whoever has led so far hears that it need not
        self.reschedule()

    def _surroundings(self) -> Conditions:
        return Conditions(
            now=self._host.now(),
            offset=self._offset,
            is_signed_in=self._is_signed_in,
            is_online=self._host.is_online(),
            is_visible=self._host.is_visible(),
            grace=self._leader.grace,
            head_start=self._head_start,
            timeout=self._timeout,
        )

    @property
    def _is_signed_in(self) -> bool:
        return self._state().status == "authenticated"

    @property
    def _offset(self) -> float:
        """The server clock's offset in seconds; not imported while signed out, where nothing needs it."""
        return self._clock.offset if self._is_signed_in else 0.0

    @property
    def _lateness(self) -> float:
        """Seconds to let other tabs refetch first, different for each tab."""
        return _HEAD_START * (1 + crc32(self._channel.tab.encode()) / 2**32)

    @property
    def _head_start(self) -> float:
        """Seconds to let the leader refetch first; 0 if this tab leads or is alone."""
        return 0.0 if self._leader.rank or not self._channel.peers else self._lateness

    def _expires(self) -> float | None:
        session = self._state().data
        return None if session is None else expires_at(session)

    def _on_timer(self) -> None:
        self._cancel_timer = None
        if abs(self._host.now() - self._fires_at) > _JUMP:
            self._clock.doubt()
        reason = self._schedule.due(self._surroundings())
        if reason is None:
            self.reschedule()
            return
        if reason in {"poll", "retry"}:
            self._leader.take_over()
        self._ask(reason)

    def _on_visibility(self) -> None:
        if not self._host.is_visible():
            self._leader.resign(acting=True)
            self.reschedule()
            return
        self._leader.campaign()
        self.reschedule()
        if self._missed_return:
            self._missed_return = False
            self._ask("online")
        else:
            self._look("the page has come into view")

    def _on_focus(self) -> None:
        if self._host.is_visible():
            self._look("the window has got the focus")

    def _on_online(self) -> None:
        self.reschedule()
        was_offline, self._was_offline = self._was_offline, not self._host.is_online()
        if not self._host.is_online():
            self._trace("hears that the browser is offline")
        elif not was_offline:
            self._look("the browser says once more that it is online")
        elif not self._wants_news:
            self._trace("does not ask: nobody is signed in")
        elif not self._host.is_visible():
            self._missed_return = True
        elif self._head_start:
            self._nudge_after(self._head_start, "online")
        else:
            self._ask("online")

    def _look(self, why: str) -> None:
        """Refetch because the page is looked at, but not more often than `FOCUS_THROTTLE`."""
        if not self._wants_news:
            self._trace("does not ask although %s: nobody is signed in", why)
        elif self._schedule.focus_is_due(self._host.now()):
            self._ask("focus")
        else:
            rule = f"at most once in {FOCUS_THROTTLE:g} s" if self._schedule.on_focus else "not requested_at"
            self._trace("does not ask although %s: %s", why, rule)

    def _await_use(self) -> None:
        self._cancel_use = self._host.on_next_use(self._on_use)

    def _on_use(self) -> None:
        self._schedule.used_at = self._host.now()
        self.reschedule()
        self._cancel_use = self._host.call_later(_USE_RESOLUTION, self._await_use)

    @property
    def _wants_news(self) -> bool:
        """Whether a refetch could change anything: a signed-out page has nothing to refresh."""
        state = self._state()
        return state.status == "authenticated" or state.error is not None

    def _nudge_after(self, seconds: float, reason: Reason = "broadcast") -> None:
        now = self._host.now()
        seconds = max(seconds, self._nudges.wait())
        if self._cancel_nudge is None or now + seconds < self._nudge_at:
            self._nudged_at = now
        elif now - self._nudged_at > _TOGETHER_AT_MOST:
            return
        self._stop_nudge()
        if self._is_open:
            self._nudge_at = now + seconds
            self._cancel_nudge = self._host.call_later(seconds, lambda: self._on_nudge(reason))

    def _on_nudge(self, reason: Reason) -> None:
        self._cancel_nudge = None
        self._nudges.take()
        self._ask(reason)

    def _stop_timer(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    def _stop_nudge(self) -> None:
        if self._cancel_nudge is not None:
            self._cancel_nudge()
            self._cancel_nudge = None

"""Decides when this tab asks for the session, and when another tab's asking is enough."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from zlib import crc32

from .leader import Leader

if TYPE_CHECKING:
    from collections.abc import Callable

    from .broadcast import Broadcast
    from .host.base import Host
    from .refresh import RefreshSchedule
    from .state import Reason, SessionState
    from .tabs import Message

# A nudge of a JavaScript client reaches every tab. The leader waits only for more of them to come together;
# the others for the leader to say that it asks.
_TOGETHER = 0.01
_LEADER_PATIENCE = 0.1
# "I am asking" and the nudge that it is about come on two channels, in any order.
_JUST_NOW = 0.05

# After a mutation the tab that made it answers nudges: what comes back may be what it has replaced.
_MUTATION_WATCH = 1.0


class Refetcher:
    """Asks on the interval, on the page coming into view, on the network's return, and on other tabs' word.

    Args:
        host: The world around.
        schedule: The user's options.
        line: To the other tabs.
        state: Returns the session's state.
        ask: Called to ask in the background.
        timeout: Seconds that a request of another tab may take.
    """

    def __init__(
        self,
        host: Host,
        schedule: RefreshSchedule,
        line: Broadcast,
        *,
        state: Callable[[], SessionState[Any]],
        ask: Callable[[Reason], None],
        timeout: float,
    ) -> None:
        self._schedule = schedule
        self._host = host
        self._line = line
        self._state = state
        self._ask = ask
        self._timeout = timeout
        self._leader = Leader(host, f"nextauth_py {line.scope}", line.tab, self.reschedule)
        line.leads = lambda: self._leader.rank
        self._on_close = ExitStack()
        self._cancel_poll: Callable[[], None] | None = None
        self._cancel_nudge: Callable[[], None] | None = None
        self._is_open = False
        self._others_asked_at = self._mutated_at = self._others_mutated_at = float("-inf")

    def open(self) -> None:
        """Begin."""
        self._is_open = True
        self._on_close.callback(self._host.on_visibility(self._on_visibility))
        self._on_close.callback(self._host.on_online(self._on_online))
        self._leader.seek()

    def close(self) -> None:
        """End."""
        self._is_open = False
        self._leader.step_back()
        self._stop_poll()
        self._stop_nudge()
        self._on_close.close()

    def pause(self) -> None:
        """Give up leading: the page is about to be frozen or left."""
        self._leader.step_back()

    def resume(self) -> None:
        """The page lives again."""
        self._leader.seek()
        self._line.post("here")  # where this tab still has the lock, its successor hears so
        self.reschedule()

    def asking(self) -> None:
        """This tab has begun to ask."""
        self._schedule.asked_at = self._host.now()
        self._stop_nudge()
        if self._is_open:
            self._line.post("asking")

    def mutated(self) -> None:
        """This tab has changed the session."""
        self._mutated_at = self._schedule.asked_at = self._host.now()
        if self._line.has_javascript_neighbours:
            self._nudge_after(_MUTATION_WATCH * 0.4)

    def hear(self, message: Message) -> None:
        """Take in what another tab says."""
        self._leader.hear(message)
        if message.kind not in {"asking", "state"}:
            return
        self._schedule.asked_at = self._host.now()
        self._others_asked_at = self._host.now() if message.kind == "asking" else float("-inf")
        if message.mutated:
            self._others_mutated_at = self._host.now()
        if message.kind == "state":
            self._stop_nudge()
        elif self._cancel_nudge:
            self._nudge_after(self._timeout)
        self.reschedule()

    def nudge(self) -> None:
        """The session may have changed: one tab is to ask, for all."""
        now = self._host.now()
        if now - self._mutated_at < _MUTATION_WATCH:
            wait = _TOGETHER
        elif now - self._others_asked_at < _JUST_NOW:
            wait = self._timeout
        elif (self._leader.rank and now - self._others_mutated_at >= _MUTATION_WATCH) or not self._line.peers:
            wait = _TOGETHER
        else:
            wait = _LEADER_PATIENCE * (1 + crc32(self._line.tab.encode()) / 2**32)
        self._nudge_after(wait)

    def reschedule(self) -> None:
        """Wait for the next poll, if there is one; to be called when anything that decides it has changed."""
        self._stop_poll()
        if not self._is_open or self._state().status != "authenticated":
            return
        wait = self._schedule.timer(
            self._host.now(), online=self._host.is_online(), patience=self._leader.patience
        )
        if wait is not None:
            self._cancel_poll = self._host.call_later(wait, self._on_poll)

    def _on_poll(self) -> None:
        self._cancel_poll = None
        if self._schedule.poll_is_due(self._host.now(), patience=self._leader.patience):
            self._leader.take_over()
            self._ask("poll")
        else:
            self.reschedule()

    def _on_visibility(self) -> None:
        if not self._host.is_visible():
            self._leader.step_back(acting=True)
            return
        self._leader.seek()
        self.reschedule()
        if self._wants_news and self._schedule.focus_is_due(self._host.now()):
            self._ask("focus")

    def _on_online(self) -> None:
        self.reschedule()
        if self._host.is_online() and self._wants_news:
            self._ask("online")

    @property
    def _wants_news(self) -> bool:
        """Whether asking might tell something: nobody is signed in by looking at a page."""
        state = self._state()
        return state.status == "authenticated" or state.error is not None

    def _nudge_after(self, seconds: float) -> None:
        self._stop_nudge()
        if self._is_open:
            self._cancel_nudge = self._host.call_later(seconds, self._on_nudge)

    def _on_nudge(self) -> None:
        self._cancel_nudge = None
        self._ask("broadcast")

    def _stop_poll(self) -> None:
        if self._cancel_poll is not None:
            self._cancel_poll()
            self._cancel_poll = None

    def _stop_nudge(self) -> None:
        if self._cancel_nudge is not None:
            self._cancel_nudge()
            self._cancel_nudge = None

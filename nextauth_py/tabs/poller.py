"""When this tab asks the server, and when it leaves that to another tab. Pure: it waits for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.schedule import FOCUS_THROTTLE, Conditions, Schedule, expires_at, jitter
from .looks import FIRST_LOOK, SECOND_LOOK, Looks
from .messages import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..state import Reason, SessionState
    from .leader import Leader
    from .messages import Message

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

# Looks of several tabs within so many seconds are one.
_SAME_LOOK = 0.5

# Browsers fire a timer up to a millisecond early.
_EARLY = 0.001

_NEVER = float("-inf")


@dataclass(eq=False, repr=False)
class Environment:
    """What a tab's decisions depend on besides messages. Each is called when it is needed.

    Attributes:
        now: The machine's time, in seconds since the epoch.
        monotonic: Seconds of a clock that is never set.
        offset: Seconds that the server's clock is ahead of the machine's.
        state: The session's state.
        is_online: The browser's `navigator.onLine`.
        is_visible: Whether the page is visible.
        peers: The other Python tabs that are known.
        has_javascript_peers: Whether a JavaScript client has posted on this origin.
        longest_timeout: The longest timeout of all tabs, in seconds.
    """

    now: Callable[[], float]
    monotonic: Callable[[], float]
    offset: Callable[[], float]
    state: Callable[[], SessionState[Any]]
    is_online: Callable[[], bool]
    is_visible: Callable[[], bool]
    peers: Callable[[], Collection[str]]
    has_javascript_peers: Callable[[], bool]
    longest_timeout: Callable[[], float]


@dataclass(eq=False, repr=False)
class _Nudge:
    """A request that is to be made soon.

    Attributes:
        first: When the first of its nudges came, in monotonic seconds.
        due: When to ask, in monotonic seconds.
        reason: Why.
    """

    first: float
    due: float
    reason: Reason


class Poller:
    """Decide when to ask, by the schedule, the leader, the other tabs and what the browser says.

    Args:
        schedule: When to poll.
        leader: Whether this tab polls for all.
        tab: This tab's name.
        timeout: Seconds after which a request has failed.
        environment: What its decisions depend on besides messages.
        trace: Logs decisions.

    Attributes:
        schedule: As given.
        leader: As given.
    """

    def __init__(
        self,
        schedule: Schedule,
        leader: Leader,
        tab: str,
        timeout: float,
        *,
        environment: Environment,
        trace: Callable[..., None],
    ) -> None:
        self.schedule = schedule
        self.leader = leader
        self._tab = tab
        self._timeout = timeout
        self._environment = environment
        self._trace = trace
        self._nudge: _Nudge | None = None
        self._nudges = Pace(environment.now, _NUDGES)
        self._looks = Looks()
        self._was_offline = False
        self._missed_return = False  # of the network, while the page was hidden
        self._has_missed_news = False  # while this tab changed the session
        self._others_asked_at = self._mutated_at = self._others_mutated_at = _NEVER
        self._others_ask_since = self._put_off_since = _NEVER

    # --- what this tab does ---

    def asking(self, asked_at: float | None = None) -> None:
        """Note that this tab's GET has begun, or that a prefetched one began at `asked_at`."""
        if asked_at is not None:
            self.schedule.asked_at = max(self.schedule.asked_at, asked_at)
            return
        self.schedule.asked_at = self._put_off_since = self._environment.now()
        self._nudge = None

    def assumed(self, made: float) -> None:
        """Note a session, or none, that is shown without a request and was valid at `made`."""
        self.schedule.recover()
        self.schedule.assume(self._expires, made, self._environment.offset())

    def confirmed(self) -> None:
        """Note that an answer to this tab or another is shown."""
        if self._environment.state().error is None:  # a session that does not fit is no answer
            self.schedule.recover()
            self.schedule.confirm(self._expires, self._environment.offset())

    def failed(self, retry_after: float | None) -> None:
        """Note a failure of this tab or another; the server may ask to wait `retry_after` seconds."""
        self.schedule.fail(self._environment.now(), retry_after, self._tab)

    def mutated(self, took: float) -> None:
        """Note a mutation of this tab whose slowest request took `took` seconds."""
        self._mutated_at = self.schedule.asked_at = self._environment.now()
        if self._has_missed_news or self._environment.has_javascript_peers():
            self._nudge_after(FIRST_LOOK + took)
        self._has_missed_news = False

    def look_again(self, took: float, *, is_first: bool, is_shared: bool) -> None:
        """Plan to look for a session that comes back after a sign-out.

        Args:
            took: Seconds of its slowest request; less the time that has passed since it.
            is_first: Whether to look soon too.
            is_shared: Whether several tabs may plan it, so that one look is enough.
        """
        lateness = self._lateness if is_shared else None
        self._looks.plan(self._environment.monotonic(), took, is_first=is_first, lateness=lateness)

    def look_for_another(self) -> None:
        """Plan to look in place of a tab that is gone right after its sign-out."""
        passed = self._environment.now() - self._others_mutated_at
        if passed < SECOND_LOOK:
            self.look_again(-passed, is_first=False, is_shared=True)

    def stop_looking(self) -> None:
        """Plan no look: the page is left."""
        self._looks.cancel()

    def mutation_failed(self) -> None:
        """Note a mutation of this tab that has changed nothing, or perhaps something."""
        if self._has_missed_news:
            self.nudge()
        self._has_missed_news = False

    def missed_news(self) -> None:
        """Note that something has come in while this tab changed the session: it asks afterwards."""
        self._has_missed_news = True

    def used(self) -> None:
        """Note that somebody uses the page."""
        self.schedule.used_at = self._environment.now()

    # --- what other tabs do ---

    def hear(self, message: Message) -> None:
        """Process a message of another tab."""
        self.leader.hear(message)
        now = self._environment.now()
        if message.kind == "here":
            self.schedule.join(message.since[0] / 1e6, now)
        if message.kind not in {"asking", "state", "failed"} or not self._is_credible(message, now):
            return
        if message.kind != "failed":
            self.schedule.asked_at = max(self.schedule.asked_at, min(message.time[0] / 1e6, now))
        if message.mutated:
            self._others_mutated_at = now
        else:
            self._looks.made(self._environment.monotonic() + _SAME_LOOK, by_another_tab=True)
        if message.kind != "asking":
            self._nudge = None
        elif self._nudge:
            self._nudge_after(self._timeout)

    def _is_credible(self, message: Message, now: float) -> bool:
        """Whether the message is an answer, or announces one that can still follow."""
        if message.kind != "asking":
            self._others_asked_at = _NEVER
            return True
        if now - self._others_asked_at > self._timeout:
            self._others_ask_since = now
        self._others_asked_at = now
        return now - self._others_ask_since <= self._timeout + _ANSWER_MARGIN

    def others_failed(self, retry_after: float | None) -> None:
        """Back off because another tab's request failed, but not for ever."""
        now = self._environment.now()
        if self.schedule.rest is None:
            self._put_off_since = now
        if now - self._put_off_since < _PUT_OFF:
            self.failed(retry_after)

    @property
    def will_ask(self) -> bool:
        """Whether a request is due because something may have changed."""
        return self._nudge is not None

    @property
    def will_look(self) -> bool:
        """Whether a look is planned."""
        return self._looks.next is not None

    def nudge(self) -> None:
        """Have one tab ask for all: the session may have changed."""
        # The tab that has made a mutation asks: what comes back may be what it has replaced.
        if self._environment.now() - self._mutated_at < self._environment.longest_timeout():
            wait = _TOGETHER
        elif 0 <= self._environment.now() - self._others_asked_at < _JUST_NOW:
            wait = self._timeout
        elif (
            self._environment.now() - self._others_mutated_at < self._environment.longest_timeout()
            and self._environment.peers()
        ):
            wait = self._lateness
        else:
            wait = self._head_start or _TOGETHER
        self._nudge_after(wait)

    def _nudge_after(self, seconds: float, reason: Reason = "broadcast") -> None:
        monotonic = self._environment.monotonic()
        due = monotonic + max(seconds, self._nudges.wait())
        first = monotonic if self._nudge is None or due < self._nudge.due else self._nudge.first
        if monotonic - first <= _TOGETHER_AT_MOST:
            self._nudge = _Nudge(first, due, reason)

    @property
    def _lateness(self) -> float:
        """Seconds to let other tabs ask first, different for each tab."""
        return _HEAD_START * (1 + jitter(self._tab))

    @property
    def _head_start(self) -> float:
        """Seconds to let the leader ask first; 0 if this tab leads or is alone."""
        return 0.0 if self.leader.rank or not self._environment.peers() else self._lateness

    # --- what the browser says: each returns why to ask now, if at all ---

    def came_into_view(self) -> Reason | None:
        """The page has come into view."""
        if self._missed_return:
            self._missed_return = False
            return "online"
        return self._looked_at("the page has come into view")

    def focused(self) -> Reason | None:
        """The window has got the focus."""
        return self._looked_at("the window has got the focus") if self._environment.is_visible() else None

    def network_changed(self) -> Reason | None:
        """The network has come or gone."""
        was_offline, self._was_offline = self._was_offline, not self._environment.is_online()
        if not self._environment.is_online():
            self._trace("hears that the browser is offline")
        elif not was_offline:
            return self._looked_at("the browser says once more that it is online")
        elif not self._wants_news:
            self._trace("does not ask: nobody is signed in")
        elif not self._environment.is_visible():
            self._missed_return = True
        elif wait := self._head_start:
            self._nudge_after(wait, "online")
        else:
            return "online"
        return None

    def started(self) -> None:
        """The page begins: it may be offline from the start."""
        self._was_offline = not self._environment.is_online()

    def _looked_at(self, why: str) -> Reason | None:
        """Ask because the page is looked at, but not more often than `FOCUS_THROTTLE`."""
        now = self._environment.monotonic()
        if not self._wants_news and self._looks.came_into_view(now):
            return None
        if not self._wants_news and self.schedule.on_focus != "always":
            self._trace("does not ask although %s: nobody is signed in", why)
        elif self.schedule.focus_is_due(self._environment.now()):
            return "focus"
        else:
            rule = f"at most once in {FOCUS_THROTTLE:g} s" if self.schedule.on_focus else "not wanted"
            self._trace("does not ask although %s: %s", why, rule)
        return None

    # --- the time ---

    def wait(self, *, only_nudge: bool = False) -> float | None:
        """Seconds until something is due; None if nothing is planned.

        Args:
            only_nudge: Leave the schedule out: it has been asked for just now.
        """
        scheduled = None if only_nudge else self.schedule.timer(self._conditions())
        planned = [self._looks.next, self._nudge.due if self._nudge else None]
        waits = [max(due - self._environment.monotonic(), 0.0) for due in planned if due is not None]
        return min(waits if scheduled is None else [*waits, scheduled], default=None)

    def take_nudge(self) -> Reason | None:
        """Why to ask now because of nudges, if at all; the caller does ask."""
        if self._nudge is None or self._nudge.due > self._environment.monotonic() + _EARLY:
            return None
        reason, self._nudge = self._nudge.reason, None
        self._nudges.take()
        self._looks.made(self._environment.monotonic() + _TOGETHER)
        return reason

    def take_look(self) -> bool:
        """Whether to look now for a session that has come back; the caller does."""
        now = self._environment.monotonic()
        is_due = self._looks.next is not None and self._looks.next <= now + _EARLY
        if is_due:
            self._looks.made(now + _TOGETHER)
        return is_due

    def take_scheduled(self) -> Reason | None:
        """Why to ask now by the schedule, if at all; the caller does ask."""
        reason = self.schedule.due(self._conditions())
        if reason in {"poll", "retry"}:
            self.leader.take_over()
        return reason

    def _conditions(self) -> Conditions:
        return Conditions(
            now=self._environment.now(),
            offset=self._environment.offset(),
            is_signed_in=self._is_signed_in,
            is_online=self._environment.is_online(),
            is_visible=self._environment.is_visible(),
            grace=self.leader.grace,
            head_start=self._head_start,
            timeout=self._timeout,
        )

    @property
    def _is_signed_in(self) -> bool:
        return self._environment.state().status == "authenticated"

    @property
    def _expires(self) -> float | None:
        """When the shown session ends, in seconds since the epoch by the server's clock."""
        session = self._environment.state().data
        return None if session is None else expires_at(session)

    @property
    def _wants_news(self) -> bool:
        """Whether an answer could change anything: a signed-out page has nothing to refresh."""
        return self._is_signed_in or self._environment.state().error is not None

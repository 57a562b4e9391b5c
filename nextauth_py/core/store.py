"""The store: the only code that replaces the session's state. Pure: no I/O, no tasks.

Order is the point of this file. Each read of the session remembers the logical time at which it began;
a mutation (sign-in, update, sign-out) makes every read that began before its end worthless, in this tab and
in all others. `apply` checks and writes in one synchronous step, so nothing can come in between.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal

from ..errors import NextAuthError
from ..state import EventName, Reason, S, SessionEvent, SessionState, Status
from .options import UNSET, Unset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..models import Session

# A logical time that all tabs share: microseconds of the machine's clock, moved on where that stands still
# or goes back (a hybrid logical clock), and the tab, which orders what happened at the same moment.
Stamp = tuple[int, str]
NEVER: Stamp = (0, "")
# The tabs of a browser share a clock. A time that is more microseconds ahead of it is nonsense, and would
# stop ours; if it is our own, the clock has been set back.
TOO_FAR_AHEAD = 24 * 60 * 60 * 1_000_000
_BEFORE_ALL: Stamp = (1, "")

# What this tab does of its own accord.
_OWN = {"assigned", "sign_in", "sign_out", "update"}


# Where an answer comes from: a read or a mutation of this tab, another tab, or the page itself.
Source = Literal["read", "mutation", "tab", "assumed"]


@dataclass(eq=False, repr=False)
class Change(Generic[S]):
    """What the store has done.

    Attributes:
        state: The state now.
        events: What has happened to the session.
        is_new: Whether the state is another one than before.
        source: Where the applied answer comes from; None if the page is left.
        answer: A session, None for "signed out", or the error instead.
        started: The logical time at which the read or mutation began.
        raw: The session as the server sent it, if it did.
    """

    state: SessionState[S]
    events: tuple[SessionEvent[S], ...] = ()
    is_new: bool = True
    source: Source | None = None
    answer: S | NextAuthError | None = None
    started: Stamp = NEVER
    raw: Mapping[str, Any] | Unset | None = UNSET


@dataclass(eq=False, repr=False)
class Mutation:
    """A sign-in, update or sign-out, and its outcome.

    Attributes:
        kind: Which of the three.
        started: When it began.
        session: The server's session after it, if that was read.
        is_refused: Whether the server has refused it, so that nothing has changed.
        is_done: Whether it has succeeded.
        is_told: Whether the outcome was posted to other tabs before it was verified.
    """

    kind: Reason
    started: Stamp
    session: Mapping[str, Any] | Unset | None = UNSET
    is_refused: bool = False
    is_done: bool = False
    is_told: bool = False


class SessionStore(Generic[S]):
    """The one writer of the session state.

    Args:
        applied: Called with what the store has done, once for each answer that it has taken.
        now: Returns the machine's time in seconds.
        tab: This tab's unique name.
        is_over: Whether a session has expired.
    """

    def __init__(
        self,
        applied: Callable[[Change[S]], None],
        now: Callable[[], float],
        tab: str,
        is_over: Callable[[S], bool],
    ) -> None:
        self._state: SessionState[S] = SessionState()
        self._applied = applied
        self._is_over = is_over
        self._now = now
        self._tab = tab
        self._time = 0
        self._shown = NEVER  # when the read that is shown began
        self._barrier = NEVER  # reads that began earlier are worthless
        self._mutation: Stamp | None = None
        self._closed = False
        self._is_restored = False

    @property
    def state(self) -> SessionState[S]:
        """The current state."""
        return self._state

    @property
    def is_outdated(self) -> bool:
        """Whether the shown state was read before the last mutation."""
        return self._state.status != "loading" and self._shown < self._barrier

    @property
    def epoch(self) -> Stamp:
        """The logical time of the last known mutation."""
        return self._barrier

    @property
    def is_confirmed(self) -> bool:
        """False from a back/forward-cache restore until the server has answered."""
        return not self._is_restored

    def begin_read(self) -> Stamp:
        """Return the logical time of a read that begins now."""
        self._time = max(self._clock(), self._time + 1)
        return self._time, self._tab

    def read_begun_at(self, seconds: float) -> Stamp:
        """Return the logical time of a read that began at `seconds` since the epoch."""
        return min(int(seconds * 1e6), self._time), self._tab

    def _clock(self) -> int:
        """Read the clock. If it was set far back, restart logical time: all that was before is older."""
        now = int(self._now() * 1e6)
        if self._time > now + TOO_FAR_AHEAD and self._mutation is None:
            self._time, self._shown, self._barrier = now, NEVER, NEVER
        return now

    def is_far_ahead_of(self, time: Stamp) -> bool:
        """Whether the shown state was stamped by a clock far ahead of that time."""
        return self._shown[0] > time[0] + TOO_FAR_AHEAD

    def _by_the_clock(self, time: Stamp) -> Stamp:
        return _BEFORE_ALL if time[0] > self._time else time

    def is_current(self, started: Stamp) -> bool:
        """Whether an answer to a read that began then may still be written."""
        return self.rejection_reason(started) is None

    def rejection_reason(self, started: Stamp) -> str | None:
        """Why an answer to a read that began then is discarded; None if it may be written."""
        if self._closed:
            return "the provider is closed"
        if self._mutation is not None:
            return None if started == self._mutation else "the session is being changed"
        started = self._by_the_clock(started)
        if started < self._barrier:
            return "it began before the session was changed"
        return "something newer is shown" if started < self._shown else None

    @property
    def is_mutating(self) -> bool:
        """Whether a mutation is open, so that nothing else is written."""
        return self._mutation is not None

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Discard all further writes."""
        self._closed = True

    def has_written_since(self, time: Stamp) -> bool:
        """Whether the shown state was read after that time."""
        return self._shown >= self._by_the_clock(time) and self._state.status != "loading"

    def invalidate(self) -> None:
        """Invalidate all reads in flight: the session changed elsewhere."""
        self._barrier = self.begin_read()

    def witness(self, epoch: Stamp, *stamps: Stamp) -> None:
        """Merge another tab's epoch and logical time."""
        self._clock()
        self._barrier = max(self._barrier, epoch)
        self._time = max(self._time, *(time for time, _tab in (epoch, *stamps)))

    @contextmanager
    def mutation(self) -> Iterator[Stamp]:
        """Open a span in which only the mutation itself may write, with the time that it yields.

        Raises:
            RuntimeError: Another mutation is open. The client serializes them, so this is a bug.
        """
        if self._mutation is not None:
            raise RuntimeError("a mutation is open already")
        self._mutation = self.begin_read()
        try:
            yield self._mutation
        finally:
            has_written = self._shown == self._mutation
            self._mutation = None
            self.invalidate()
            if has_written:
                self._shown = self._barrier

    def apply(
        self,
        answer: S | NextAuthError | None,
        *,
        started: Stamp,
        reason: Reason,
        source: Source = "read",
        raw: Mapping[str, Any] | Unset | None = UNSET,
        is_sign_in: bool = False,
    ) -> bool:
        """Write an answer unless it is outdated.

        Args:
            answer: A session, None for "signed out", or the error instead.
            started: The logical time at which the read or mutation began.
            reason: The cause, for the event.
            source: Where it comes from.
            raw: The session as the server sent it, if it did.
            is_sign_in: Whether another tab's sign-in led to it.

        Returns:
            False if the answer was discarded. The caller then gets the current state.
        """
        if not self.is_current(started):
            return False
        if isinstance(answer, NextAuthError):
            # No newer than what is shown: an answer that was asked for earlier, and comes later, tells more.
            state = _after_error(self._state, answer)
        else:
            self._shown = self._by_the_clock(started)
            self._is_restored = False
            is_sign_in |= reason == "sign_in"
            state = _after_answer(self._state, answer)
        before, self._state = self._state, state
        is_new = state != before
        events = self._events(before, reason, is_sign_in=is_sign_in) if is_new else ()
        self._applied(Change(state, events, is_new, source, answer, started, raw))
        return True

    def mark_refreshing(self, refreshing: bool) -> None:
        """Set `refreshing`, without a notification."""
        if not self._closed:
            self._state = replace(self._state, refreshing=refreshing)

    def mark_stale(self) -> None:
        """Mark the state as unconfirmed: the page is left, and may be restored."""
        if not self._closed and self._state.status != "loading":
            self._is_restored = True
            # Even if it is stale already: what needs a session must show nothing of it from now on.
            self._state = replace(self._state, stale=True)
            self._applied(Change(self._state))

    def _events(
        self, before: SessionState[S], reason: Reason, *, is_sign_in: bool
    ) -> tuple[SessionEvent[S], ...]:
        names = _event_names(before, self._state, is_sign_in=is_sign_in)
        local = reason in _OWN
        if "signed_out" in names and not local and before.data is not None and self._is_over(before.data):
            names = ("expired", *names)
        after = self._state
        # Whoever hears "signed_out" must not find the next user in it.
        between = SessionState("unauthenticated") if names[-1:] == ("signed_in",) else after
        return tuple(
            SessionEvent(name, reason, local, after if name == names[-1] else between) for name in names
        )


def _after_answer(state: SessionState[S], session: S | None) -> SessionState[S]:
    status: Status = "unauthenticated" if session is None else "authenticated"
    kept = _keep_if_same(state.data, session)
    return SessionState(status, kept, refreshing=state.refreshing)


def describe(answer: S | NextAuthError | None) -> str:
    """Describe an answer for the log, without its contents."""
    if isinstance(answer, NextAuthError):
        return str(answer)
    return "nobody is signed in" if answer is None else "somebody is signed in"


def is_same_session(one: S | None, other: S | None) -> bool:
    """Whether two sessions are equal apart from `expires`, which rolls on with each answer."""
    if one is None or other is None or type(one) is not type(other):
        return one is other
    return one.model_copy(update={"expires": other.expires}) == other


def _keep_if_same(shown: S | None, new: S | None) -> S | None:
    """Keep the shown object if only `expires` rolled on, so that listeners are not notified."""
    if shown is None or new is None or not is_same_session(new, shown):
        return new
    # Past `frozen` and `validate_assignment`, which a user's model may have set.
    shown.__dict__["expires"] = new.expires
    return shown


def _after_error(state: SessionState[S], error: NextAuthError) -> SessionState[S]:
    """Keep the state, marked as unconfirmed: a failure never signs anyone out."""
    repeated = state.error is not None and (type(state.error), str(state.error)) == (type(error), str(error))
    return replace(state, error=state.error if repeated else error, stale=state.status != "loading")


def _event_names(
    before: SessionState[S], after: SessionState[S], *, is_sign_in: bool
) -> tuple[EventName, ...]:
    """Return the events of a change. A page's first answer is none: nobody signed in or out."""
    if after.error is not None and after.error is not before.error:
        return ("error",)
    if before.status == "loading" or after.data is before.data:
        return ()
    if before.data is None:
        return ("signed_in",)
    if after.data is None:
        return ("signed_out",)
    is_other = _is_other_user(before.data, after.data)
    return ("signed_out", "signed_in") if (is_sign_in if is_other is None else is_other) else ("updated",)


def _is_other_user(one: Session, other: Session) -> bool | None:
    """Whether two sessions are of different users; None if they do not say."""
    for name in ("id", "email"):
        values = [_field(getattr(each, "user", None), name) for each in (one, other)]
        if all(values):
            return values[0] != values[1]
    return None


def is_same_user(one: Session, other: Session) -> bool:
    """Whether two sessions are of one user, whatever else they say."""
    is_other = _is_other_user(one, other)
    if is_other is None:
        users = [getattr(each, "user", None) for each in (one, other)]
        return users[0] is not None and users[0] == users[1]
    return not is_other


def _field(user: object, name: str) -> object:
    return user.get(name) if isinstance(user, dict) else getattr(user, name, None)

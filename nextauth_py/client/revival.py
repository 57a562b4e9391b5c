"""A replaced session that comes back, because an old answer to another client set its cookie again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from ..core.options import UNSET, Unset
from ..core.store import NEVER, Stamp, is_same_session, is_same_user
from ..errors import NextAuthError
from ..state import S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# A read that began before a mutation may be answered after it, and set the old cookie again. Then the same
# session is back as when somebody signs in again: no field tells which. So it depends on who speaks.
#
# - A Python tab whose read was answered too late knows that, and says so. That counts as long as a read of
#   any tab may be under way: what is then found to be back is taken for old. Only a sign-in in a JavaScript
#   tab that no tab has heard of until then would be undone, and by then the late answer has undone it.
# - A JavaScript client says only that it has been answered. After a sign-in it says so when it has loaded a
#   sign-in page, somebody has typed, and it has posted a form and loaded another page: five requests. An old
#   answer comes within about one. So this is reason to look for two seconds and twice the time of a request.
# - Auth.js's middleware sets the cookie again with each page, file and prefetch, and nobody says so. So the
#   tab of a sign-out looks twice; `tabs.poller` says when.
# - A page that loads and finds somebody signed in, and a poll, are believed after the watch and end it. A
#   Python tab's sign-in announces itself and ends it at once.
_WATCH = 1.8
_REPEATS = 3


@dataclass
class _Replaced(Generic[S]):
    """What a mutation has replaced, and how to repeat the mutation, at most so often.

    Times are the event loop's. Until `until` any message is a reason to check, until `latest` only evidence.
    `suspected` is when the last reason came that has not been checked. A `session` of None stands for any.
    """

    session: S | None
    repeat: Callable[[], Awaitable[object]]
    failure: NextAuthError | None
    timeout: float
    until: float = 0.0
    latest: float = 0.0
    left: int = _REPEATS
    suspected: Stamp = NEVER
    has_returned: bool = False
    is_repeating: bool = False


class RevivalGuard(Generic[S]):
    """Recognises a replaced session for a moment, and repeats the mutation that replaced it."""

    def __init__(self) -> None:
        self._replaced: _Replaced[S] | None = None
        self._failure: NextAuthError | None = None

    def expect(
        self,
        replaced: S | Unset | None,
        repeat: Callable[[], Awaitable[object]],
        failure: NextAuthError | None = None,
        *,
        took: float,
        timeout: float,
        at: float | None = None,
    ) -> None:
        """For a moment, take `replaced` for an old answer if another client brings it back.

        Args:
            replaced: The session before a mutation: None if there was none, UNSET if it is not known which.
            repeat: Repeats the mutation.
            failure: Of a sign-out: says that repeating it does not help.
            took: Seconds of a request.
            timeout: Seconds that a request of any tab may take.
            at: When the mutation ended, by the event loop's time; now by default.
        """
        if replaced is not None and not self.is_repeating:
            known = None if isinstance(replaced, Unset) else replaced
            self._replaced = _Replaced(known, repeat, failure, timeout)
        if self._replaced:
            self._replaced.until = (_now() if at is None else at) + _WATCH + 2 * took
            self._replaced.latest = _now() + timeout

    def suspect(self, at: Stamp) -> bool:
        """Note that an old cookie may have been set. Return whether to ask for the session."""
        if self._replaced and _now() <= self._replaced.latest:
            self._replaced.suspected = at
        return self.is_watching

    def accept(self) -> None:
        """Stop watching, unless something is suspected: somebody is signed in, and not by an old cookie."""
        if not self.is_watching:
            self._replaced = None

    def end(self) -> None:
        """Stop watching: somebody has signed in, or the page is left. Call a repetition off."""
        self._replaced = None

    @property
    def replaced(self) -> S | Unset:
        """The session that is watched for; UNSET for any."""
        return self._replaced.session if self._replaced and self._replaced.session is not None else UNSET

    @property
    def is_watching(self) -> bool:
        """Whether a replaced session would be recognised."""
        return self._replaced is not None and (self.is_suspicious or _now() <= self._replaced.until)

    @property
    def is_repeating(self) -> bool:
        """Whether the mutation under way is a repetition."""
        return self._replaced is not None and self._replaced.is_repeating

    @property
    def is_suspicious(self) -> bool:
        """Whether there is a reason to ask that has not been checked."""
        replaced = self._replaced
        return replaced is not None and replaced.suspected > NEVER and _now() <= replaced.latest

    def is_revived(self, answer: S | NextAuthError | None) -> bool:
        """Whether an answer is the replaced session."""
        if not self.is_watching or not self._replaced or answer is None or isinstance(answer, NextAuthError):
            return False
        replaced = self._replaced
        if replaced.session is None or is_same_session(answer, replaced.session):
            return True
        return replaced.failure is not None and is_same_user(answer, replaced.session)

    def begin_check(self, at: Stamp) -> None:
        """Hold back the replaced session if a read that begins now finds it, however long that takes."""
        if self._replaced:
            self._replaced.suspected = at
            self._replaced.latest = max(self._replaced.latest, _now() + self._replaced.timeout)

    def holds_back(self, answer: S | NextAuthError | None, started: Stamp) -> bool:
        """Whether an answer must not be shown: it is the replaced session.

        After a sign-out that goes for each read, else for those that check.
        """
        replaced = self._replaced
        if not replaced or not self.is_watching:
            return False
        if replaced.failure is None and not NEVER < replaced.suspected < started:
            return False
        replaced.has_returned = self.is_revived(answer)
        if not replaced.has_returned and not isinstance(answer, NextAuthError):
            replaced.suspected = NEVER
        if replaced.has_returned and not replaced.left:
            self._replaced, self._failure = None, replaced.failure
            return False
        return replaced.has_returned

    @property
    def has_returned(self) -> bool:
        """Whether a check has found what a mutation replaced, and the mutation is to be repeated."""
        return self._replaced is not None and self._replaced.has_returned

    def take_failure(self) -> NextAuthError | None:
        """Return the error if what was replaced is shown again, because repeating did not help. Once."""
        failure, self._failure = self._failure, None
        return failure

    async def repeat_if_returned(self) -> None:
        """Repeat the mutation if the check has found what it replaced.

        Raises:
            NextAuthError: The mutation failed.
        """
        replaced = self._replaced
        if not replaced or not replaced.has_returned:
            return
        replaced.has_returned = False
        replaced.left -= 1
        replaced.is_repeating = True
        try:
            await replaced.repeat()
        finally:
            replaced.is_repeating = False


def _now() -> float:
    return asyncio.get_running_loop().time()

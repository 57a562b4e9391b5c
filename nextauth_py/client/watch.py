"""The watch after a sign-out: look whether the session comes back, also for a page that has been left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Generic

from ..core.options import UNSET, Unset
from ..errors import SignOutIncomplete
from ..state import S
from ..tabs.messages import parse_stored
from .driver import monotonic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..core.store import SessionStore
    from ..core.urls import AuthUrl
    from ..host.base import Host
    from .driver import Driver
    from .reader import SessionReader

# The next page goes on watching if it begins to load within so many seconds, and its Python starts within so
# many. Later, somebody may have signed in on the way.
_BEGINS_WITHIN, _STARTS_WITHIN = 2.0, 8.0

# A session that a sign-out has replaced, and when that was, by the event loop's time.
Unfinished = tuple[S | Unset, float]


class SignOutWatch(Generic[S]):
    """Looks whether a session that a sign-out has replaced comes back; `reader.revival` says what is done.

    Args:
        host: The page or worker this runs in.
        auth: The auth server's address.
        store: The session.
        reader: Reads the session.
        driver: Of the looks.
        sign_out_again: Repeats the sign-out.
    """

    def __init__(
        self,
        host: Host,
        auth: AuthUrl,
        store: SessionStore[S],
        *,
        reader: SessionReader[S],
        driver: Driver,
        sign_out_again: Callable[[], Awaitable[object]],
    ) -> None:
        self._host = host
        self._auth = auth
        self._store = store
        self._reader = reader
        self._driver = driver
        self._sign_out_again = sign_out_again
        self._began = 0.0

    def begin(self, replaced: S | Unset | None, took: float) -> None:
        """Watch after a sign-out of this tab, or of a repetition.

        Args:
            replaced: The session before: None if there was none, UNSET if it is not known which.
            took: Seconds of the slowest request.
        """
        is_first = not self._reader.revival.is_repeating
        self.expect(replaced)
        self._began = monotonic()
        if self._reader.revival.is_watching:
            self._driver.look_again(took, is_first=is_first)

    def expect(self, replaced: S | Unset | None, at: float | None = None) -> None:
        """Sign out again if, for a moment, the replaced session is found to be back. Plan no look for it.

        Args:
            replaced: As for `begin`.
            at: When the sign-out was, by the event loop's time; now by default.
        """
        failure = SignOutIncomplete(self._auth.endpoint("signout"))
        self._reader.expect_revival_of(replaced, self._sign_out_again, failure, at)

    # --- for the provider that replaces this one ---

    @property
    def unfinished(self) -> Unfinished[S] | None:
        """What another provider is to go on with, if another look is planned."""
        if self._driver.poller.will_look and self._reader.revival.is_watching:
            return self._reader.revival.replaced, self._began
        return None

    def resume(self, unfinished: Unfinished[S]) -> None:
        """Go on for a provider that this one replaces."""
        replaced, self._began = unfinished
        self.expect(replaced, self._began)
        self._driver.look_again(self._began - monotonic(), is_first=False)

    # --- for the next page ---

    def hand_over(self, target: str) -> None:
        """Have the page at `target` go on, which this page is left for."""
        if self._reader.revival.is_watching:
            self._host.keep(self._key, json.dumps([self._host.now(), target.partition("#")[0]]))

    def take_over(self) -> bool:
        """Go on for the page before, if that was left for this one by a sign-out. Return whether it was."""
        now = self._host.now()
        match parse_stored(self._host.take_kept(self._key)):
            case [float(at), str(place)] if place == self._host.location().partition("#")[0]:
                has_begun = 0 <= self._host.page_started() - at < _BEGINS_WITHIN
                if has_begun and now - at < _STARTS_WITHIN:
                    self._store.begin_read()
                    self._began = monotonic() - (now - at)
                    self.expect(UNSET, self._began)
                    self._reader.revival.suspect(self._store.read_begun_at(at))
                    self._driver.look_again(at - now, is_first=False, is_shared=True)
                    return True
        return False

    @property
    def _key(self) -> str:
        return f"nextauth_py.signed_out {self._auth.endpoint()}"

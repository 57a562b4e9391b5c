"""Apply the messages of other tabs, and lifecycle events of this one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Generic

from ..core.store import NEVER, SessionStore, describe, is_same_session
from ..errors import ClientFetchError, SessionValidationError
from ..state import S
from ..tabs.messages import MOST_TABS, Pace
from .driver import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.store import Stamp
    from ..host.base import Host, Lifecycle, Undo
    from ..state import Reason
    from ..tabs.messages import Failure, Message
    from .driver import Driver
    from .mutations import AuthClient
    from .trace import Trace


# Seconds after its answer in which a JavaScript client announces it.
_ANNOUNCES = 0.1


class Inbox(Generic[S]):
    """Apply the messages of other tabs to the store, the schedule, the fence, and the reads under way.

    Args:
        host: The page or worker this runs in.
        store: The session.
        driver: Of the schedule, the channel and the fence.
        client: Makes this tab's requests.
        trace: Logs decisions.
        ask: Called to ask for the session in the background.
    """

    def __init__(
        self,
        host: Host,
        store: SessionStore[S],
        driver: Driver,
        client: AuthClient[S],
        *,
        trace: Trace,
        ask: Callable[[Reason], None],
    ) -> None:
        self._host = host
        self._store = store
        self._driver = driver
        self._channel = driver.channel
        self._poller = driver.poller
        self._client = client
        self._reader = client.reader
        self._trace = trace
        self._ask = ask
        self._on_close = ExitStack()
        self._cancel_check: Undo = _nothing
        scope = driver.channel.scope
        self._server = "" if scope.startswith("/") else "/".join(scope.split("/")[:3])
        self._answers = 0  # of session requests, since the last look into localStorage
        self._changes = Pace(host.now, MOST_TABS)  # that others tell of; each voids the reads under way
        self._signed_out: S | None = None  # by another tab, which is still making sure of it
        self._signed_out_by = ""  # the tab

    def open(self) -> None:
        """Start receiving."""
        self._channel.open(self._heard, self._heard_javascript)
        self._on_close.callback(self._host.on_lifecycle(self._on_lifecycle))
        self._on_close.callback(self._host.on_answered(self._on_answered))

    def close(self) -> None:
        """Stop receiving what the browser says."""
        self._on_close.close()
        self._cancel_check()

    def _heard(self, message: Message, is_new: bool) -> None:
        is_change = message.epoch > self._store.epoch
        epoch = message.epoch if not is_change or self._changes.take() else NEVER
        self._store.witness(epoch, message.time)
        order = self._driver.fence.hear(message, self._channel.peers[message.tab])
        if order == "abort":
            self._reader.interrupt("another tab changes the session")
            self._channel.post("ack", time=message.time)
        elif order == "repeat":
            self._driver.post_fence()
        elif message.mutated or message.kind == "done":
            self._reader.interrupt("another tab has changed the session")
        self._poller.hear(message)
        if order == "suspect":
            self._suspect()
        elif message.kind == "state" and self._reader.revival.is_suspicious:
            self._poller.nudge()  # which that has put off
        if message.kind == "state":
            self._show(message)
        elif message.failure:
            self._show_failure(message.failure, message.time)
        elif message.kind == "changed":
            self._signed_out = None
            self._nudged()
        elif message.kind == "bye" and message.tab == self._signed_out_by:
            self._poller.look_for_another()
        # A tab that is met now may know of a change that was made while this page was loading.
        if is_new and message.kind != "hello" and self._store.is_outdated:
            self._poller.nudge()
        self._driver.reschedule()
        self._driver.wake()

    def _heard_javascript(self) -> None:
        self._nudged()
        self._driver.reschedule()

    def _show(self, message: Message) -> None:
        before, reader = self._store.state.data, self._reader
        if message.mutated == "sign_in":
            reader.revival.end()
        answer: Any = None
        try:
            answer = reader.validated(message.session) if message.session else None
        except SessionValidationError as error:
            answer = error
        why = self._store.rejection_reason(message.time)
        if not message.mutated and reader.revival.is_revived(answer):
            why = "it has been replaced"
        if why:
            self._trace("discards what another tab says: %s", why)
        else:
            self._trace("shows what another tab says: %s", describe(answer))
        kind = message.mutated
        if not why:
            self._store.apply(
                answer,
                started=message.time,
                reason="broadcast",
                source="tab",
                is_sign_in=kind == "sign_in",
            )
            if kind == "sign_out":
                self._signed_out_by = message.tab
                self._watch_for(before)
            elif kind:
                self._signed_out = None
                reader.revival.end()
            elif answer:
                reader.revival.accept()
        elif self._store.is_mutating:
            self._poller.missed_news()
        elif (kind or self._store.is_far_ahead_of(message.time)) and not is_same_session(answer, before):
            self._nudged()  # it goes by another clock
        elif message.session:
            self._suspect()

    def _show_failure(self, failure: Failure, time: Stamp) -> None:
        endpoint = f"{self._channel.scope}/session"
        error = ClientFetchError(endpoint, failure.status, failure.reason, failure.retry_after)
        if self._store.apply(error, started=time, reason="broadcast", source="tab"):
            self._trace("shows a failure of another tab: %s", error)

    def _watch_for(self, replaced: S | None) -> None:
        """Watch for a revival after another tab's sign-out, once that is verified: the tab may be gone."""
        if replaced and self._driver.fence.is_up:
            self._signed_out = replaced
        else:
            before, self._signed_out = replaced or self._signed_out, None
            self._reader.revival.end()
            self._client.watch.expect(before)

    def _suspect(self) -> None:
        """A session GET passed our fence: its answer may have set the old cookie again."""
        if self._store.is_mutating:
            self._poller.missed_news()
        if self._reader.suspect():
            self._poller.nudge()

    def _nudged(self) -> None:
        """The session may have changed elsewhere: a GET in flight may set an old cookie."""
        if self._store.is_mutating:
            self._poller.missed_news()
        self._reader.interrupt("the session has changed elsewhere")
        self._poller.nudge()

    def _on_answered(self, path: str, began: float, ended: float) -> None:
        """Notice what other clients in this page do, and answers that may have set an old cookie."""
        route = path.removeprefix(f"{self._channel.scope}/")
        is_ours = self._client.calls or monotonic() - (self._host.now() - began) < self._client.ended_at
        is_late = path.startswith(f"{self._server}/") and began < self._store.epoch[0] / 1e6 < ended
        if is_late and not self._poller.will_look:
            self._suspect()
            self._driver.reschedule()
        if route == "session":  # an update, if it announces something
            self._answers += 1
            self._check_soon()
        elif not is_ours and (route == "signout" or route.startswith("callback/")):
            if route != "signout":
                self._reader.revival.end()
            self._nudged()
            self._driver.reschedule()

    def _check_soon(self) -> None:
        if self._cancel_check is _nothing and self._answers:
            self._answers = 0
            self._cancel_check = self._host.call_later(_ANNOUNCES, self._check_stored)

    def _check_stored(self) -> None:
        self._cancel_check = _nothing
        self._channel.check_stored()
        self._check_soon()

    def _on_lifecycle(self, change: Lifecycle) -> None:
        """Hold nothing that keeps the page out of the back/forward cache; ask again on return."""
        if change == "left":
            self._reader.revival.end()  # the next page goes on
            self._poller.stop_looking()
            self._reader.pause()
            self._driver.pause()
            self._channel.close()
            self._store.mark_stale()  # at once, so that nothing private is seen on the way back
        elif change == "restored":
            self._channel.open(self._heard, self._heard_javascript)
            self._reader.resume()
            self._driver.resume()
            self._ask("restored")
        elif change == "frozen":
            self._driver.pause()
        else:
            self._driver.resume()


def _nothing() -> None:
    """There is no timer to cancel."""

"""Keeps this tab in step with the others: posts what it learns, and applies what they post."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from ..core.options import Unset
from ..core.store import NEVER, SessionStore, Stamp, describe, is_same_session
from ..errors import ClientFetchError, NextAuthError, SessionValidationError
from ..state import S
from ..tabs.channel import TabChannel
from ..tabs.fence import Fence
from ..tabs.messages import MOST_TABS, Failure, Pace
from .poller import Poller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.schedule import Schedule
    from ..core.server_clock import ServerClock
    from ..core.store import Mutation
    from ..host.base import Host, Lifecycle, Undo
    from ..state import Reason
    from ..tabs.messages import Message
    from .mutations import AuthClient
    from .trace import Trace


class TabSync(Generic[S]):
    """Synchronize a provider and its client with the other tabs.

    Args:
        host: The page or worker this runs in.
        scope: The auth server's address.
        tab: This tab's name.
        store: The session.
        schedule: When to poll.
        timeout: Seconds before a request counts as failed.
        clock: The server's clock.
        trace: Logs decisions.
        ask: Called to refetch in the background.
        shown: Called when another tab's answer is shown here.

    Attributes:
        client: Makes this tab's requests. Set once, before `open`.
    """

    client: AuthClient[S]

    def __init__(
        self,
        host: Host,
        scope: str,
        tab: str,
        store: SessionStore[S],
        *,
        schedule: Schedule,
        timeout: float,
        clock: ServerClock,
        trace: Trace,
        ask: Callable[[Reason], None],
        shown: Callable[[], None],
    ) -> None:
        self._host = host
        self._scope = scope
        self._store = store
        self._trace = trace
        self._ask = ask
        self._shown = shown
        self._channel = TabChannel(
            host, scope, tab, store, heard=self._heard, nudged=self._nudged, timeout=timeout
        )
        self.fence = Fence(host, self._channel)
        self.announce = self._channel.announce
        self._poller = Poller(
            host,
            schedule,
            self._channel,
            state=lambda: store.state,
            ask=ask,
            timeout=timeout,
            clock=clock,
            trace=trace,
        )
        self.reschedule = self._poller.reschedule
        self.assumed = self._poller.assumed
        self.was_announced_since = self._channel.was_announced_since
        self._stop_lifecycle: Undo | None = None
        self._has_missed_news = False
        self._changes = Pace(host.now, MOST_TABS)  # that others tell of; each voids the reads under way
        self._signed_out: S | None = None  # by another tab, which is still making sure of it

    def open(self) -> None:
        """Start receiving from the other tabs, and polling."""
        self._channel.open()
        self._poller.open()
        self._stop_lifecycle = self._host.on_lifecycle(self._on_lifecycle)

    def close(self) -> None:
        """Stop both, and post that this tab is gone."""
        self._poller.close()
        if self._store.is_mutating:
            # Perhaps: its request is aborted.
            self._channel.post("changed")
            self._channel.announce("getSession")
        self._channel.close()
        self.fence.close()
        if self._stop_lifecycle is not None:
            self._stop_lifecycle()
            self._stop_lifecycle = None

    # --- what this tab posts ---

    @property
    def has_peers(self) -> bool:
        """Whether any other Python tab is known."""
        return bool(self._channel.peers)

    def outdated(self) -> None:
        """A session GET that began before a mutation was answered after it: it may have set an old cookie."""
        self._channel.post("ack", time=self._store.epoch)  # the tab of the mutation notices that it is late
        self._suspect()

    def asking(self, asked_at: float | None = None) -> None:
        """A session GET begins, or a prefetched one that began at `asked_at` is used."""
        self._poller.asking(asked_at)

    def confirmed(self, session: Mapping[str, Any] | None, at: Stamp) -> None:
        """A session GET that began at `at` was answered."""
        self._note_answer()
        if self._channel.is_open:
            self._channel.post("state", time=at, session=session)

    def failed(self, error: NextAuthError, at: Stamp | None) -> None:
        """A session GET that began at `at` failed, or a request of a mutation did."""
        retry_after = error.retry_after if isinstance(error, ClientFetchError) else None
        self._poller.failed(retry_after)
        # A session that does not fit this tab's session type may fit another tab's.
        if at is not None and isinstance(error, ClientFetchError) and self._channel.is_open:
            failure = Failure(error.status, error.reason, retry_after)
            self._channel.post("failed", time=at, failure=failure)

    def signing_out(self, mutation: Mutation) -> None:
        """Post the sign-out before it is verified. The fence stays up until it is."""
        if not mutation.is_told:
            mutation.is_told = True
            self._channel.post("state", time=mutation.started, session=None, mutated=mutation.kind)

    def mutated(self, mutation: Mutation, at: Stamp, took: float) -> None:
        """A mutation has ended at `at`; its slowest request took `took` seconds.

        The posted outcome lowers its fence.
        """
        if not isinstance(mutation.session, Unset):
            self._note_answer()
            self._channel.post("state", time=at, session=mutation.session, mutated=mutation.kind)
        else:
            is_as_before = mutation.is_refused and not mutation.is_told
            self._channel.post("done" if is_as_before else "changed")
            if self._has_missed_news:
                self._nudged()
        has_missed_news, self._has_missed_news = self._has_missed_news, False
        if mutation.is_done:
            self._channel.announce("signout" if mutation.kind == "sign_out" else "getSession")
            self._poller.mutated(took, is_doubtful=has_missed_news)

    def _note_answer(self) -> None:
        if self._store.state.error is None:  # a session that does not fit is no answer
            self._poller.confirmed()

    # --- what other tabs post ---

    def _heard(self, message: Message, is_new: bool) -> None:
        is_change = message.epoch > self._store.epoch
        epoch = message.epoch if not is_change or self._changes.take() else NEVER
        self._store.witness(epoch, message.time)
        is_late = self.fence.is_late_ack(message)
        if self.fence.hear(message):
            self.client.reader.interrupt("another tab changes the session")
            self._channel.post("ack", time=message.time)
        elif message.mutated or message.kind == "done":
            self.client.reader.interrupt("another tab has changed the session")
        self._poller.hear(message)
        if is_late:
            self._suspect()
        elif message.kind == "state" and self.client.reader.revival.is_suspicious:
            self._poller.nudge()  # which that has put off
        if message.kind == "state":
            self._show(message)
        elif message.failure:
            self._show_failure(message.failure, message.time)
        elif message.kind == "changed":
            self._signed_out = None
            self._nudged()
        # A tab that is met now may know of a change that was made while this page was loading.
        if is_new and message.kind != "hello" and self._store.is_outdated:
            self._poller.nudge()

    def _show(self, message: Message) -> None:
        before, reader = self._store.state.data, self.client.reader
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
            self._store.apply(answer, started=message.time, reason="broadcast", is_sign_in=kind == "sign_in")
            self._note_answer()
            if kind == "sign_out":
                self._watch_for(before)
            elif kind:
                self._signed_out = None
                reader.revival.end()
            elif answer:
                reader.revival.accept()
            self._shown()
        elif self._store.is_mutating:
            self._has_missed_news = True
        elif (kind or self._store.is_far_ahead_of(message.time)) and not is_same_session(answer, before):
            self._nudged()  # it goes by another clock
        elif message.session:
            self._suspect()

    def _show_failure(self, failure: Failure, time: Stamp) -> None:
        endpoint = f"{self._scope}/session"
        error = ClientFetchError(endpoint, failure.status, failure.reason, failure.retry_after)
        if self._store.apply(error, started=time, reason="broadcast"):
            self._trace("shows a failure of another tab: %s", error)
            self._poller.others_failed(failure.retry_after)
            self._shown()

    def _watch_for(self, replaced: S | None) -> None:
        """Watch for a revival after another tab's sign-out, once that is verified: the tab may be gone."""
        if replaced and self.fence.is_up:
            self._signed_out = replaced
        else:
            before, self._signed_out = replaced or self._signed_out, None
            self.client.reader.expect_revival_of(before, self.client.sign_out_again)

    def _suspect(self) -> None:
        """A session GET passed our fence: its answer may have set the old cookie again."""
        self._has_missed_news |= self._store.is_mutating
        if self.client.reader.revival.suspect(self._store.begin_read()):
            self._poller.nudge()

    def _nudged(self) -> None:
        """The session may have changed elsewhere: a GET in flight may set an old cookie."""
        self._has_missed_news |= self._store.is_mutating
        self.client.reader.interrupt("the session has changed elsewhere")
        self._poller.nudge()

    def _on_lifecycle(self, change: Lifecycle) -> None:
        """Hold nothing that keeps the page out of the back/forward cache; refetch on return."""
        if change == "left":
            self.client.reader.pause()
            self._poller.pause()
            self._channel.close()
            self._store.mark_stale()  # at once, so that nothing private is seen on the way back
        elif change == "restored":
            self._channel.open()
            self.client.reader.resume()
            self._poller.resume()
            self._ask("restored")
        elif change == "frozen":
            self._poller.pause()
        else:
            self._poller.resume()

"""Post this tab's reads and mutations to its schedule and to the other tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from ..core.options import Unset
from ..errors import ClientFetchError, NextAuthError
from ..state import S
from ..tabs.messages import Failure

if TYPE_CHECKING:
    from ..core.store import Change, Mutation, SessionStore, Stamp
    from ..tabs.messages import Kind, Trigger
    from .driver import Driver


class Outbox(Generic[S]):
    """Pass on requests, answers and mutations of this tab.

    Args:
        store: The session.
        driver: Of the schedule and the channel.
    """

    def __init__(self, store: SessionStore[S], driver: Driver) -> None:
        self._store = store
        self._driver = driver
        self._channel = driver.channel
        self._poller = driver.poller

    @property
    def has_peers(self) -> bool:
        """Whether any other Python tab is known."""
        return bool(self._channel.peers)

    def asking(self, asked_at: float | None = None) -> None:
        """A session GET begins, or a prefetched one that began at `asked_at` is used."""
        self._poller.asking(asked_at)
        if asked_at is None and self._channel.is_open:
            self._channel.post("asking")
        self._driver.reschedule()

    def outdated(self, *, is_suspicious: bool) -> None:
        """A session GET that began before a mutation was answered after it: it may have set an old cookie.

        Args:
            is_suspicious: Whether a mutation of this tab may have been undone by it.
        """
        self._channel.post("ack", time=self._store.epoch)  # the tab of the mutation notices that it is late
        if self._store.is_mutating:
            self._poller.missed_news()
        if is_suspicious:
            self._poller.nudge()
        self._driver.reschedule()

    def applied(self, change: Change[S]) -> None:
        """The store has applied an answer."""
        error = change.answer if isinstance(change.answer, NextAuthError) else None
        match change.source:
            case "read":
                self._post_read(change)
                if error:
                    self._poller.failed(_retry_after(error))
            case "tab" if isinstance(error, ClientFetchError):
                self._poller.others_failed(error.retry_after)
            case "tab":
                self._poller.confirmed()
            case "mutation" if isinstance(error, ClientFetchError):
                self._poller.failed(error.retry_after)
        self._driver.reschedule()

    def _post_read(self, change: Change[S]) -> None:
        if not isinstance(change.raw, Unset):
            self._poller.confirmed()
            self._post("state", time=change.started, session=change.raw)
        # A session that does not fit this tab's session type may fit another tab's.
        elif isinstance(error := change.answer, ClientFetchError):
            failure = Failure(error.status, error.reason, error.retry_after)
            self._post("failed", time=change.started, failure=failure)

    def _post(self, kind: Kind, **fields: Any) -> None:
        if self._channel.is_open:
            self._channel.post(kind, **fields)

    def left(self, error: ClientFetchError) -> None:
        """A request has failed because the page is being left. If it stays, it is to be asked again."""
        self._poller.failed(error.retry_after)
        self._driver.reschedule()

    def assumed(self, made: float) -> None:
        """A session, or none, is shown without a request. It was valid at `made`, in seconds."""
        self._poller.assumed(made)
        self._driver.reschedule()

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
            self._poller.confirmed()
            self._channel.post("state", time=at, session=mutation.session, mutated=mutation.kind)
        else:
            is_as_before = mutation.is_refused and not mutation.is_told
            self._channel.post("done" if is_as_before else "changed")
        if mutation.is_done:
            self.announce("signout" if mutation.kind == "sign_out" else "getSession")
            self._poller.mutated(took)
        else:
            self._poller.mutation_failed()
        self._driver.reschedule()

    def announce(self, trigger: Trigger) -> None:
        """Post to the tabs of JavaScript clients."""
        self._channel.announce(trigger)

    def close(self) -> None:
        """Post that this tab is gone, and that it may have changed something."""
        if self._store.is_mutating:
            # Perhaps: its request is aborted.
            self._channel.post("changed")
            self._channel.announce("getSession")
        self._channel.close()


def _retry_after(error: NextAuthError) -> float | None:
    return error.retry_after if isinstance(error, ClientFetchError) else None

"""The observer of a client's reads and mutations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.store import Mutation, Stamp
    from ..errors import NextAuthError


class Observer(Protocol):
    """Is notified of the client's reads and mutations, for its own tab and the others."""

    def asking(self, asked_at: float | None = None) -> None:
        """A session GET begins, or a prefetched one that began at `asked_at` is used."""

    def confirmed(self, session: Mapping[str, Any] | None, at: Stamp) -> None:
        """A session GET that began at `at` was answered."""

    def failed(self, error: NextAuthError, at: Stamp | None) -> None:
        """A session GET that began at `at` failed, or a request of a mutation did."""

    def signing_out(self, mutation: Mutation) -> None:
        """The server has accepted a sign-out, which is yet to be verified."""

    def mutated(self, mutation: Mutation, at: Stamp, took: float) -> None:
        """A mutation has ended at `at`; its slowest request took `took` seconds."""

    def outdated(self) -> None:
        """A session GET that began before a mutation was answered after it: it may have set an old cookie."""

    @property
    def has_peers(self) -> bool:
        """Whether any other Python tab is known."""

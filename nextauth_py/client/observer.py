"""What the client tells of its reads and mutations, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.store import Mutation, Stamp
    from ..errors import NextAuthError


class Observer(Protocol):
    """What the client tells the rest of its tab, and the other tabs."""

    def asking(self, asked_at: float | None = None) -> None:
        """A read begins, or takes what was asked for ahead, at that time."""

    def confirmed(self, session: Mapping[str, Any] | None, at: Stamp) -> None:
        """The server has said, to a read that began at that time, who is signed in."""

    def failed(self, error: NextAuthError, at: Stamp | None) -> None:
        """The server could not be asked: by a read that began at that time, or in a mutation."""

    def signing_out(self, mutation: Mutation) -> None:
        """The server has signed out, and is yet to be asked whether it is true."""

    def mutated(self, mutation: Mutation, at: Stamp, took: float) -> None:
        """A mutation is over, at that time, by requests of so many seconds."""

    def outdated(self) -> None:
        """A read that began before the session was changed was answered: it may have set an old cookie."""

    @property
    def has_peers(self) -> bool:
        """Whether any other Python tab is known."""

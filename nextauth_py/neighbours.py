"""What the client tells of its reads and mutations, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .options import UNSET, Unset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .errors import NextAuthError
    from .state import Reason, Stamp


class Neighbours(Protocol):
    """What the client tells the rest of its tab, and the other tabs."""

    def asking(self, asked_at: float | None = None) -> None:
        """A read begins, or takes what was asked for ahead, at that time."""

    def confirmed(self, session: Mapping[str, Any] | None, at: Stamp) -> None:
        """The server has said, to a read that began at that time, who is signed in."""

    def failed(self, error: NextAuthError, at: Stamp | None) -> None:
        """The server could not be asked: by a read that began at that time, or in a mutation."""

    def signing_out(self, mutation: Mutation) -> None:
        """The server has signed out, and is yet to be asked whether it is true."""

    def mutated(self, mutation: Mutation, at: Stamp) -> None:
        """A mutation is over, at that time."""

    @property
    def are_there(self) -> bool:
        """Whether any other Python tab is known."""


@dataclass
class Mutation:
    """A sign-in, update or sign-out, and what is known of its outcome.

    Attributes:
        kind: Which of them.
        started: When it began.
        session: What the server then says, if it was asked.
        is_refused: Whether the server has refused it, so that nothing has changed.
        is_done: Whether it has succeeded.
        is_told: Whether other tabs have been told of the outcome before it was sure.
    """

    kind: Reason
    started: Stamp
    session: Mapping[str, Any] | Unset | None = field(default=UNSET, repr=False)
    is_refused: bool = False
    is_done: bool = False
    is_told: bool = False

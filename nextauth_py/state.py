"""What is known about a session at one moment, and what has happened to it: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from .errors import NextAuthError
    from .models import Session

    S = TypeVar("S", bound=Session, default=Session)
else:
    from typing import TypeVar

    S = TypeVar("S")

Status = Literal["loading", "authenticated", "unauthenticated"]
EventName = Literal["signed_in", "signed_out", "updated", "expired", "error"]
# Why a state changed: what this tab did, or what made it ask.
Reason = Literal[
    "load",
    "assigned",
    "sign_in",
    "sign_out",
    "update",
    "refetch",
    "poll",
    "focus",
    "online",
    "retry",
    "expiry",
    "renewal",
    "restored",
    "broadcast",
]


@dataclass(frozen=True)
class SessionState(Generic[S]):
    """What is known about the session, at one moment.

    Attributes:
        status: ``"loading"`` until the first answer, then ``"authenticated"`` or ``"unauthenticated"``.
        data: The session; None unless authenticated.
        error: The last failure, until a request succeeds.
        stale: Whether this state could not be confirmed: the last attempt failed, or the page comes out of
            the back/forward cache.
        refreshing: Whether a request is under way. It changes without notice to listeners.
    """

    status: Status = "loading"
    data: S | None = field(default=None, repr=False)  # what is printed may end up in a log
    error: NextAuthError | None = None
    stale: bool = False
    refreshing: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class SessionEvent(Generic[S]):
    """Something that happened to the session.

    Attributes:
        name: ``"signed_in"``, ``"signed_out"``, ``"updated"``, ``"expired"`` or ``"error"``.
        reason: What brought it: ``"sign_out"``, ``"poll"``, ``"broadcast"`` (another tab), …
        local: Whether this tab did it, rather than another tab or the server.
        state: The state after it. Where another user takes the place of one, that of "signed_out" has no
            session.
    """

    name: EventName
    reason: Reason
    local: bool
    state: SessionState[S]

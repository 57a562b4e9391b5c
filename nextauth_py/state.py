"""The state of a session, and the events that change it: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from typing_extensions import TypeVar

    from .errors import NextAuthError
    from .models import Session

    S = TypeVar("S", bound=Session, default=Session)
    S_co = TypeVar("S_co", bound=Session, covariant=True)

    class Update(Protocol[S_co]):
        """The type of `SessionProvider.update`."""

        async def __call__(self, data: Mapping[str, Any] | None = None) -> S_co | None:
            """Update the session. `data`, as JSON, is what the server's jwt callback gets."""
else:
    from typing import TypeVar

    S = TypeVar("S")

Status = Literal["loading", "authenticated", "unauthenticated"]
EventName = Literal["signed_in", "signed_out", "updated", "expired", "error"]
# Why a state changed: an action of this tab, or the trigger of a refetch.
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
    """An immutable snapshot of the session.

    Attributes:
        status: ``"loading"`` until the first answer, then ``"authenticated"`` or ``"unauthenticated"``.
        data: The session; None unless authenticated.
        error: The last failure, until a request succeeds.
        stale: Whether the shown session is unconfirmed: the last request failed, or the page was restored
            from the back/forward cache.
        refreshing: Whether a request is in flight. Listeners are not notified when it changes.
    """

    status: Status = "loading"
    data: S | None = field(default=None, repr=False)  # what is printed may end up in a log
    error: NextAuthError | None = None
    stale: bool = False
    refreshing: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class SessionEvent(Generic[S]):
    """A change of the session.

    Attributes:
        name: ``"signed_in"``, ``"signed_out"``, ``"updated"``, ``"expired"`` or ``"error"``.
        reason: Its cause: ``"sign_out"``, ``"poll"``, ``"broadcast"`` (another tab), …
        local: Whether this tab caused it, rather than another tab or the server.
        state: The state after the event. If one user replaces another, that of "signed_out" has no session.
    """

    name: EventName
    reason: Reason
    local: bool
    state: SessionState[S]

"""Access rules for components and protected routes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .models import Session


@dataclass(frozen=True)
class Auth:
    """Access rule for `component(auth=…)`; ``auth=True`` requires only a session.

    This keeps a page tidy. It keeps nothing secret: that is for the server, which must check every request
    for data itself.

    Args:
        role: A role that the session must name, or several of which one is enough. Roles are read from
            ``role`` and ``roles`` of the user and of the session, where your server's session callback puts
            them.
        allow: Called with the session; says whether to show the component. With a role too, both must hold.
        loading: Content until a session is confirmed, or a function that returns it.
        unauthorized: Where the page goes if the session is not enough: a path or an http(s) URL. By default
            the server's page that says that access is denied.

    Example:
        ```python
        @component("#admin", auth=Auth(role="admin", loading="…", unauthorized="/login-with-different-user"))
        def admin():
            return t"<h1>Secrets</h1>"
        ```
    """

    role: str | Collection[str] | None = None
    allow: Callable[[Any], bool] | None = None
    loading: object = None
    unauthorized: str | None = None

    def __post_init__(self) -> None:
        if self.allow is not None and (not callable(self.allow) or iscoroutinefunction(self.allow)):
            raise TypeError(f"allow takes a function of the session, no async one, not {self.allow!r}")
        if self.unauthorized is not None and not isinstance(self.unauthorized, str):
            raise TypeError(f"unauthorized takes a path or a URL, not {self.unauthorized!r}")
        if not isinstance(self.role, (str, Collection, type(None))):
            raise TypeError(f"role takes a text or several, not {self.role!r}")

    def admits(self, session: Session) -> bool:
        """Whether a session is enough."""
        if self.role is not None:
            wanted = {self.role} if isinstance(self.role, str) else set(self.role)
            if not wanted & _roles(session):
                return False
        return self.allow is None or bool(self.allow(session))


def checked_auth(auth: object) -> Auth | None:
    """The option of `component`.

    Raises:
        TypeError: It is neither a bool nor an Auth.
    """
    if isinstance(auth, Auth):
        return auth
    if isinstance(auth, bool):
        return Auth() if auth else None
    raise TypeError(f"auth takes True, False or Auth(…), not {auth!r}")


def _roles(session: Session) -> set[str]:
    from .core.paths import read_field  # noqa: PLC0415 - not every page needs it

    found: set[str] = set()
    for place in (session.user, session):
        for name in ("role", "roles"):
            value = read_field(place, name)
            values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
            texts = (each.value if isinstance(each, Enum) else each for each in values)
            found.update(each for each in texts if isinstance(each, str))
    return found

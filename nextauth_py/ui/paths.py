"""Paths into a session, and conditions, as bindings and attributes of a page spell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..state import SessionState

STATUSES = ("loading", "authenticated", "unauthenticated", "error")

_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


def checked_path(path: str) -> str:
    """A dotted path into the session, as ``user.name``.

    Raises:
        ValueError: It is none. Names with an underscore in front are none of a session's.
    """
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path into a session. Write it like 'user.name'.")
    return path


def read_path(session: object, path: str) -> object:
    """What a path leads to; None where there is nothing."""
    found: object = session
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)
        if found is None or callable(found):
            return None
    return found


def checked_condition(text: str) -> Callable[[SessionState[Any]], bool]:
    """A condition of an attribute: statuses, or a path whose value must be true; one of several is enough.

    Raises:
        ValueError: It is neither.
    """
    words = text.split()
    if not words:
        raise ValueError(f"a condition is one of {', '.join(STATUSES)}, or a path like 'user.vip'")
    paths = [checked_path(word) for word in words if word not in STATUSES]
    statuses = {word for word in words if word in STATUSES}

    def holds(state: SessionState[Any]) -> bool:
        return (
            state.status in statuses
            or ("error" in statuses and state.error is not None)
            or (state.data is not None and any(read_path(state.data, path) for path in paths))
        )

    return holds

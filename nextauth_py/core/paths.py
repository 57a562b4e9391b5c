"""Paths into a session, and conditions, as bindings and attributes of a page spell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..state import SessionState

STATUSES = ("loading", "authenticated", "unauthenticated", "error")

_NAME = r"(?!__\w*__\b)[\w-]+"  # Python's own names are none of a session's
_PATH = re.compile(rf"{_NAME}(\.{_NAME})*")


def checked_path(path: str) -> str:
    """A dotted path into the session, as ``user.name`` or ``user.roles.0``.

    Raises:
        ValueError: It is none.
    """
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path into a session. Write it like 'user.name'.")
    return path


def read_path(session: object, path: str) -> object:
    """What a path leads to; None where there is nothing."""
    found: object = session
    for name in path.split("."):
        found = read_field(found, name)
    return found


def read_field(holder: object, name: str) -> object:
    """A field by the name that the server or the session type gives it, an item of a list by its position.

    None if there is none. What Python or pydantic adds to values is no field: methods, ``model_config``.
    """
    if isinstance(holder, (list, tuple)) and name.isdigit():
        holder = dict(enumerate(holder))
    if isinstance(holder, Mapping):  # a session type may have other keys than texts
        return next((value for key, value in holder.items() if str(key) == name), None)
    if fields := getattr(type(holder), "__pydantic_fields__", None):
        for held in (getattr(holder, "__dict__", {}), getattr(holder, "__pydantic_extra__", None) or {}):
            if name in held:
                return held[name]
        for own, field in fields.items():
            choices = getattr(field.validation_alias, "choices", [field.validation_alias])
            if name in (*choices, field.alias, field.serialization_alias):
                return getattr(holder, own, None)
        from pydantic import BaseModel  # noqa: PLC0415 - loaded with the model

        if name.startswith("model_") and hasattr(BaseModel, name):
            return None
    found = None if name.startswith("_") else getattr(holder, name, None)
    return None if callable(found) else found


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

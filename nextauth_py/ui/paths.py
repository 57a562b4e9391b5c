"""What attributes of a page may say and take: paths into a session, conditions, values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..urls import is_safe_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..state import SessionState

STATUSES = ("loading", "authenticated", "unauthenticated", "error")

_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_:.\-]*")

# Attributes that a browser follows, and those that it runs or parses.
_LINKS = {"href", "src", "action", "formaction", "poster", "cite", "data", "background", "ping", "xlink:href"}
_CODE = re.compile(r"on.*|style|srcdoc|srcset|is")

# The end of a template's text in the middle of a tag: an attribute's name, and its value up to there.
_OPEN_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)\s*=\s*(?:\"([^\"]*)|'([^']*)|([^\s\"'<>]*))$")
_PARSED = re.compile(r"\.(inner|outer)html|\.?srcdoc|on.*", re.IGNORECASE)


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


def checked_attribute(name: str) -> str:
    """The name of an attribute that may take a value from a session.

    Raises:
        ValueError: It is none, or a browser would run or parse its value.
    """
    lower = name.lower()
    if not _ATTRIBUTE.fullmatch(lower) or _CODE.fullmatch(lower):
        raise ValueError(f"the attribute {name!r} cannot be bound: a browser would run or parse its value")
    return lower


def attribute_value(name: str, value: object) -> str | None:
    """A value as an attribute takes it; None to have no such attribute."""
    if value is None or value is False:
        return None
    text = "" if value is True else str(value)
    if name in _LINKS and not is_safe_link(text, image=name in {"src", "poster"}):
        return None
    return text


def open_attribute(text: str) -> tuple[str, str] | None:
    """The attribute that a value stands in after this text of a template, and its value so far."""
    found = _OPEN_ATTRIBUTE.search(text)
    return (found[1], found[2] or found[3] or found[4] or "") if found else None


def is_delicate(name: str) -> bool:
    """Whether a browser follows, runs or parses the attribute: its value must be looked at as text."""
    return name.lstrip(".").lower() in _LINKS or bool(_PARSED.fullmatch(name))


def in_template(name: str, before: str, value: str, *, is_whole: bool) -> str | None:
    """A text that a template puts into an attribute; None to have no such attribute.

    Args:
        name: As the template writes it, a ``.`` for a property in front.
        before: The attribute's value up to there.
        value: The text.
        is_whole: Whether the value is all that there is.

    Raises:
        ValueError: The browser would run the attribute, or parse it as HTML.
    """
    if _PARSED.fullmatch(name):
        raise ValueError(f"{name}=… would be run or parsed as HTML. Put the value between the tags.")
    plain = name.lstrip(".").lower()
    if plain not in _LINKS or before:
        return value
    if not is_safe_link(value, image=plain in {"src", "poster"}):
        return None if is_whole else "about:blank"
    # What follows must not complete it to a scheme.
    return value if is_whole or re.search("[/?#]", value) else f"./{value}"


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

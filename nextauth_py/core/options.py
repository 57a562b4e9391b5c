"""The options of a SessionProvider, checked when given: an error names the option and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .schedule import Schedule

if TYPE_CHECKING:
    from .schedule import OnFocus


class Unset:
    """The type of `UNSET`, which says that an argument was left out where None means something."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()

# The names of sign-in options in other clients, without regard to case and underscores.
_OTHER_NAMES = {
    **dict.fromkeys(("callbackurl", "redirectto"), "callback_url"),
    "authorizationparams": "authorization_params",
}


def checked_seconds(name: str, value: object) -> float:
    """A number of seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} takes seconds as a number, not {value!r}")
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name}={value!r} is no number of seconds. Use 0 or more.")
    return float(value)


def checked_schedule(
    *,
    refetch_interval: object,
    refetch_on_window_focus: object,
    refetch_when_offline: object,
    refetch_when_hidden: object,
    renew_before_expiry: object,
) -> Schedule:
    """When to poll."""
    return Schedule(
        checked_seconds("refetch_interval", refetch_interval),
        _checked_focus(refetch_on_window_focus),
        checked_flag("refetch_when_offline", refetch_when_offline),
        checked_flag("refetch_when_hidden", refetch_when_hidden),
        checked_seconds("renew_before_expiry", renew_before_expiry),
    )


def _checked_focus(value: object) -> OnFocus:
    if isinstance(value, bool):
        return value
    if value == "always":
        return "always"
    raise TypeError(f'refetch_on_window_focus takes True or False or "always", not {value!r}')


def checked_timeout(value: object) -> float:
    """A number of seconds above 0."""
    seconds = checked_seconds("timeout", value)
    if not seconds:
        raise ValueError("timeout=0 leaves no time for an answer. Use some seconds, like 10.")
    return seconds


def checked_flag(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} takes True or False, not {value!r}")
    return value


def checked_session(session: Any) -> Any:
    """A mapping, None, or a model. That is told by its method, because pydantic may not be loaded yet."""
    if session is None or isinstance(session, (Mapping, Unset)) or hasattr(session, "model_copy"):
        return session
    raise TypeError(f"session takes a Session, a mapping or None, not {type(session).__name__}")


def checked_session_type(session_type: Any) -> Any:
    """A subclass of Session, or None."""
    if session_type is None or (isinstance(session_type, type) and hasattr(session_type, "model_validate")):
        return session_type
    raise TypeError(f"session_type takes a subclass of Session, not {session_type!r}")


def checked_popup(popup: object, redirect: object) -> tuple[bool, bool]:
    """Whether to sign in in a window, and whether to leave the page if there is none, or at once.

    Args:
        popup: True, False or ``"or-redirect"``.
        redirect: True, False or UNSET.
    """
    if popup is False:
        return False, redirect is not False
    if popup is not True and popup != "or-redirect":
        raise TypeError(f'popup takes True or False or "or-redirect", not {popup!r}')
    if redirect is (popup is True):
        advice = "leave out redirect=True" if popup is True else "use popup=True with redirect=False"
        raise ValueError(f"popup={popup!r} and redirect={redirect!r} contradict each other: {advice}")
    return True, popup == "or-redirect"


def checked_popup_page(page: object) -> str | None:
    """A path or URL, or None."""
    if page is not None and (not isinstance(page, str) or not page):
        raise TypeError(f"popup_page takes the address of session-popup.html, not {page!r}")
    return page


def check_fields(provider: object, fields: Mapping[str, object]) -> None:
    """Refuse fields of a sign-in that are options under another name, or the provider."""
    for name in fields:
        if option := _OTHER_NAMES.get(name.lower().replace("_", "")):
            raise TypeError(f"sign_in() takes {option}=, not {name}=")
    if provider is None and "provider" in fields:
        raise TypeError("sign_in() takes the provider first, without provider=")

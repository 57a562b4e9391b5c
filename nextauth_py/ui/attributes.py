"""Read ``data-session-…`` attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..host.dom import own

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUND = "[data-session-text],[data-session-attr],[data-session-show],[data-session-class]"
ACTION = "[data-session-action]"
ERROR = "[data-session-error]"
SUBMITS = "button:not([type=button],[type=reset]),[type=submit],[type=image]"
_ACTIONS = ("sign_in", "sign_out", "refetch")


def all_in(root: Any, selector: str) -> Iterator[Any]:
    """Yield the element itself and those in it that match. A shadow root is no element."""
    if hasattr(own(root), "matches") and own(root).matches(selector):
        yield root
    yield from own(root).querySelectorAll(selector)


def attribute(data: Any, name: str) -> str | None:
    """Return a value of an element's ``dataset``, or None."""
    return getattr(data, name, None)


def pairs_of(text: str | None) -> dict[str, Any]:
    """``src:user.image alt:user.name``, as a mapping."""
    pairs = {}
    for word in (text or "").split():
        name, colon, value = word.rpartition(":")
        if not (name and colon and value):
            raise ValueError(f"{word!r} is not like 'src:user.image'")
        pairs[name] = value
    return pairs


def action_of(element: Any) -> str:
    """Return the action of an element.

    Raises:
        ValueError: It makes no sense.
    """
    action: str = own(element).getAttribute("data-session-action")
    name, _, provider_id = action.partition(":")
    if own(element).localName == "form" and not (name == "sign_in" and provider_id):
        raise ValueError(f"{start_tag(element)}: a form signs in, as in sign_in:credentials")
    if name not in _ACTIONS or (provider_id and name != "sign_in"):
        known = f"{', '.join(_ACTIONS)}, sign_in:github"
        raise ValueError(f"{start_tag(element)}: there is no action {action!r}. There are: {known}.")
    return action


def popup_of(element: Any) -> bool | str:
    """Return how an element signs in: True in a window, ``"or-redirect"`` in one if there may be one.

    Raises:
        ValueError: It makes no sense.
    """
    popup: str | None = attribute(own(element).dataset, "sessionPopup")
    if popup is None:
        return False
    if popup not in {"", "or-redirect"}:
        raise ValueError(f"{start_tag(element)}: data-session-popup takes nothing, or 'or-redirect'")
    if not action_of(element).startswith("sign_in"):
        raise ValueError(f"{start_tag(element)}: data-session-popup is for a sign-in")
    return popup or True


def controls(element: Any) -> list[Any]:
    """Return a form's controls, also those outside of it."""
    form = own(element)
    images = own(form.getRootNode()).querySelectorAll("input[type=image]")
    return [*getattr(form, "elements", ()), *(each for each in images if each.form == element)]


def leaks_of(form: Any) -> list[Any]:
    """Return the elements that make the browser put a password into a URL: a form without method="post"."""
    found = controls(form)
    if not any(each.matches("[type=password]") for each in found):
        return []
    buttons = [each for each in found if each.matches(SUBMITS) and each.hasAttribute("formmethod")]
    return [form] * (own(form).method != "post") + [each for each in buttons if each.formMethod != "post"]


def start_tag(element: Any) -> str:
    """Return the element's start tag, for error messages."""
    return str(own(element).cloneNode(False).outerHTML)[:120]

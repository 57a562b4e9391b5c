"""Pages that follow the session by attributes alone: ``data-session-text="user.name"`` and its like."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..errors import ProviderMissingError
from ..provider import current_provider
from ..state import SessionState
from .bind import bind
from .elements import find_element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..provider import SessionProvider

_BOUND = "[data-session-text],[data-session-attr],[data-session-show],[data-session-class]"
ACTION = "[data-session-action]"
# Of the whole page, and not empty: session-paint.js shows a session.
_PAINT = "data-session-paint"
_ACTIONS = ("sign_in", "sign_out", "refetch")


def bind_page(root: object = "body", *, provider: SessionProvider[Any] | None = None) -> Callable[[], None]:
    """Have the elements of a page follow the session as their ``data-session-…`` attributes say.

    - ``data-session-text="user.name"``: the element's text.
    - ``data-session-attr="src:user.image alt:user.name"``: attributes. Of links and images, only relative and
      http(s) URLs are set.
    - ``data-session-show="authenticated"``: shown in these states (``loading``, ``authenticated``,
      ``unauthenticated``, ``error``) or when the value of a path is true, else hidden.
    - ``data-session-class="vip:user.vip"``: classes, on one condition each.
    - ``data-session-action="sign_in:github"``: what a click does: ``sign_in``, ``sign_out`` or ``refetch``.
    - ``<form data-session-action="sign_in:credentials">``: signs in with the form's fields, on this page.
      While it is busy, its buttons are disabled. A refusal shows in its element with
      ``data-session-error``, in that element's own words if it has some.

    Args:
        root: The part of the page: a selector or an element.
        provider: Whose session; by default the current one.

    Returns:
        A function that ends it.

    Raises:
        ProviderMissingError: No provider has been started.
        LookupError: There is no such part of the page.
        ValueError: An attribute makes no sense; the text names it.
    """
    found = provider if provider is not None else current_provider()
    if found is None:
        raise ProviderMissingError
    from .actions import listen  # noqa: PLC0415 - only a browser can import it

    element = find_element(root)
    page = element.ownerDocument.documentElement
    # What is painted stays until the provider knows more: it must not flicker.
    at_once = found.state != SessionState() or not page.getAttribute(_PAINT)
    undo = ExitStack()
    try:
        undo.callback(bind(found, page, attr={_PAINT: lambda _session: None}, at_once=at_once))
        for each in _all(element, _BOUND):
            undo.callback(_bind_element(found, each, at_once=at_once))
        for each in _all(element, ACTION):
            parse_action(each)
        undo.callback(listen(found, element))
    except BaseException:
        undo.close()
        raise
    return undo.close


def _all(root: Any, selector: str) -> Iterator[Any]:
    if root.matches(selector):
        yield root
    yield from root.querySelectorAll(selector)


def _bind_element(provider: SessionProvider[Any], element: Any, *, at_once: bool) -> Callable[[], None]:
    data = element.dataset
    try:
        return bind(
            provider,
            element,
            text=_attribute(data, "sessionText"),
            attr=_pairs(_attribute(data, "sessionAttr")),
            show=_attribute(data, "sessionShow"),
            class_=_pairs(_attribute(data, "sessionClass")),
            at_once=at_once,
        )
    except ValueError as error:
        raise ValueError(f"{_tag(element)}: {error}") from None


def _attribute(data: Any, name: str) -> str | None:
    return getattr(data, name, None)


def _pairs(text: str | None) -> dict[str, Any]:
    """``src:user.image alt:user.name``, as a mapping."""
    pairs = {}
    for word in (text or "").split():
        name, colon, value = word.rpartition(":")
        if not (name and colon and value):
            raise ValueError(f"{word!r} is not like 'src:user.image'")
        pairs[name] = value
    return pairs


def parse_action(element: Any) -> tuple[str, str | None]:
    """What an element does, and with which provider.

    Raises:
        ValueError: Its attribute makes no sense.
    """
    action = element.dataset.sessionAction
    name, _, provider_id = action.partition(":")
    if element.localName == "form" and not (name == "sign_in" and provider_id):
        raise ValueError(f"{_tag(element)}: a form signs in, as in sign_in:credentials")
    if name not in _ACTIONS or (provider_id and name != "sign_in"):
        known = f"{', '.join(_ACTIONS)}, sign_in:github"
        raise ValueError(f"{_tag(element)}: there is no action {action!r}. There are: {known}.")
    return name, provider_id or None


def _tag(element: Any) -> str:
    """The start tag, for a developer who looks for it."""
    return str(element.cloneNode(False).outerHTML)[:120]

"""Pages that follow the session by attributes alone: ``data-session-text="user.name"`` and its like."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..errors import ProviderMissingError
from ..host.dom import own
from ..listeners import ignores_events
from ..provider import current_provider
from ..state import SessionState
from .bind import bind
from .elements import find_element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..provider import SessionProvider

_BOUND = "[data-session-text],[data-session-attr],[data-session-show],[data-session-class]"
ACTION = "[data-session-action]"
ERROR = "[data-session-error]"
SUBMITS = "button:not([type=button],[type=reset]),[type=submit],[type=image]"
# Of the whole page, and not empty: session-paint.js shows a session.
_PAINT = "data-session-paint"
_ACTIONS = ("sign_in", "sign_out", "refetch")


@ignores_events
def bind_page(root: object = "body", *, provider: SessionProvider[Any] | None = None) -> Callable[[], None]:
    """Have the elements of a page follow the session as their ``data-session-…`` attributes say.

    These are the elements that are there now. Call it again for each part that the page adds later: HTML that
    comes without that does nothing, because anybody may have written it.

    - ``data-session-text="user.name"``: the element's text, by a path; ``user.roles.0`` is a list's first.
    - ``data-session-attr="src:user.image alt:user.name"``: attributes. Of links and images, only relative and
      http(s) URLs are set.
    - ``data-session-show="authenticated"``: shown in these states (``loading``, ``authenticated``,
      ``unauthenticated``, ``error``) or when the value of a path is true, else hidden.
    - ``data-session-class="vip:user.vip"``: classes, on one condition each.
    - ``data-session-action="sign_in:github"``: what a click does: ``sign_in``, ``sign_out`` or ``refetch``.
    - ``<form data-session-action="sign_in:credentials">``: signs in with the form's fields, on this page, or
      goes where a field ``callbackUrl`` or the one in the page's address says. While it is busy, its buttons
      are disabled. Write ``method="post"`` too: until Python is there, a form without it would send its
      fields in the page's address.
    - ``data-session-error``, in or near a form or near buttons: where a visitor reads that something did not
      work, in that element's own words if it has some.

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
    page = own(own(element).ownerDocument).documentElement
    # What is painted stays until the provider knows more: it must not flicker.
    at_once = found.state != SessionState() or not page.getAttribute(_PAINT)
    undo = ExitStack()
    try:
        undo.callback(bind(found, page, attr={_PAINT: lambda _session: None}, at_once=at_once))
        for each in _all(element, _BOUND):
            undo.callback(_bind_element(found, each, at_once=at_once))
        bound = [(each, _action(each)) for each in _all(element, ACTION)]
        undo.callback(found.at_close(undo.close))
        undo.callback(listen(found, element, page, bound, list(_all(element, ERROR))))
    except BaseException:
        undo.close()
        raise
    for form, _ in bound:
        for each in _leaks(form):
            text = 'write method="post": the browser may put the password into the address of the page'
            found.report("a form is not safe", ValueError(f"{start_tag(each)}: {text}"))
    return ignores_events(undo.close)


def _all(root: Any, selector: str) -> Iterator[Any]:
    if own(root).matches(selector):
        yield root
    yield from own(root).querySelectorAll(selector)


def _bind_element(provider: SessionProvider[Any], element: Any, *, at_once: bool) -> Callable[[], None]:
    data = own(element).dataset
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
        raise ValueError(f"{start_tag(element)}: {error}") from None


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


def _action(element: Any) -> str:
    """What an element says that it does.

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


def controls(element: Any) -> list[Any]:
    """A form's controls, wherever on the page they are."""
    form = own(element)
    return [*getattr(form, "elements", ()), *form.querySelectorAll("[type=image]")]


def _leaks(form: Any) -> list[Any]:
    """What makes the browser put a password into a URL: it does with a form that does not say otherwise."""
    found = controls(form)
    if not any(each.matches("[type=password]") for each in found):
        return []
    buttons = [each for each in found if each.matches(SUBMITS) and each.hasAttribute("formmethod")]
    return [form] * (own(form).method != "post") + [each for each in buttons if each.formMethod != "post"]


def start_tag(element: Any) -> str:
    """The start tag, for a developer who looks for it."""
    return str(own(element).cloneNode(False).outerHTML)[:120]

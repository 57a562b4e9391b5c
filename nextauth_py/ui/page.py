"""Pages that follow the session by attributes alone: ``data-session-text="user.name"`` and its like."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..client.listeners import ignores_events
from ..errors import ProviderMissingError
from ..host.dom import own
from ..provider import current_provider
from ..state import SessionState
from .attributes import ACTION, BOUND, ERROR, action_of, all_in, attribute, leaks_of, pairs_of, start_tag
from .bind import bind

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provider import SessionProvider

# Of the whole page, and not empty: session-paint.js shows a session.
_PAINT = "data-session-paint"


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
    - ``data-session-popup``, beside a sign-in: in a window of its own, while the page stays; with the value
      ``or-redirect`` the page is left where the browser refuses a window.
    - ``<form data-session-action="sign_in:credentials">``: signs in with the form's fields, on this page, or
      goes where a field ``callbackUrl`` or the one in the page's address says. While it is busy, its buttons
      are disabled. Write ``method="post"`` too: until Python is there, a form without it would send its
      fields in the page's address.
    - ``data-session-error``, in or near a form or near buttons: where a visitor reads that something did not
      work, in that element's own words if it has some. On the site's sign-in page also, if the server leads
      back to it with ``?error=``.

    Args:
        root: The part of the page: a selector or an element.
        provider: Whose session; by default the current one.

    Returns:
        A function that ends it.

    Raises:
        ProviderMissingError: No provider has been started.
        LookupError: There is no such part of the page.
        RuntimeError: This is no real browser, but that of a test.
        ValueError: An attribute makes no sense; the text names it.
    """
    found = provider if provider is not None else current_provider()
    if found is None:
        raise ProviderMissingError
    try:
        from .actions import listen  # noqa: PLC0415 - only a browser can import it
    except ModuleNotFoundError as error:
        text = "bind_page() needs a real browser: test this page with Playwright. See docs/testing.md."
        raise RuntimeError(text) from error

    element = found.host.find_element(root)
    page = own(own(element).ownerDocument).documentElement
    # What is painted stays until the provider knows more: it must not flicker.
    at_once = found.state != SessionState() or not page.getAttribute(_PAINT)
    undo = ExitStack()
    try:
        undo.callback(bind(found, page, attr={_PAINT: lambda _session: None}, at_once=at_once))
        for each in all_in(element, BOUND):
            undo.callback(_bind_element(found, each, at_once=at_once))
        bound = [(each, action_of(each)) for each in all_in(element, ACTION)]
        undo.callback(found.engine.at_close(undo.close))
        undo.callback(listen(found, element, page, bound, list(all_in(element, ERROR))))
    except BaseException:
        undo.close()
        raise
    for form, _ in bound:
        for each in leaks_of(form):
            text = 'write method="post": the browser may put the password into the address of the page'
            found.engine.report("a form is not safe", ValueError(f"{start_tag(each)}: {text}"))
    return ignores_events(undo.close)


def _bind_element(provider: SessionProvider[Any], element: Any, *, at_once: bool) -> Callable[[], None]:
    data = own(element).dataset
    try:
        return bind(
            provider,
            element,
            text=attribute(data, "sessionText"),
            attr=pairs_of(attribute(data, "sessionAttr")),
            show=attribute(data, "sessionShow"),
            class_=pairs_of(attribute(data, "sessionClass")),
            at_once=at_once,
        )
    except ValueError as error:
        raise ValueError(f"{start_tag(element)}: {error}") from None

"""Elements of the page, however a user names them."""

from __future__ import annotations

from typing import Any

from ..host import current_tab
from ..host.dom import document


def find_element(target: object) -> Any:
    """The DOM element of a selector, a DOM element or a `pyscript.web` element.

    Raises:
        LookupError: Nothing on the page matches the selector.
        TypeError: The target is none of these.
    """
    tab = current_tab()
    if tab is not None:
        return tab.find_element(target)
    from pyodide.ffi import JsProxy, jsnull  # noqa: PLC0415 - only a browser can import it

    if isinstance(target, str):
        element = document().querySelector(target)
        if element is jsnull:
            raise LookupError(f"no element of the page matches {target!r}. Is it above the script?")
        return element
    # Markup can give a form's field any name, so a DOM element is not asked for one.
    element = target if isinstance(target, JsProxy) else getattr(target, "_dom_element", None)
    if element is None:
        raise TypeError(f"not a selector or an element: {target!r}")
    return element

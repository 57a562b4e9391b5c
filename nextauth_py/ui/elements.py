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
    element = target if isinstance(target, JsProxy) else dom_element_of(target)
    if element is None:
        raise TypeError(f"not a selector or an element: {target!r}")
    return element


def dom_element_of(value: object) -> Any:
    """The DOM element of a `pyscript.web` element; None of anything else, whatever its fields are called."""
    from pyodide.ffi import JsProxy  # noqa: PLC0415 - only a browser can import it

    found = getattr(value, "_dom_element", None)  # it has no public name
    return found if isinstance(found, JsProxy) else None

"""Elements of the page, however a user names them."""

from __future__ import annotations

from typing import Any

from ..host import current_tab


def find_element(target: object) -> Any:
    """The DOM element of a selector, a DOM element or a `pyscript.web` element.

    Raises:
        LookupError: Nothing on the page matches the selector.
        TypeError: The target is none of these.
    """
    tab = current_tab()
    if tab is not None:
        return tab.find_element(target)
    import js  # noqa: PLC0415 - only a browser can import it
    from pyodide.ffi import JsProxy, jsnull  # noqa: PLC0415

    if isinstance(target, str):
        element = js.document.querySelector(target)
        if element is jsnull:
            raise LookupError(f"no element of the page matches {target!r}. Is it above the script?")
        return element
    element = getattr(target, "_dom_element", target)
    if not isinstance(element, JsProxy):
        raise TypeError(f"not a selector or an element: {target!r}")
    return element

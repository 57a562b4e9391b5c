"""Elements of the page, however a user names them."""

from __future__ import annotations

from typing import Any

from pyodide.ffi import JsProxy, jsnull

from .dom import document


def find_element(target: object) -> Any:
    """As `Page.find_element`."""
    if isinstance(target, str):
        element = document().querySelector(target)
        if element is jsnull:
            raise LookupError(f"no element of the page matches {target!r}. Is it above the script?")
        return element
    element = node_of(target)
    if element is None:
        raise TypeError(f"not a selector or an element: {target!r}")
    return element


def node_of(value: object) -> Any:
    """A node, or that of a `pyscript.web` element; None of anything else, whatever its fields are called."""
    if isinstance(value, JsProxy):
        return value
    found = getattr(value, "_dom_element", None)  # it has no public name
    return found if isinstance(found, JsProxy) else None

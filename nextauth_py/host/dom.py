"""The document, its elements, and forms.

Markup can hide members of the document and of forms: ``<img name="querySelector">`` hides the document's. Of
other elements it can hide none, of the window only what a browser lacks.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import js
    from pyodide.ffi import JsProxy, jsnull
except ImportError:  # tests without a browser
    JsProxy = ()

_NAMED = "[object HTMLDocument]", "[object HTMLFormElement]"


def own(node: Any) -> Any:
    """Return a view of a node that reads its class's members, past any that markup hides.

    What markup cannot change is returned as it is. JavaScript takes the node, not this view of it.
    """
    return _Own(node) if isinstance(node, JsProxy) and _tag_of()(node) in _NAMED else node


@cache
def document() -> Any:
    """The page's document."""
    return _Own(js.document)


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
    """Return a DOM node, or the node of a `pyscript.web` element; None for anything else."""
    if isinstance(value, JsProxy):
        return value
    found = getattr(value, "_dom_element", None)  # it has no public name
    return found if isinstance(found, JsProxy) else None


def leaving(element: Any) -> Callable[[], bool]:
    """Return a function that says whether an element has left the page, because a router has removed it."""
    node = own(element)
    was_on_page = False

    def has_left() -> bool:
        nonlocal was_on_page
        is_on_page = bool(getattr(node, "isConnected", True))
        was_on_page |= is_on_page
        return was_on_page and not is_on_page

    has_left()

    return has_left


@cache
def _tag_of() -> Any:
    to_string = js.Object.prototype.toString
    return to_string.call.bind(to_string)


class _Own:
    """Reads through the prototype. Writing does so by itself."""

    def __init__(self, node: Any) -> None:
        self.__dict__["_node"] = node, js.Reflect.getPrototypeOf(node)

    def __getattr__(self, name: str) -> Any:
        node, prototype = self._node
        found = js.Reflect.get(prototype, name, node)
        return found.bind(node) if callable(found) else found

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._node[0], name, value)

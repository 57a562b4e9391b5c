"""Content without lit-html: text, elements and lists of them, for pages whose config does not name it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyodide.ffi import JsProxy

from ..host.dom import document, own
from .attribute_rules import check_shows_text
from .component import Component
from .elements import dom_element_of, find_element
from .keyed import Keyed

NEEDS_LIT = (
    "t-strings are drawn with lit-html, which the page's config does not name. Use the pyscript.json of"
    ' `nextauth-py bundle`, or add:\n"js_modules": {"main": {"https://…/lit-html.js": "lit"}}'
)


class PlainView:
    """One element of the page, and the nodes in it."""

    def __init__(self, target: object) -> None:
        self._element = own(find_element(target))
        check_shows_text(self._element.localName)
        self._nodes: list[Any] = []
        self._element.replaceChildren()

    def render(self, content: object) -> None:
        """Show the content. Nodes that stay in their place are left alone, focus and all."""
        parts = list(_parts(content))
        nodes = [self._node(index, part) for index, part in enumerate(parts)]
        if nodes != self._nodes:
            self._element.replaceChildren(*nodes)
        self._nodes = nodes

    def clear(self) -> None:
        """Show nothing."""
        self.render(None)

    def _node(self, index: int, part: Any) -> Any:
        if not isinstance(part, str):
            return part
        shown = own(self._nodes[index]) if index < len(self._nodes) else None
        if shown is not None and shown.nodeType == shown.TEXT_NODE:
            if shown.data != part:
                shown.data = part
            return shown
        return document().createTextNode(part)


def _parts(content: object) -> Iterable[Any]:
    """The texts and nodes of a content, in order."""
    if content is None or isinstance(content, bool):
        return
    if isinstance(content, (str, JsProxy)):
        yield content
    elif isinstance(content, Keyed):
        yield from _parts(content.content)
    elif isinstance(content, Component):
        yield from _parts(content())
    elif (element := dom_element_of(content)) is not None:
        yield element
    elif type(content).__name__ == "Template":
        raise ImportError(NEEDS_LIT)
    elif isinstance(content, Iterable):
        for each in content:
            yield from _parts(each)
    else:
        yield str(content)

"""Content without lit-html: text, elements and lists of them, for pages whose config does not name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyodide.ffi import JsProxy

from ..content.attribute_rules import check_shows_text
from ..content.parts import Rows, part_of
from .dom import document, node_of, own

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDS_LIT = (
    "t-strings are drawn with lit-html, which the page's config does not name. Use the pyscript.json of"
    ' `nextauth-py bundle`, or add:\n"js_modules": {"main": {"https://…/lit-html.js": "lit"}}'
)


class PlainView:
    """A view of one element, of text and nodes."""

    def __init__(self, element: Any) -> None:
        self._element = own(element)
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


def _parts(content: object) -> Iterator[Any]:
    """The texts and nodes of a content, in order."""
    part = part_of(content, node_of)
    if isinstance(part, Rows):
        for each in part.contents:
            yield from _parts(each)
    elif isinstance(part, (str, JsProxy)):
        yield part
    elif part is not None:
        raise ImportError(NEEDS_LIT)

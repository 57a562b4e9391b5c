"""The bridge to lit-html: t-strings become lit templates, so a new render touches only what changed.

A t-string hands over its fixed and its variable parts apart, which is just what lit-html takes. Values are
never parsed as HTML.
"""

from __future__ import annotations

from functools import cache
from string.templatelib import Template  # type: ignore[import-not-found]
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, JsProxy, create_proxy, jsnull, to_js

from ..content.attribute_rules import check_shows_text
from ..content.parts import Part, Rows, part_of
from ..content.templates import check_parsed, numbered, placed
from .dom import document, node_of, own
from .handlers import listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# lit-html recognises a template by the identity of its list of strings.
_string_lists: dict[tuple[str, ...], Any] = {}


class LitView:
    """A view of one element, rendered by lit-html."""

    def __init__(self, element: Any, lit: Any, report: Callable[[str, BaseException], None]) -> None:
        self._element = element
        self._report = report
        check_shows_text(own(self._element).localName)
        self._lit = lit
        # lit-html keeps its notes on the node that it renders before: a new one for each mount. It would also
        # leave a "Loading…" of the page standing.
        self._end = document().createComment("")
        own(self._element).replaceChildren(self._end)
        self._handlers: list[Any] = []

    def render(self, content: object) -> None:
        """Show the content, and let go of the event handlers of the content before."""
        shown, self._handlers = self._handlers, []
        try:
            self._lit.render(self._content(content), self._element, renderBefore=self._end)
        except BaseException:
            self._handlers += shown  # they may still be in use
            raise
        for handler in shown:
            handler.destroy()

    def clear(self) -> None:
        """Show nothing."""
        self.render(None)

    def _content(self, value: object) -> Any:
        """Convert a component's content, or a value between tags, for lit-html."""
        part = part_of(value, node_of)
        if isinstance(part, Rows):
            return self._list(part)
        if isinstance(part, Template):
            return self._template(part)
        return self._lit.nothing if part is None else part

    def _attribute(self, value: object) -> Any:
        if value is None:
            return self._lit.nothing
        if isinstance(value, (str, bool, int, float, JsProxy)):
            return value
        if callable(value) and not isinstance(value, Part):
            return self._handler(value)
        return self._content(value)

    def _list(self, rows: Rows) -> Any:
        contents = to_js([self._content(row) for row in rows.contents])
        if rows.keys is None:
            return contents
        if not hasattr(self._lit, "keyed"):
            raise ImportError(
                "keyed() needs the lit.js of `nextauth-py bundle`: lit-html alone has no keyed lists"
            )
        return self._lit.keyed(to_js(rows.keys), contents)

    def _template(self, template: Any) -> Any:
        values = [
            self._content(value) if place is None else self._attribute(value)
            for value, place in placed(template)
        ]
        return self._lit.html(_string_list(template.strings), *values)

    def _handler(self, function: Callable[..., object]) -> Any:
        proxy = create_proxy(listener(function, self._report))
        self._handlers.append(proxy)
        return proxy


def _string_list(strings: tuple[str, ...]) -> Any:
    if strings not in _string_lists:
        if len(strings) > 1:
            check_parsed(strings, _parsed(numbered(strings)))
        made = to_js(strings)
        made.raw = made  # lit-html checks that they come from a template
        _string_lists[strings] = made
    return _string_lists[strings]


def _parsed(html: str) -> Iterator[tuple[str, str, str]]:
    """Parse HTML with the browser, for `check_parsed`. The inside of a <template> is left out."""
    template = document().createElement("template")
    template.innerHTML = _trusted(html)
    walker = document().createTreeWalker(template.content)
    while (node := walker.nextNode()) is not jsnull:  # an empty form is false
        if node.nodeType != node.ELEMENT_NODE:
            yield node.nodeName, "", node.data
        elif node.hasAttributes():
            tag = node.localName
            for each in node.attributes:
                yield tag, each.name, each.value


def _trusted(html: str) -> Any:
    """A template's own strings, as a policy for trusted types lets them through."""
    policy = _policy()
    return html if policy is None else policy.createHTML(html)


@cache
def _policy() -> Any:
    rules = to_js({"createHTML": js.String}, dict_converter=js.Object.fromEntries)
    try:
        return js.trustedTypes.createPolicy("nextauth_py", rules)
    except (
        AttributeError,
        JsException,
    ):  # a browser without trusted types, or a page that does not name ours
        return None

"""The bridge to lit-html: t-strings become lit templates, so a new render touches only what changed.

A t-string hands over its fixed and its variable parts apart, which is just what lit-html takes. Values are
never parsed as HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from string.templatelib import Template  # type: ignore[import-not-found]
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, JsProxy, create_proxy, jsnull, to_js

from ..host import default_host
from ..host.dom import document, own
from .attribute_rules import check_shows_text
from .component import Component
from .elements import dom_element_of, find_element
from .events import listener
from .keyed import keys_of
from .templates import check_parsed, numbered, placed

if TYPE_CHECKING:
    from collections.abc import Callable

# lit-html recognises a template by the identity of its list of strings.
_string_lists: dict[tuple[str, ...], Any] = {}


class LitView:
    """One element of the page, and what lit-html shows in it."""

    def __init__(self, target: object, lit: Any) -> None:
        self._element = find_element(target)
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
            self._lit.render(self._to_lit(content), self._element, renderBefore=self._end)
        except BaseException:
            self._handlers += shown  # they may still be in use
            raise
        for handler in shown:
            handler.destroy()

    def clear(self) -> None:
        """Show nothing."""
        self.render(None)

    def _to_lit(self, value: object, *, in_tag: bool = False) -> Any:  # noqa: PLR0911 - a table of kinds
        """A value as lit-html takes it; `in_tag` if it stands in an attribute."""
        if value is None or (isinstance(value, bool) and not in_tag):
            return self._lit.nothing
        if isinstance(value, (str, JsProxy)) or (in_tag and isinstance(value, (bool, int, float))):
            return value
        if isinstance(value, Template):
            return self._template(value)
        if isinstance(value, Component):
            return self._to_lit(value())
        if (element := dom_element_of(value)) is not None:
            return element
        if callable(value):
            return self._handler(value)
        if isinstance(value, Iterable):
            return self._list(list(value))
        return str(value)

    def _list(self, rows: list[Any]) -> Any:
        keys = keys_of(rows)
        if keys is None:
            return to_js([self._to_lit(row) for row in rows])
        if not hasattr(self._lit, "keyed"):
            raise ImportError(
                "keyed() needs the lit.js of `nextauth-py bundle`: lit-html alone has no keyed lists"
            )
        return self._lit.keyed(to_js(keys), to_js([self._to_lit(row.content) for row in rows]))

    def _template(self, template: Any) -> Any:
        values = [self._to_lit(value, in_tag=place is not None) for value, place in placed(template)]
        return self._lit.html(_string_list(template.strings), *values)

    def _handler(self, function: Callable[..., object]) -> Any:
        proxy = create_proxy(listener(function, default_host().report))
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
    """What the browser makes of HTML, as `check_parsed` takes it. What is inside a <template> is left out."""
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

"""The bridge to lit-html: t-strings become lit templates, so a new render touches only what changed.

A t-string hands over its fixed and its variable parts apart, which is just what lit-html takes. Values are
never parsed as HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from string.templatelib import Interpolation, Template, convert  # type: ignore[import-not-found]
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsProxy, create_proxy, jsnull, to_js

from ..host import default_host
from .component import Component
from .events import listener

if TYPE_CHECKING:
    from collections.abc import Callable

# lit-html recognises a template by the identity of its list of strings.
_string_lists: dict[tuple[str, ...], Any] = {}


class View:
    """One element of the page, and what lit-html shows in it."""

    def __init__(self, target: object) -> None:
        self._element = find_element(target)
        self._lit = _import_lit()
        # lit-html keeps its notes on the node that it renders before: a new one for each mount. It would also
        # leave a "Loading…" of the page standing.
        self._end = js.document.createComment("")
        self._element.replaceChildren(self._end)
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
        if hasattr(value, "_dom_element"):  # pyscript.web
            return value._dom_element  # noqa: SLF001 - it has no public name
        if callable(value):
            return self._handler(value)
        if isinstance(value, Iterable):
            return to_js([self._to_lit(each) for each in value])
        return str(value)

    def _template(self, template: Any) -> Any:
        values = [
            self._to_lit(_value_of(part), in_tag=before.endswith(("=", '="', "='")))
            for before, part in zip(template.strings, template.interpolations, strict=False)
        ]
        return self._lit.html(_string_list(template.strings), *values)

    def _handler(self, function: Callable[..., object]) -> Any:
        proxy = create_proxy(listener(function, default_host().report))
        self._handlers.append(proxy)
        return proxy


def find_element(target: object) -> Any:
    """The DOM element of a selector, a DOM element or a `pyscript.web` element.

    Raises:
        LookupError: Nothing on the page matches the selector.
        TypeError: The target is none of these.
    """
    if isinstance(target, str):
        element = js.document.querySelector(target)
        if element is jsnull:
            raise LookupError(f"no element of the page matches {target!r}. Is it above the script?")
        return element
    element = getattr(target, "_dom_element", target)
    if not isinstance(element, JsProxy):
        raise TypeError(f"a component mounts on a selector or an element, not {target!r}")
    return element


def _value_of(part: Interpolation) -> object:
    value = convert(part.value, part.conversion)
    return format(value, part.format_spec) if part.format_spec else value


def _string_list(strings: tuple[str, ...]) -> Any:
    if strings not in _string_lists:
        made = to_js(strings)
        made.raw = made  # lit-html checks that they come from a template
        _string_lists[strings] = made
    return _string_lists[strings]


def _import_lit() -> Any:
    try:
        from pyscript.js_modules import lit  # noqa: PLC0415 - only where the page's config names it
    except ImportError:
        raise ImportError(
            "components are drawn with lit-html, which the page's config does not name. Use the pyscript.json"
            ' of `nextauth-py bundle`, or add:\n"js_modules": {"main": {"https://…/lit-html.js": "lit"}}'
        ) from None
    return lit

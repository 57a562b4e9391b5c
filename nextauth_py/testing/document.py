"""The document of a page in memory: elements, views and events."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from bs4 import BeautifulSoup, Tag

from ..content.parts import Rows, is_template, part_of
from ..content.templates import COMMENT, placed
from ..host.handlers import listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PARSER = "html.parser"
_SHOWN = 500  # characters of a page in an error
_FIELDS = {"input", "textarea", "select"}
# A script in one of these is another one, or text.
_NO_HTML = ["svg", "math", "template", "textarea", "title", "noscript", "iframe"]

# Stands in an attribute for a value until the HTML is parsed. A text that has it by accident does no harm:
# only attributes are looked at.
_MARK = "nextauth-value-{}-"


class Page(Protocol):
    """The tab that a document is in."""

    def report(self, message: str, error: BaseException) -> None:
        """Show a developer what went wrong."""

    def follow(self, href: str) -> None:
        """Do what a link does."""


class Document:
    """The elements of a page.

    Args:
        html: What is on it; if empty, an element is made for each ``#id`` that is asked for.
        page: The tab.

    Attributes:
        soup: All of it, for Beautiful Soup.
    """

    def __init__(self, html: str, page: Page) -> None:
        self.soup = BeautifulSoup(html, _PARSER)
        self.page = page
        self._is_made_up = not html
        self._handlers: dict[int, dict[str, Callable[[object], None]]] = {}

    def find(self, selector: str, *, text: str | None = None) -> Element:
        """The first element that matches a CSS selector, and has the text in it.

        Raises:
            LookupError: There is none.
        """
        for found in self.soup.select(selector):
            element = Element(found)
            if text is None or text in element.text:
                return element
        saying = "" if text is None else f" and says {text!r}"
        raise LookupError(
            f"no element of the page matches {selector!r}{saying}. The page: {str(self.soup)[:_SHOWN]}"
        )

    def find_or_make(self, selector: str, *, text: str | None = None) -> Element:
        """As `find`. On a page without HTML of its own, an element is made for an ``#id``."""
        is_id = selector[:1] == "#" and selector[1:].isidentifier()
        if self._is_made_up and is_id and text is None and not self.soup.select(selector):
            self.soup.append(self.soup.new_tag("div", id=selector[1:]))
        return self.find(selector, text=text)

    def resolve(self, target: object) -> Element:
        """The element of a selector, or the element itself.

        Raises:
            LookupError: Nothing on the page matches the selector.
            TypeError: The target is neither.
        """
        if isinstance(target, str):
            return self.find_or_make(target)
        if isinstance(target, Element):
            return target
        raise TypeError(f"not a selector or an element: {target!r}")

    def make_view(self, element: Element) -> TreeView:
        """Return a view that replaces an element's content."""
        return TreeView(self, element.tag)

    def take_session(self) -> str | None:
        """The text of the session that is embedded in the page, which is taken out; None if there is none.

        Raises:
            ValueError: There are several.
        """
        found = [each for each in self.soup.select("script#nextauth-session[type]") if _is_json(each)]
        for each in found:
            each.extract()
        if len(found) > 1:
            raise ValueError(f"the page has {len(found)} of them, so none counts")
        return found[0].get_text() if found else None

    def listen(self, tag: Tag, event: str, handler: Callable[[object], None]) -> None:
        """Call a handler for the events of an element."""
        self._handlers.setdefault(id(tag), {})[event] = handler

    def forget(self, tag: Tag) -> None:
        """Call no handler of the elements in it any more."""
        for each in tag.find_all(True):
            self._handlers.pop(id(each), None)

    # --- what a user does ---

    def click(self, element: Element) -> None:
        """Click on an element.

        Raises:
            ValueError: It is disabled.
        """
        if element.hasAttribute("disabled"):
            raise ValueError(f"{element.tag} is disabled")
        event = Event("click", element)
        self._dispatch(event)
        if event.defaultPrevented:
            return
        form = element.tag.find_parent("form")
        if element.tag.name in {"button", "input"} and form and element.getAttribute("type") != "button":
            self.submit(Element(form))
        link = element.tag if element.tag.name == "a" else element.tag.find_parent("a")
        if link and link.get("href"):
            self.page.follow(str(link["href"]))

    def fill(self, element: Element, value: str) -> None:
        """Type a text into a field.

        Raises:
            ValueError: It is no field, or disabled.
        """
        if element.tag.name not in _FIELDS or element.hasAttribute("disabled"):
            raise ValueError(f"nothing can be typed into {element.tag}")
        element.value = value
        for kind in ("input", "change"):
            self._dispatch(Event(kind, element))

    def submit(self, element: Element) -> None:
        """Send a form off."""
        self._dispatch(Event("submit", element))

    def _dispatch(self, event: Event) -> None:
        """Call the handlers of an element, and of those that it is in."""
        for tag in (event.target.tag, *event.target.tag.parents):
            handler = self._handlers.get(id(tag), {}).get(event.type)
            if handler:
                event.currentTarget = Element(tag)
                handler(event)
            if event.isStopped:
                return


def _is_json(script: Tag) -> bool:
    """Whether browsers take a script for JSON."""
    kind = str(script["type"]).strip(" \t\n\f\r").lower()
    return kind == "application/json" and script.find_parent(_NO_HTML) is None


class TreeView:
    """One element of the page, and what is shown in it. Each render makes the elements in it anew."""

    def __init__(self, document: Document, tag: Tag) -> None:
        self._document = document
        self._tag = tag
        self.clear()

    def render(self, content: object) -> None:
        """Show the content."""
        values: list[object] = []
        made = BeautifulSoup("".join(_html(content, values)), _PARSER)
        for tag in made.find_all(True):
            self._fill_in(tag, values)
        self._document.forget(self._tag)
        self._tag.clear()
        for child in list(made.contents):
            self._tag.append(child.extract())

    def clear(self) -> None:
        """Show nothing."""
        self.render(None)

    def _fill_in(self, tag: Tag, values: list[object]) -> None:
        """Put the values of a template into an element's attributes."""
        for name, found in list(tag.attrs.items()):
            text = " ".join(found) if isinstance(found, list) else str(found)
            given = {number: value for number, value in enumerate(values) if _MARK.format(number) in text}
            if not given:
                continue
            del tag[name]
            if name.startswith("@"):
                for value in filter(callable, given.values()):
                    self._document.listen(tag, name[1:], listener(value, self._document.page.report))
            elif None not in given.values():
                self._write(tag, name, text, given)

    @staticmethod
    def _write(tag: Tag, name: str, text: str, given: dict[int, object]) -> None:
        for number, value in given.items():
            written = str(value).lower() if isinstance(value, bool) else str(value)
            text = text.replace(_MARK.format(number), written)
        if name.startswith((".", "?")) and text in {"", "false"}:
            return
        tag[name.lstrip(".?")] = "" if name.startswith("?") else text


def _html(content: object, values: list[object]) -> Iterator[str]:
    """Content as HTML, in which marks stand for the values of attributes."""
    part = part_of(content, lambda _: None)
    if isinstance(part, Rows):
        for row in part.contents:
            yield from _html(row, values)
    elif is_template(part):
        yield from _template(part, values)
    elif part is not None:
        yield escape(part)


def _template(template: Any, values: list[object]) -> Iterator[str]:
    for text, (value, place) in zip(template.strings, [*placed(template), (None, None)], strict=True):
        yield text
        if place is None:
            yield from _html(value, values)
        elif place is not COMMENT:
            yield _MARK.format(len(values))
            values.append(value)


class Event:
    """A DOM event, as handlers get it.

    Attributes:
        type: As ``"click"``.
        target: The element that it happened to.
        currentTarget: The element whose handler is called.
    """

    def __init__(self, type_: str, target: Element) -> None:
        self.type = type_
        self.target = self.currentTarget = target
        self.defaultPrevented = self.isStopped = False

    def preventDefault(self) -> None:  # noqa: N802 - the DOM's name
        """Keep the browser from what it would do."""
        self.defaultPrevented = True

    def stopPropagation(self) -> None:  # noqa: N802
        """Call no handlers of the elements around."""
        self.isStopped = True


class Element:
    """An element, with those names of the DOM that pages need most.

    Attributes:
        tag: The same for Beautiful Soup.
    """

    def __init__(self, tag: Tag) -> None:
        self.tag = tag
        self.classList = _ClassList(tag)
        self.style = _Style(tag)

    def __repr__(self) -> str:
        return str(self.tag)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Element) and other.tag is self.tag

    def __hash__(self) -> int:
        return id(self.tag)

    @property
    def text(self) -> str:
        """The text, with whitespace collapsed."""
        return " ".join(self.tag.get_text(" ").split())

    @property
    def textContent(self) -> str:  # noqa: N802
        """The text. Setting it replaces the content."""
        return self.tag.get_text()

    @textContent.setter
    def textContent(self, text: str) -> None:  # noqa: N802
        self.tag.string = text

    @property
    def innerHTML(self) -> str:  # noqa: N802
        """The HTML inside."""
        return self.tag.decode_contents()

    @property
    def localName(self) -> str:  # noqa: N802
        """The kind of element, as ``"button"``."""
        return self.tag.name

    @property
    def id(self) -> str:
        """Its id, or an empty text."""
        return self.getAttribute("id") or ""

    @property
    def value(self) -> str:
        """The value of a field."""
        if self.tag.name == "textarea":
            return self.getAttribute("value") or self.tag.get_text()
        return self.getAttribute("value") or ""

    @value.setter
    def value(self, text: str) -> None:
        self.setAttribute("value", text)

    @property
    def hidden(self) -> bool:
        """Whether it is."""
        return self.hasAttribute("hidden")

    @hidden.setter
    def hidden(self, hidden: bool) -> None:
        if hidden:
            self.setAttribute("hidden", "")
        else:
            self.removeAttribute("hidden")

    @property
    def isConnected(self) -> bool:  # noqa: N802
        """Whether it is on the page."""
        return any(isinstance(each, BeautifulSoup) for each in self.tag.parents)

    def contains(self, other: object) -> bool:
        """Whether another is in it, or is it."""
        return isinstance(other, Element) and any(each is self.tag for each in other.tag.self_and_parents)

    def hasAttribute(self, name: str) -> bool:  # noqa: N802
        """Whether it has an attribute."""
        return name in self.tag.attrs

    def getAttribute(self, name: str) -> str | None:  # noqa: N802
        """An attribute; None if it has none."""
        found = self.tag.get(name)
        return " ".join(found) if isinstance(found, list) else found

    def setAttribute(self, name: str, value: object) -> None:  # noqa: N802
        """Give it an attribute."""
        self.tag[name] = str(value)

    def removeAttribute(self, name: str) -> None:  # noqa: N802
        """Take an attribute from it, if it has it."""
        self.tag.attrs.pop(name, None)


class _ClassList:
    """The classes of an element."""

    def __init__(self, tag: Tag) -> None:
        self._tag = tag

    def __contains__(self, name: str) -> bool:
        return name in self._names()

    def toggle(self, name: str, on: bool) -> None:
        names = [each for each in self._names() if each != name] + [name] * on
        if names:
            self._tag["class"] = " ".join(names)
        else:
            self._tag.attrs.pop("class", None)

    def _names(self) -> list[str]:
        found: Any = self._tag.get("class") or []
        return found.split() if isinstance(found, str) else list(found)


class _Style:
    """An element's inline style."""

    def __init__(self, tag: Tag) -> None:
        self._tag = tag

    def setProperty(self, name: str, value: str, priority: str = "") -> None:  # noqa: N802
        self._write({**self._read(), name: f"{value} !{priority}" if priority else value})

    def removeProperty(self, name: str) -> None:  # noqa: N802
        self._write({each: value for each, value in self._read().items() if each != name})

    def _read(self) -> dict[str, str]:
        parts = (part.partition(":") for part in str(self._tag.get("style", "")).split(";") if part.strip())
        return {name.strip(): value.strip() for name, _, value in parts}

    def _write(self, properties: dict[str, str]) -> None:
        if properties:
            self._tag["style"] = "; ".join(f"{name}: {value}" for name, value in properties.items())
        else:
            self._tag.attrs.pop("style", None)

"""Bindings: one element of the page that follows the session, without a component."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..content.attribute_rules import attribute_value, check_shows_text, checked_attribute
from ..core.paths import checked_condition, checked_path, read_path
from ..host.dom import leaving, own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..provider import SessionProvider
    from ..state import SessionState

    Value = str | Callable[[Any], object]
    Condition = str | bool | Callable[[Any], object]


@dataclass
class Binding:
    """Show properties of the session in one element. A property is written only when it has changed.

    Attributes:
        element: Of the page.
        report: Tells a developer.
        properties: For each property, what reads its value from the state, and what writes it.
    """

    element: Any
    report: Callable[[str, BaseException], None]
    properties: list[tuple[Callable[[SessionState[Any]], object], Callable[[Any, Any], None]]]
    _written: dict[int, object] = field(default_factory=dict)

    def show(self, state: SessionState[Any]) -> None:
        """Show a state."""
        for index, (read, write) in enumerate(self.properties):
            try:
                value = read(state)
            except Exception as error:
                self.report("a binding failed", error)
                value = None
            if index not in self._written or self._written[index] != value:
                self._written[index] = value
                write(self.element, value)


def bind(
    provider: SessionProvider[Any],
    element: Any,
    *,
    text: Value | None = None,
    attr: Mapping[str, Value] | None = None,
    show: Condition | None = None,
    class_: Mapping[str, Condition] | None = None,
    at_once: bool = True,
) -> Callable[[], None]:
    """As `SessionHandle.bind`, for an element; if not at once, from the next change on."""
    binding = Binding(own(element), provider.engine.report, [])
    tag = str(getattr(binding.element, "localName", ""))
    if text is not None:
        check_shows_text(tag)
        binding.properties.append((_text_reader(text), _write_text))
    for name, value in (attr or {}).items():
        binding.properties.append(_attribute(checked_attribute(name, tag), tag, value))
    if show is not None:
        binding.properties.append((_condition(show), write_shown))
    for name, condition in (class_ or {}).items():
        binding.properties.append((_condition(condition), _class_writer(name)))
    if not binding.properties:
        raise ValueError("bind what? Give it text=, attr=, show= or class_=.")
    if at_once:
        binding.show(provider.state)
    has_left = leaving(element)

    def follow(state: SessionState[Any]) -> None:
        binding.show(state)  # also a last time: a router may show the element again
        if has_left():
            stop()

    stop = provider.subscribe(follow)
    return stop


def _reader(value: Value) -> Callable[[SessionState[Any]], object]:
    """Reads a value from the state; None while there is no session."""
    if isinstance(value, str):
        path = checked_path(value)
        return lambda state: None if state.data is None else read_path(state.data, path)
    if not callable(value):
        raise TypeError(
            f"a binding takes a path like 'user.name' or a function of the session, not {value!r}"
        )
    return lambda state: None if state.data is None else value(state.data)


def _text_reader(value: Value) -> Callable[[SessionState[Any]], str]:
    read = _reader(value)

    def text(state: SessionState[Any]) -> str:
        value = read(state)
        return "" if value is None else str(value)

    return text


def _condition(value: Condition) -> Callable[[SessionState[Any]], object]:
    if isinstance(value, bool):
        return lambda state: (state.data is not None) == value
    if isinstance(value, str):
        return checked_condition(value)
    read = _reader(value)
    return lambda state: bool(read(state))


def _attribute(
    name: str, tag: str, value: Value
) -> tuple[Callable[[SessionState[Any]], object], Callable[[Any, Any], None]]:
    read = _reader(value)

    def write(element: Any, text: str | None) -> None:
        if text is None:
            element.removeAttribute(name)
        else:
            element.setAttribute(name, text)

    return (lambda state: attribute_value(name, read(state), tag)), write


def _write_text(element: Any, text: str | None) -> None:
    element.textContent = text or ""  # None: it could not be read


def write_shown(element: Any, shown: object) -> None:
    """Show or hide an element, whatever a stylesheet makes of ``hidden``."""
    element.hidden = not shown
    if shown:
        element.style.removeProperty("display")
    else:
        element.style.setProperty("display", "none", "important")


def _class_writer(name: str) -> Callable[[Any, Any], None]:
    return lambda element, on: element.classList.toggle(name, bool(on))

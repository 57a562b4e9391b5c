"""T-strings for tests, which run on Pythons older than 3.14 too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup

from nextauth_py.content.templates import placed
from nextauth_py.testing.document import Element


@dataclass
class Interpolation:
    value: Any
    conversion: str | None = None
    format_spec: str = ""


class Template:
    """A t-string as Python 3.14 makes it: texts and values, apart."""

    def __init__(self, *parts: Any) -> None:
        self.strings = tuple(parts[::2])
        self.interpolations = tuple(
            each if isinstance(each, Interpolation) else Interpolation(each) for each in parts[1::2]
        )


def admitted(template: Template) -> list[object]:
    """The values of a template as they may stand in it."""
    return [value for value, _place in placed(template)]


def element(html: str) -> Element:
    """The first element of a page."""
    found = BeautifulSoup(html, "html.parser").find(True)
    assert found is not None
    return Element(found)

"""The values of a template, and where they stand. Nothing here touches JavaScript."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from .paths import in_template, is_delicate, open_attribute

# What stands for earlier values where a template's texts are looked at.
_PLACEHOLDER = "?"
_CONTINUES = re.compile(r"[^\s\"'>]")


def is_template(content: object) -> bool:
    """Whether it is a t-string. Their class is Python 3.14's, and tests run on older ones too."""
    return hasattr(content, "interpolations") and hasattr(content, "strings")


def value_of(part: Any) -> object:
    """The value of an interpolation, converted and formatted as the t-string says."""
    value = _CONVERSIONS[part.conversion](part.value)
    return format(value, part.format_spec) if part.format_spec else value


_CONVERSIONS: dict[str | None, Any] = {None: lambda value: value, "s": str, "r": repr, "a": ascii}


@cache
def attribute_at(strings: tuple[str, ...], index: int) -> tuple[str, str, bool] | None:
    """Which attribute a value of a template stands in, what is before it there, and whether nothing else is.

    A value after another one in the same attribute has that one before it, whatever it is.
    """
    found = open_attribute(_PLACEHOLDER.join(strings[: index + 1]))
    if found is None:
        return None
    name, before = found
    return name, before, not before and not _CONTINUES.match(strings[index + 1])


def in_tag(value: object, name: str, before: str, is_whole: bool) -> object:
    """A value as it may stand in an attribute; None to have no such attribute.

    Raises:
        ValueError: The browser would run the attribute, or parse it as HTML.
    """
    is_plain = value is None or isinstance(value, (bool, int, float))
    if isinstance(value, str) or (is_delicate(name) and not is_plain):
        return in_template(name, before, str(value), is_whole=is_whole)
    return value

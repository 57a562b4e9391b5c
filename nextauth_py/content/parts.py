"""Classifies the content that a component may return, for every view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


class Part:
    """Content that is made anew for each render. `Component` is one."""

    def __call__(self) -> object:
        """Return the current content."""
        raise NotImplementedError


@dataclass(frozen=True)
class Keyed:
    """A row of a list with its key."""

    key: str | int
    content: object


def keyed(key: str | int, content: object) -> Keyed:
    """A row of a list that keeps its elements, with what is typed or selected in them, wherever it moves.

    All rows of the list must be keyed, and no two the same.

    Args:
        key: Tells the row from the others: an id.
        content: What the row shows.

    Example:
        ```python
        t"<ul>{[keyed(user.id, t'<li>{user.name}</li>') for user in users]}</ul>"
        ```
    """
    return Keyed(key, content)


class Rows:
    """A list: what its rows show, and the keys of all of them, or None."""

    def __init__(self, contents: list[object], keys: list[str | int] | None) -> None:
        self.contents = contents
        self.keys = keys


def part_of(content: object, node_of: Callable[[object], Any]) -> Any:
    """Classify content: None for nothing, text, a t-string, `Rows`, or a node of the document.

    Args:
        content: What a component returned, or holds.
        node_of: Returns the document's node for a value; None if it is none.

    Raises:
        TypeError: Keys of a list are missing or of a wrong type.
        ValueError: Two rows have the same key.
    """
    while isinstance(content, (Part, Keyed)):
        content = content() if isinstance(content, Part) else content.content
    if content is None or isinstance(content, bool):
        return None
    # Markup may call a form's field anything, so a node is not asked what else it might be.
    if isinstance(content, str) or ((node := node_of(content)) is None and is_template(content)):
        return content
    if node is not None:
        return node
    if isinstance(content, Iterable):
        rows = list(content)
        keys = keys_of(rows)
        return Rows(rows if keys is None else [row.content for row in rows], keys)
    return str(content)


def keys_of(rows: list[object]) -> list[str | int] | None:
    """The keys of a list's rows; None if they have none.

    Raises:
        TypeError: Only some have one, or one is neither a text nor a whole number.
        ValueError: Two have the same.
    """
    found = [row.key for row in rows if isinstance(row, Keyed)]
    if not found:
        return None
    if len(found) < len(rows):
        raise TypeError("in a list either all rows are keyed(…), or none")
    if wrong := [key for key in found if isinstance(key, bool) or not isinstance(key, (str, int))]:
        raise TypeError(f"keyed takes a text or a whole number as the key, not {wrong[0]!r}")
    if len(set(found)) < len(found):
        twice = next(key for key in found if found.count(key) > 1)
        raise ValueError(f"two rows of a list have the key {twice!r}")
    return found


def is_template(content: object) -> bool:
    """Whether the value is a t-string, by its class's name: tests run on Pythons without t-strings."""
    return hasattr(content, "interpolations") and hasattr(content, "strings")

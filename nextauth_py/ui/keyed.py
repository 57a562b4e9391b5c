"""Rows of a list that keep their elements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Keyed:
    """One row of a list, with what tells it from the others."""

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

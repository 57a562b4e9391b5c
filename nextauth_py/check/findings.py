"""The results of checks, each printed as one line or one JSON object."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 3  # names of a list; the rest is counted


class Level(StrEnum):
    """The severity. Only an error means that a page or a sign-in does not work, or that data leaks."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One result of a check.

    Attributes:
        level: How bad it is.
        subject: The topic, as ``"session"`` or ``"policy"``.
        text: What the site does.
        advice: What to write, or where to look; empty if nothing is to be done.
    """

    level: Level
    subject: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f". Fix: {self.advice}" if self.advice else ""
        return printable(f"{self.level:<8} {self.subject}: {self.text}{advice}")

    def to_json(self) -> dict[str, str]:
        """The object that ``--json`` prints."""
        return asdict(self)


def ok(subject: str, text: str) -> Finding:
    """Report that something is as it should be."""
    return Finding(Level.OK, subject, text)


def note(subject: str, text: str, advice: str = "") -> Finding:
    """Report something to know."""
    return Finding(Level.NOTE, subject, text, advice)


def warning(subject: str, text: str, advice: str) -> Finding:
    """Report what is slow, fragile or less safe than it could be."""
    return Finding(Level.WARNING, subject, text, advice)


def error(subject: str, text: str, advice: str) -> Finding:
    """Report what does not work, or shows a visitor's data to others."""
    return Finding(Level.ERROR, subject, text, advice)


def listed(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def printable(text: str) -> str:
    """Text from a server without control characters for a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)

"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One line of a report. It never has the value of a cookie, a token or a session.

    Attributes:
        level: "error" if pages do not work; "warning" if they may not, or not well; "note": to know.
        subject: What was looked at: an address, a cookie, a header.
        text: What was seen.
        advice: What to write or to change.
    """

    level: Level
    subject: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.level:<8} {self.subject}: {self.text}.{advice}"

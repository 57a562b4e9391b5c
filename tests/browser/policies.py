"""The content security policies that the docs name."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs/content-security-policy.md"


def documented() -> list[dict[str, str]]:
    """The policies that the docs name."""
    blocks = re.findall(r"```http\nContent-Security-Policy:\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    directives = [[each.strip().partition(" ") for each in block.split(";")] for block in blocks]
    return [{name: values for name, _, values in policy} for policy in directives]


def joined(policy: dict[str, str]) -> str:
    """As a header has it."""
    return "; ".join(f"{name} {values}" for name, values in policy.items())


STRICT, WITH_WORKERS, _OF_A_CDN = documented()

"""The order of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes seconds first, and before Playwright puts its event loop into this process."""
    items.sort(key=lambda item: item.path.is_relative_to(BROWSER))

"""The order of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

IN_BROWSERS = [Path(__file__).parent / name for name in ("browser", "sites")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes seconds first, and before Playwright puts its event loop into this process."""
    items.sort(key=lambda item: any(map(item.path.is_relative_to, IN_BROWSERS)))

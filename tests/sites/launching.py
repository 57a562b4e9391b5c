"""Becomes the conftest.py of a starter under test: its own tests start the browser that ours start."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, **json.loads(os.environ["LAUNCH_OPTIONS"])}

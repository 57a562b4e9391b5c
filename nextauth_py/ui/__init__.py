"""What shows a session on the page."""

from __future__ import annotations

from .component import Component, component

__all__ = ["Component", "component"]

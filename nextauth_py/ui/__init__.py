"""What shows a session on the page."""

from __future__ import annotations

from ..access import Auth
from .component import Component, component
from .keyed import keyed

__all__ = ["Auth", "Component", "component", "keyed"]

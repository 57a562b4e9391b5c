"""Chooses how content gets into an element: with lit-html where the page has it, else without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..host import current_tab

if TYPE_CHECKING:
    from .component import View


def make_view(target: object) -> View:
    """Shows content in an element.

    Raises:
        LookupError: Nothing on the page matches the selector.
    """
    tab = current_tab()
    if tab is not None:
        return tab.make_view(target)
    try:
        from pyscript.js_modules import lit  # noqa: PLC0415 - only where the page's config names it
    except ImportError:
        from .plain import PlainView  # noqa: PLC0415

        return PlainView(target)
    from .lit import LitView  # noqa: PLC0415

    return LitView(target, lit)

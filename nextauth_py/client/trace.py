"""Log decisions for debugging: one line each, without secrets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..host.base import Host

_logger = logging.getLogger("nextauth_py")  # asyncio has imported logging anyway


class Trace:
    """Writes to the logger ``nextauth_py`` at DEBUG level and, if asked to, to the browser's console.

    Args:
        host: Has the console.
        name: Distinguishes several providers and tabs.
        to_console: Whether to write to the console.
    """

    def __init__(self, host: Host, name: str, *, to_console: bool) -> None:
        self._host = host
        self._name = name
        self._to_console = to_console

    def __call__(self, text: str, *values: object) -> None:
        """Log a line, with ``%s`` for each value."""
        if not (self._to_console or _logger.isEnabledFor(logging.DEBUG)):
            return
        line = f"{self._name}: {text % values}"
        _logger.debug("%s", line)
        if self._to_console:
            self._host.log(line)

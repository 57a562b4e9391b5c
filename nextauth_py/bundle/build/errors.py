"""The bundler's error."""

from __future__ import annotations

INSTALL_HINT = 'pip install "nextauth-py[bundle]"'


class BundleError(Exception):
    """The bundle was not built; the text says why, and what to do."""

"""`nextauth-py bundle OUT`: a self-hosted folder with all that a page loads. Never runs in a page itself."""

from __future__ import annotations

from .build.assemble import build_bundle
from .build.errors import BundleError

__all__ = ["BundleError", "build_bundle"]

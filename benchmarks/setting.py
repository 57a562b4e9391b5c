"""What the measurements of pages have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.bootstrap import ROOT
from demo.serve import install_server
from nextauth_py.bundle import build_bundle
from tests.browser.browsers import ensure_browsers, launch_options
from tests.peers import build_peers


def prepare() -> tuple[dict[str, Path], dict[str, Any]]:
    """Build what is needed; returns what the server serves, and how to launch the browser."""
    ensure_browsers()
    build_bundle(ROOT / "static/dist")
    install_server()
    mounts = {
        "/static": ROOT / "static",
        "/peers": build_peers(),
        "/bench": Path(__file__).parent / "pages",
        "/": ROOT / "tests/browser/pages",
    }
    return mounts, launch_options()

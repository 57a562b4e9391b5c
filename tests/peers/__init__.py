"""What stands beside ours in tests: next-auth's clients, axe, MicroPython from npm; libraries from PyPI."""

from __future__ import annotations

import subprocess
from pathlib import Path

from demo.serve import PINS, install_packages
from demo.serve import fetch_wheels as fetch_pinned
from nextauth_py.bundle.build.node import node_command, node_environment

FOLDER = Path(__file__).parent
DIST = FOLDER / "dist"
WHEELS = FOLDER / "wheels"


def build_peers() -> Path:
    """Install and bundle them, unless that is done; returns the folder with ``v4.js`` and ``v5.js``."""
    sources = [FOLDER / "peer.jsx", FOLDER / "build.mjs"]
    newest = max(source.stat().st_mtime for source in sources)
    was_installed = install_packages(FOLDER, "next-auth's JavaScript clients")
    built = DIST / "axe.js"  # the last one
    if was_installed or not built.exists() or built.stat().st_mtime < newest:
        subprocess.run([*node_command(), "build.mjs"], cwd=FOLDER, env=node_environment(), check=True)
    return DIST


def fetch_wheels() -> Path:
    """Download the libraries that pages of the tests load, unless that is done; returns their folder."""
    return fetch_pinned(WHEELS, [PINS, FOLDER / "requirements.txt"])

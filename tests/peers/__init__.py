"""Pages of next-auth's own JavaScript clients, from npm, to stand beside ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

from demo.serve import install_packages
from nextauth_py.bundle.node import node_command, node_environment

FOLDER = Path(__file__).parent
DIST = FOLDER / "dist"


def build_peers() -> Path:
    """Install and bundle them, unless that is done; returns the folder with ``v4.js`` and ``v5.js``."""
    sources = [FOLDER / "peer.jsx", FOLDER / "build.mjs"]
    newest = max(source.stat().st_mtime for source in sources)
    was_installed = install_packages(FOLDER, "next-auth's JavaScript clients")
    built = DIST / "v5.js"  # the last one
    if was_installed or not built.exists() or built.stat().st_mtime < newest:
        subprocess.run([*node_command(), "build.mjs"], cwd=FOLDER, env=node_environment(), check=True)
    return DIST

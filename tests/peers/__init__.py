"""What stands beside ours in tests: next-auth's clients, axe, MicroPython from npm; libraries from PyPI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from demo.serve import install_packages
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
    """Download the libraries that the adapters are for, unless that is done; returns their folder."""
    pins = FOLDER / "requirements.txt"
    stamp = WHEELS / ".fetched-for"
    if not stamp.exists() or stamp.read_text("utf-8") != pins.read_text("utf-8"):
        flags = ["--no-deps", "--require-hashes", "--disable-pip-version-check", "--only-binary=:all:", "-q"]
        command = [sys.executable, "-m", "pip", "download", *flags, "-r", str(pins), "-d", str(WHEELS)]
        subprocess.run(command, check=True)
        stamp.write_text(pins.read_text("utf-8"), "utf-8")
    return WHEELS

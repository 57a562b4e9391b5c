"""Real auth servers that tests can disturb, and the tests of what runs on servers."""

from __future__ import annotations

from pathlib import Path

SERVER_SCRIPT = Path(__file__).parent / "server.mjs"
SITE_SCRIPT = Path(__file__).parent / "site.mjs"

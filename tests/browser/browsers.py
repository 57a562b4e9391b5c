"""Finds the browser that the tests run in, or installs one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# Overrides the search: the path of a Chromium or Chrome.
VARIABLE = "CHROMIUM"

ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
)

# Playwright's download takes under a minute on a usable line; where it is blocked it retries for longer.
DOWNLOAD_PATIENCE = 180  # seconds

ADVICE = f"""No browser was found, and none could be installed. Do one of these and start again:
  - python3 -m playwright install --with-deps chromium   (in .venv)
  - apt-get install chromium, or install Chrome
  - {VARIABLE}=/path/to/chromium python3 -m tests"""


def chromium_path() -> str | None:
    """Where a Chromium is, or None."""
    if given := os.environ.get(VARIABLE):
        return given
    candidates = [_of_playwright(), *map(shutil.which, ON_PATH), *ELSEWHERE]
    return next((path for path in candidates if path and Path(path).exists()), None)


def ensure_browser() -> None:
    """Install a Chromium if there is none, or exit with what to do."""
    if chromium_path():
        return
    print("No browser found; installing Chromium…", flush=True)
    for command in _install_commands():
        _run(command)
        if chromium_path():
            return
    sys.exit(ADVICE)


def _of_playwright() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _install_commands() -> list[list[str]]:
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    # The libraries that a browser needs come from the system's packages, which only root may install.
    playwright = [
        sys.executable,
        "-m",
        "playwright",
        "install",
        *(["--with-deps"] if as_root else []),
        "chromium",
    ]
    if not (as_root and shutil.which("apt-get")):
        return [playwright]
    apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    return [playwright, ["apt-get", "update", "-qq"], apt]


def _run(command: list[str]) -> None:
    """Run an installer; whether it helped shows in whether there is a browser afterwards."""
    print("  " + " ".join(command), flush=True)
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, timeout=DOWNLOAD_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        print(f"  gave up after {DOWNLOAD_PATIENCE} s", flush=True)

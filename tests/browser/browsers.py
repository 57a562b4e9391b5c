"""Finds or installs the browser of the tests, and reads from playwright.config.py how to start it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

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


def load_config() -> Any:
    """The module playwright.config.py, which `import` cannot name because of its dot."""
    path = Path(__file__).parents[2] / "playwright.config.py"
    spec = importlib.util.spec_from_file_location("playwright_config", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def launch_options() -> dict[str, Any]:
    """How Playwright launches the browser."""
    return {"args": load_config().LAUNCH_FLAGS, "executable_path": chromium_path()}


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


@cache
def _of_playwright() -> str:
    """Where Playwright would install its own. Not to be called first while Playwright runs."""
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
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"  gave up after {DOWNLOAD_PATIENCE} s", flush=True)
    else:
        if done.returncode:
            print("\n".join(f"    {line}" for line in done.stderr.splitlines()[-5:]), flush=True)

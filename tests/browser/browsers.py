"""Finds or installs the browsers of the tests, and reads from playwright.config.py how to start them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright


@dataclass(frozen=True)
class Browser:
    """A browser of the tests, and where it may be.

    Attributes:
        name: As Playwright calls it.
        variable: Overrides the search with a path.
        on_path: Its commands.
        elsewhere: Where it lies on systems that have no such commands.
        package: What Debian calls it.
        oldest: The first version that Playwright can drive.
    """

    name: str
    variable: str
    on_path: tuple[str, ...]
    elsewhere: tuple[str, ...]
    package: str
    oldest: int = 0

    def path(self) -> str | None:
        """Where it is, or None."""
        if given := os.environ.get(self.variable):
            return given
        candidates = [_of_playwright(self.name), *map(shutil.which, self.on_path), *self.elsewhere]
        return next((path for path in candidates if path and Path(path).exists() and self._fits(path)), None)

    def _fits(self, path: str) -> bool:
        if not self.oldest:
            return True
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"(\d+)\.", told)
        return version is not None and int(version[1]) >= self.oldest


CHROMIUM = Browser(
    "chromium",
    "CHROMIUM",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "C:/Program Files/Google/Chrome/Application/chrome.exe",
        "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    ),
    "chromium",
)
FIREFOX = Browser(
    "firefox",
    "FIREFOX",
    ("firefox-esr", "firefox"),
    ("/Applications/Firefox.app/Contents/MacOS/firefox", "C:/Program Files/Mozilla Firefox/firefox.exe"),
    "firefox-esr",
    oldest=153,
)

# Playwright's download takes under a minute on a usable line; where it is blocked it retries for longer.
DOWNLOAD_PATIENCE = 180  # seconds

ADVICE = f"""No browser was found, and none could be installed. Do one of these and start again:
  - python3 -m playwright install --with-deps chromium   (in .venv)
  - apt-get install chromium, or install Chrome
  - {CHROMIUM.variable}=/path/to/chromium python3 -m tests"""


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
    """How Playwright launches Chromium."""
    return {"args": load_config().LAUNCH_FLAGS, "executable_path": CHROMIUM.path()}


def firefox_options() -> dict[str, Any] | None:
    """How Playwright launches Firefox; None where there is none."""
    path = FIREFOX.path()
    if not path or path == _of_playwright(FIREFOX.name):
        return {} if path else None
    # One that is not Playwright's own build speaks another protocol.
    return {"channel": "moz-firefox", "executable_path": path}


def ensure_browsers() -> None:
    """Install those that are missing; without a Chromium, exit with what to do."""
    if not _is_there(CHROMIUM):
        sys.exit(ADVICE)
    _is_there(FIREFOX)  # the few tests for it say that it is missing


def _is_there(browser: Browser) -> bool:
    if browser.path():
        return True
    print(f"No {browser.name} found; installing it…", flush=True)
    for command in _install_commands(browser):
        _run(command)
        if browser.path():
            return True
    return False


@cache
def _of_playwright(name: str) -> str:
    """Where Playwright would install its own. Not to be called first while Playwright runs."""
    with sync_playwright() as playwright:
        path: str = getattr(playwright, name).executable_path
    return path


def _install_commands(browser: Browser) -> list[list[str]]:
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    # The libraries that a browser needs come from the system's packages, which only root may install.
    playwright = [
        sys.executable,
        "-m",
        "playwright",
        "install",
        *(["--with-deps"] if as_root else []),
        browser.name,
    ]
    if not (as_root and shutil.which("apt-get")):
        return [playwright]
    apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", browser.package]
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

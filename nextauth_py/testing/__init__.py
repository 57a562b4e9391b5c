"""Tests of pages that use nextauth_py: in plain Python with a browser in memory, or in a real one.

Needs Beautiful Soup: ``pip install "nextauth-py[testing]"``. With pytest, the fixtures ``nextauth_browser``,
``nextauth_server`` and ``nextauth_tab`` are there without an import.

Example:
    ```python
    def test_a_visitor_signs_out(nextauth_browser):
        nextauth_browser.sign_in_as("alice", name="Alice")
        tab = nextauth_browser.open_tab()
        tab.run("account.py")
        assert tab.text("#account") == "Signed in as Alice Sign out"
        tab.click("button", text="Sign out")
        assert tab.text("#account") == "Sign in"
    ```
"""

from __future__ import annotations

from .browser import Browser, Tab
from .passkeys import Authenticator, Passkey
from .server import FakeAuthServer, FakeUser, html_answer, json_answer
from .sign_in import sign_in_as

__all__ = [
    "Authenticator",
    "Browser",
    "FakeAuthServer",
    "FakeUser",
    "Passkey",
    "Tab",
    "html_answer",
    "json_answer",
    "sign_in_as",
]

"""The auth server of the unit tests: `FakeAuthServer` as NextAuth v4, with alice and bob."""

from __future__ import annotations

from nextauth_py.testing.server import FakeAuthServer, Generation, html_answer, json_answer

__all__ = ["CSRF_COOKIE", "EXPIRES", "SESSION_COOKIE", "USERS", "FakeServer", "html_answer", "json_answer"]

USERS = {"alice": "wonder", "bob": "builder"}
EXPIRES = "2026-02-01T00:00:00.000Z"

CSRF_COOKIE = "next-auth.csrf-token"
SESSION_COOKIE = "next-auth.session-token"


class FakeServer(FakeAuthServer):
    """Sessions end on a date, unless a test says otherwise."""

    def __init__(self, generation: Generation = "v4") -> None:
        super().__init__(generation=generation, max_age=None)
        for name, password in USERS.items():
            self.add_user(name, password)

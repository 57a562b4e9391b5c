"""Tells a test's auth server to hold answers back, to replace them or to drop them, and what it has seen."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Self


class ServerControl:
    """Speaks to the control routes of `server.mjs`. A route is written ``"GET /api/auth/session"``."""

    def __init__(self, url: str, base_path: str = "/api/auth") -> None:
        self._url = f"{url}{base_path}/__control/"

    def hold(self, route: str, times: int = 1) -> None:
        """Have the next requests handled, cookies included, but their answers held back."""
        self._post("plan", {"route": route, "action": "hold", "times": times})

    def release(self) -> None:
        """Send all answers that are held back."""
        self._post("release")

    def answer(
        self, route: str, body: str, *, status: int = 200, kind: str = "application/json", times: int = 1
    ) -> None:
        """Answer the next requests with this instead of handling them."""
        plan = {
            "route": route,
            "action": "answer",
            "status": status,
            "body": body,
            "type": kind,
            "times": times,
        }
        self._post("plan", plan)

    def drop(self, route: str, times: int = 1) -> None:
        """Cut the connection of the next requests."""
        self._post("plan", {"route": route, "action": "drop", "times": times})

    def set_latency(self, milliseconds: int) -> None:
        """Handle each request so much later, until the next reset."""
        self._post("latency", {"milliseconds": milliseconds})

    def set_headers(self, headers: dict[str, str]) -> None:
        """Send these with each answer, static files included, until the next reset."""
        self._post("headers", headers)

    def requests(self) -> list[str]:
        """The routes asked for since the last reset, those that the browser aborted marked."""
        return [f"{each['route']}{' aborted' if each['aborted'] else ''}" for each in self._post("requests")]

    def mails(self) -> list[dict[str, Any]]:
        """The mails that the server has sent: ``to``, a list, and ``text``."""
        mails: list[dict[str, Any]] = self._post("mails")
        return mails

    def reset(self) -> None:
        """Forget plans and log; let go of what is held."""
        self._post("reset")

    def __enter__(self) -> Self:
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()

    def _post(self, command: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body or {}).encode()
        request = urllib.request.Request(self._url + command, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

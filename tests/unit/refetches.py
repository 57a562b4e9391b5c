"""What the tests of refetching count and note."""

from __future__ import annotations

from nextauth_py import SessionEvent, SessionProvider
from nextauth_py.core.wire import Response
from nextauth_py.testing.memory import MemoryHost
from nextauth_py.testing.network import Answer

SESSION = "GET /api/auth/session"


def gets(tab: MemoryHost) -> int:
    return tab.browser.network.count(SESSION)


def note_events(provider: SessionProvider) -> list[tuple[str, str, bool]]:
    """What happens from now on: name, reason, whether by this tab."""
    events: list[tuple[str, str, bool]] = []

    def note(event: SessionEvent) -> None:
        events.append((event.name, event.reason, event.local))

    for name in ("signed_in", "signed_out", "updated", "expired", "error"):
        provider.on(name, note)
    return events


def busy_server(wait: str) -> Answer:
    return Answer(Response(429, "", {"retry-after": wait}))

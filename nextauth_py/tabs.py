"""What tabs tell each other: the messages of next-auth v4 and v5, written and read. Pure: no transport.

v4 listens to a localStorage key, v5 to a BroadcastChannel; neither hears the other. We speak and hear both.
A message only says "ask again": what was heard is never sent on.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

CHANNEL = "next-auth"
STORAGE_KEY = "nextauth.message"

Trigger = Literal["getSession", "signout"]

# One announcement travels on both transports. Its twin arrives within milliseconds, so few need be known.
_REMEMBERED = 32


@dataclass(slots=True)
class Mailbox:
    """Writes this tab's messages and recognises which of those heard are news.

    Attributes:
        scope: The auth server's address. A message of ours for another server is none of its business.
    """

    scope: str
    _seen: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def write(self, trigger: Trigger, *, nonce: str, now: float) -> dict[str, Any]:
        """A message for both transports.

        Args:
            trigger: What happened, in the words of the JavaScript clients.
            nonce: Unique. Without it a second message in the same second is no change of the
                storage key, and so is never heard.
            now: Seconds since the epoch.
        """
        message = {"event": "session", "data": {"trigger": trigger}, "timestamp": int(now)}
        return {**message, "nonce": nonce, "scope": self.scope}

    def is_news(self, message: object) -> bool:
        """Whether a message from another tab calls for asking the server again."""
        if not isinstance(message, dict) or message.get("event") != "session":
            return False
        if message.get("scope", self.scope) != self.scope:
            return False
        nonce = message.get("nonce")
        if nonce is None:
            return True
        known = nonce in self._seen
        self._seen.append(str(nonce))
        return not known


def parse_stored(text: str | None) -> object:
    """The message in the storage key, or None if there is none that can be read."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return None

"""Carries the messages of `tabs` between this tab and the others, on all transports that are heard."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .tabs import CHANNEL, STORAGE_KEY, Mailbox, parse_stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from .host.base import Channel, Host
    from .tabs import Trigger


class Broadcast:
    """One tab's line to the others. It can announce without being open; only when open does it hear.

    Args:
        host: The world around.
        scope: The auth server's address.
        heard: Called when another tab has changed the session.
    """

    def __init__(self, host: Host, scope: str, heard: Callable[[], None]) -> None:
        self._host = host
        self._mailbox = Mailbox(scope)
        self._heard = heard
        self._channel: Channel | None = None
        self._on_close = ExitStack()

    def open(self) -> None:
        """Begin to hear."""
        self._channel = self._host.open_channel(CHANNEL, self._receive)
        self._on_close.callback(self._channel.close)
        listen = self._host.on_stored(STORAGE_KEY, lambda text: self._receive(parse_stored(text)))
        self._on_close.callback(listen)

    def close(self) -> None:
        """Hear no more."""
        self._channel = None
        self._on_close.close()

    def announce(self, trigger: Trigger) -> None:
        """Tell the tabs of next-auth v4, of v5, and ours."""
        message = self._mailbox.write(trigger, nonce=self._host.unique(), now=self._host.now())
        channel = self._channel or self._host.open_channel(CHANNEL, lambda _message: None)
        channel.post(message)
        if channel is not self._channel:
            channel.close()
        self._host.store(STORAGE_KEY, json.dumps(message))

    def _receive(self, message: object) -> None:
        if self._mailbox.is_news(message):
            self._heard()

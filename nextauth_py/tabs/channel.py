"""Carries the messages of `tabs` between this tab and the others, on all transports that are heard."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .messages import (
    CHANNEL,
    OWN_CHANNEL,
    STORAGE_KEY,
    Message,
    NextAuthMessages,
    parse_message,
    parse_stored,
    remember,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.store import SessionStore
    from ..host.base import Channel, Host
    from .messages import Kind, Trigger

# Seconds between two answers to "hello". Each reaches all tabs, so it also serves those that ask meanwhile.
_HERE_AGAIN = 0.05


class TabChannel:
    """One tab's line to the others. It can speak without being open; only when open does it hear.

    Args:
        host: The world around.
        scope: The auth server's address.
        tab: This tab's name.
        store: Tells the time; learns the other tabs' time.
        heard: Called with each message of another Python tab, and whether that was unknown.
        nudged: Called when a tab says that the session may have changed, and no more than that.
        timeout: Seconds that this tab grants a request.

    Attributes:
        scope: As given.
        tab: As given.
        leads: Says whether this tab leads, as `Message.leads`.
        since: Says when this tab's interval began, in seconds.
        peers: The other Python tabs that have been heard and have not said goodbye; the last heard is last.
            With the seconds that each grants a request.
        has_javascript_neighbours: Whether a JavaScript client has been heard on this origin.
    """

    def __init__(
        self,
        host: Host,
        scope: str,
        tab: str,
        store: SessionStore[Any],
        *,
        heard: Callable[[Message, bool], None],
        nudged: Callable[[], None],
        timeout: float,
    ) -> None:
        self.tab = tab
        self.peers: dict[str, float] = {}
        self._timeout = timeout
        self.has_javascript_neighbours = False
        self.leads: Callable[[], int] = lambda: 0
        self.since: Callable[[], float] = lambda: 0.0
        self._host = host
        self.scope = scope
        self._store = store
        self._javascript = NextAuthMessages(scope)
        self._heard = heard
        self._nudged = nudged
        self._channels: dict[str, Channel] = {}
        self._on_close = ExitStack()
        self._is_open = False
        self._is_greeted = False  # since the last answer to it
        self._cancel_here: Callable[[], None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it hears."""
        return self._is_open

    @property
    def longest_timeout(self) -> float:
        """Seconds for which a request of any tab may be under way; at least one."""
        return max(1.0, self._timeout, *self.peers.values())

    def open(self) -> None:
        """Begin to hear, and ask who is there."""
        self._is_open = True
        self._open_channel(OWN_CHANNEL, self._receive)
        self._open_channel(CHANNEL, self._receive_javascript)
        listen = self._host.on_stored(STORAGE_KEY, lambda text: self._receive_javascript(parse_stored(text)))
        self._on_close.callback(listen)
        self.post("hello")

    def close(self) -> None:
        """Take leave, and hear no more."""
        if self._is_open:
            self.post("bye")
        self._is_open = self._is_greeted = False
        if self._cancel_here:
            self._cancel_here()
            self._cancel_here = None
        self._channels.clear()
        self.peers.clear()
        self._on_close.close()

    def post(self, kind: Kind, **fields: Any) -> None:
        """Say something to the other Python tabs; see `Message`."""
        fields.setdefault("time", self._store.begin_read())
        since = int(max(self.since(), 0) * 1e6), self.tab
        fields |= {"leads": self.leads(), "since": since, "timeout": self._timeout}
        message = Message(kind, self.tab, epoch=self._store.epoch, **fields)
        self._send(OWN_CHANNEL, message.to_json(self.scope))

    def announce(self, trigger: Trigger) -> None:
        """Tell the tabs of next-auth v4 and of v5, and Python tabs that have no channel of their own."""
        told = OWN_CHANNEL in self._channels
        message = self._javascript.write(trigger, nonce=self._host.unique(), now=self._host.now(), told=told)
        self._send(CHANNEL, message)
        self._host.store(STORAGE_KEY, json.dumps(message))

    def was_announced_since(self, time: float) -> bool:
        """Whether a tab, which may be gone, has said since then that the session has changed."""
        return self._javascript.time_of(parse_stored(self._host.stored(STORAGE_KEY))) >= time

    def _open_channel(self, name: str, receive: Callable[[object], None]) -> None:
        channel = self._host.open_channel(name, receive)
        if channel is not None:
            self._channels[name] = channel
            self._on_close.callback(channel.close)

    def _send(self, name: str, message: Mapping[str, Any] | str) -> None:
        if name in self._channels:
            self._channels[name].post(message)
        elif channel := self._host.open_channel(name, lambda _message: None):
            channel.post(message)
            channel.close()

    def _receive(self, text: object) -> None:
        message = parse_message(text, self.scope, now=self._host.now())
        if message is None or message.tab == self.tab:
            return
        if message.kind == "hello":
            self._is_greeted = True
            if self._cancel_here is None:
                self._answer_hello()
        is_new = message.tab not in self.peers
        timeout = message.timeout or self.peers.get(message.tab, self._timeout)
        if (oldest := remember(self.peers, message.tab, timeout)) is not None:
            del self.peers[oldest]
        self._heard(message, is_new)
        if message.kind == "bye":
            self.peers.pop(message.tab, None)

    def _answer_hello(self) -> None:
        self._cancel_here = None
        if self._is_greeted:
            self._is_greeted = False
            self.post("here")
            self._cancel_here = self._host.call_later(_HERE_AGAIN, self._answer_hello)

    def _receive_javascript(self, message: object) -> None:
        speaker = self._javascript.read(message, listens=OWN_CHANNEL in self._channels)
        if speaker == "javascript":
            self.has_javascript_neighbours = True
        if speaker:
            self._nudged()

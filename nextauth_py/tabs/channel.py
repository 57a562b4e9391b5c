"""This tab's end of the channels between tabs: ours, and the two of the JavaScript clients."""

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

    from ..core.schedule import Schedule
    from ..core.store import SessionStore
    from ..host.base import Channel, Host
    from .leader import Leader
    from .messages import Kind, Trigger

# Seconds between two answers to "hello". Each reaches all tabs, so it also serves those that ask meanwhile.
_HERE_AGAIN = 0.05


class TabChannel:
    """This tab's end of the BroadcastChannels. Posts even while closed; receives only while open.

    Args:
        host: The page or worker this runs in.
        scope: The auth server's address.
        tab: This tab's name.
        store: Stamps messages with the logical time.
        leader: Whether this tab leads, for `Message.leads`.
        schedule: When this tab's interval began, for `Message.since`.
        timeout: Seconds after which this tab's requests fail.

    Attributes:
        scope: As given.
        tab: As given.
        peers: The other open Python tabs, the most recently heard last, with the timeout in seconds of each.
        has_javascript_peers: Whether a JavaScript client has posted on this origin.
    """

    def __init__(
        self,
        host: Host,
        scope: str,
        tab: str,
        store: SessionStore[Any],
        *,
        leader: Leader,
        schedule: Schedule,
        timeout: float,
    ) -> None:
        self.scope = scope
        self.tab = tab
        self.peers: dict[str, float] = {}
        self.has_javascript_peers = False
        self._host = host
        self._store = store
        self._leader = leader
        self._schedule = schedule
        self._timeout = timeout
        self._javascript = NextAuthMessages(scope)
        self._channels: dict[str, Channel] = {}
        self._on_close = ExitStack()
        self._stored: str | None = None  # the last known announcement in localStorage
        self._nudged: Callable[[], None] = _nothing
        self._is_open = False
        self._is_greeted = False  # since the last answer to it
        self._cancel_here: Callable[[], None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether messages are received."""
        return self._is_open

    @property
    def longest_timeout(self) -> float:
        """The longest timeout of all tabs, in seconds; at least one."""
        return max(1.0, self._timeout, *self.peers.values())

    def open(self, heard: Callable[[Message, bool], None], nudged: Callable[[], None]) -> None:
        """Start receiving, and ask the other tabs to reply.

        Args:
            heard: Called with each message of another Python tab, and whether that tab is new.
            nudged: Called when a message says only that the session may have changed.
        """
        self._is_open = True
        self._nudged = nudged
        self._open_channel(OWN_CHANNEL, lambda text: self._receive(text, heard))
        self._open_channel(CHANNEL, self._receive_javascript)
        self._on_close.callback(self._host.on_stored(STORAGE_KEY, self._receive_stored))
        self._stored = self._host.stored(STORAGE_KEY)
        self.post("hello")

    def close(self) -> None:
        """Post ``bye`` and stop receiving."""
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
        """Post a message to the other Python tabs; see `Message`."""
        fields.setdefault("time", self._store.begin_read())
        since = int(max(self._schedule.since, 0) * 1e6), self.tab
        fields |= {"leads": self._leader.rank, "since": since, "timeout": self._timeout}
        message = Message(kind, self.tab, epoch=self._store.epoch, **fields)
        self._send(OWN_CHANNEL, message.to_json(self.scope))

    def announce(self, trigger: Trigger) -> None:
        """Post to the tabs of next-auth v4 and v5, and to Python tabs without BroadcastChannel."""
        told = OWN_CHANNEL in self._channels
        message = self._javascript.write(trigger, nonce=self._host.unique(), now=self._host.now(), told=told)
        self._send(CHANNEL, message)
        self._stored = json.dumps(message)
        self._host.store(STORAGE_KEY, self._stored)

    def check_stored(self) -> None:
        """Receive what a client in this page has announced in localStorage: browsers tell only other tabs."""
        stored = self._host.stored(STORAGE_KEY)
        if self._is_open and stored != self._stored:
            self._receive_stored(stored)

    def was_announced_since(self, time: float) -> bool:
        """Whether any tab, perhaps closed by now, has announced a change since then."""
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

    def _receive_javascript(self, message: object) -> None:
        speaker = self._javascript.read(message, listens=OWN_CHANNEL in self._channels)
        if speaker == "javascript":
            self.has_javascript_peers = True
        if speaker:
            self._nudged()

    def _receive_stored(self, text: str | None) -> None:
        self._stored = text
        self._receive_javascript(parse_stored(text))

    def _receive(self, text: object, heard: Callable[[Message, bool], None]) -> None:
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
        heard(message, is_new)
        if message.kind == "bye":
            self.peers.pop(message.tab, None)

    def _answer_hello(self) -> None:
        self._cancel_here = None
        if self._is_greeted:
            self._is_greeted = False
            self.post("here")
            self._cancel_here = self._host.call_later(_HERE_AGAIN, self._answer_hello)


def _nothing() -> None:
    """Nobody listens yet."""

"""What tabs tell each other: messages written and read. Pure: no transport.

Python tabs have a channel of their own, on which the session itself travels, in order. The JavaScript clients
only hear that they should ask again: v4 on a localStorage key, v5 on a BroadcastChannel. We speak and hear
both. What was heard is never sent on.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, get_args

from ..core.bounded_json import DEEPEST, LONGEST_MESSAGE, loads
from ..core.store import NEVER, TOO_FAR_AHEAD, Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

# --- limits: any script of the origin can post anything, and as often as it likes ---

# A message wraps an answer in one more level.
_DEEPEST_MESSAGE = DEEPEST + 1

# Of tabs, nonces and kinds of mutations, in characters. Ours have 16 at most.
_LONGEST_NAME = 64

# Tabs that are remembered, each with a fence at most. Beyond that the one heard least recently is forgotten.
MOST_TABS = 200


def remember(known: dict[str, T], tab: str, value: T) -> str | None:
    """Note something about a tab. Returns the tab that has to be forgotten for it, if any."""
    known.pop(tab, None)
    known[tab] = value
    return next(iter(known)) if len(known) > MOST_TABS else None


@dataclass
class Pace:
    """Allows so many things at once, and then one each second.

    Attributes:
        now: The machine's clock, in seconds.
        most: How many at once.
    """

    now: Callable[[], float]
    most: int
    _taken: float = 0.0
    _at: float = 0.0

    def wait(self) -> float:
        """Seconds until the next one is allowed."""
        now = self.now()
        self._taken = max(self._taken - max(now - self._at, 0.0), 0.0)
        self._at = now
        return max(self._taken + 1 - self.most, 0.0)

    def take(self) -> bool:
        """Whether one is allowed now; if so, it counts."""
        is_allowed = not self.wait()
        self._taken += is_allowed
        return is_allowed


# --- with next-auth's JavaScript clients ---

CHANNEL = "next-auth"
STORAGE_KEY = "nextauth.message"

Trigger = Literal["getSession", "signout"]
# Who speaks in a message that is heard: a JavaScript client, or a Python tab that could not tell us more.
Speaker = Literal["javascript", "python"]

# One announcement travels on both transports. Its twin arrives within milliseconds, so few need be known.
_REMEMBERED = 32


@dataclass
class NextAuthMessages:
    """Writes the messages that JavaScript clients understand, and recognises which of those heard are news.

    Attributes:
        scope: The auth server's address. A message of ours for another server is none of its business.
    """

    scope: str
    _seen: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def write(self, trigger: Trigger, *, nonce: str, now: float, told: bool) -> dict[str, Any]:
        """A message for both transports.

        Args:
            trigger: What happened, in the words of the JavaScript clients.
            nonce: Unique. Without it a second message in the same second is no change of the
                storage key, and so is never heard.
            now: Seconds since the epoch.
            told: Whether the Python tabs have heard of it on their own channel.
        """
        message = {"event": "session", "data": {"trigger": trigger}, "timestamp": int(now)}
        own = {"nonce": nonce, "scope": self.scope, "told": PROTOCOL if told else 0, "time": now}
        return {**message, **own}

    def time_of(self, message: object) -> float:
        """When an announcement was made, at the latest; 0 if it is none, or is about another server."""
        if not isinstance(message, dict) or message.get("event") != "session":
            return 0
        is_ours = "nonce" in message
        time = message.get("time" if is_ours else "timestamp")
        if not isinstance(time, (int, float)) or (is_ours and message.get("scope") != self.scope):
            return 0
        return time if is_ours else time + 1  # it names the whole second

    def read(self, message: object, *, listens: bool) -> Speaker | None:
        """Who calls for asking the server again; None if nobody does.

        Args:
            message: What was heard.
            listens: Whether this tab hears the channel of the Python tabs too.
        """
        if not isinstance(message, dict) or message.get("event") != "session":
            return None
        if "nonce" not in message:
            return "javascript"
        nonce = message["nonce"]
        if message.get("scope") != self.scope or not _is_name(nonce) or nonce in self._seen:
            return None
        self._seen.append(nonce)
        return None if listens and message.get("told") == PROTOCOL else "python"


def parse_stored(text: str | None) -> object:
    """The message in the storage key, or None if there is none that can be read."""
    try:
        return loads(text or "null")
    except ValueError:
        return None


# --- between Python tabs ---

OWN_CHANNEL = "nextauth_py"
PROTOCOL = 1

# "hello", "here", "bye": who is there. "asking": the sender asks the server, for all. "fence", "ack", "done":
# around a mutation. "changed": a mutation whose outcome the sender does not know. "state": the session.
# "failed": the server could not be asked.
Kind = Literal["hello", "here", "bye", "asking", "fence", "ack", "done", "changed", "state", "failed"]

_LONGEST_REASON = 200  # characters

# Seconds that another tab may grant its requests; more would keep this one waiting for too long.
_LONGEST_TIMEOUT = 60.0


class Failure(NamedTuple):
    """A failed request, as `ClientFetchError` describes it."""

    status: int | None
    reason: str
    retry_after: float | None


@dataclass(frozen=True)
class Message:
    """What one Python tab says to all others.

    Attributes:
        kind: What it says.
        tab: Who says it.
        time: Of "state" and "failed": when the read began, or the mutation ended. Of "fence" and "ack": when
            the mutation began. Else when it was sent.
        epoch: When the session was last changed, as far as the sender knows.
        session: Of "state": the session as the server sent it, or None for "signed out".
        leads: Whether the sender polls for all: 0 not, 1 because nobody else did, 2 because it has the lock.
        mutated: Of "state": which mutation it is the outcome of, if any.
        failure: Of "failed": what happened.
        since: When the sender's refetch interval began.
        timeout: Seconds that the sender grants a request; 0 if it does not say.
    """

    kind: Kind
    tab: str
    time: Stamp
    epoch: Stamp = NEVER
    session: Mapping[str, Any] | None = field(default=None, repr=False)
    leads: int = 0
    mutated: str | None = None
    failure: Failure | None = None
    since: Stamp = NEVER
    timeout: float = 0.0

    def to_json(self, scope: str) -> str:
        """As text. Browsers would carry an object too, but lose the difference of null and missing."""
        return json.dumps(
            {"v": PROTOCOL, "scope": scope, **vars(self)}, ensure_ascii=False, separators=(",", ":")
        )


def parse_message(text: object, scope: str, *, now: float) -> Message | None:
    """Read a message; None if it is malformed, of another protocol version, or about another server.

    What a tab shows or has changed by a clock too far ahead is older than all else: a reason to ask, at most.
    """
    try:
        raw = loads(
            text if isinstance(text, str) else "null", longest=LONGEST_MESSAGE, deepest=_DEEPEST_MESSAGE
        )
    except ValueError:
        return None
    if not isinstance(raw, dict) or raw.get("v") != PROTOCOL or raw.get("scope") != scope:
        return None
    time, epoch, since = (_read_stamp(raw.get(name)) for name in ("time", "epoch", "since"))
    if time is None or epoch is None or raw.get("kind") not in get_args(Kind):
        return None
    match raw:
        case {
            "kind": kind,
            "tab": str(tab),
            "session": (dict() | None) as session,
            "leads": int(leads),
            "mutated": (str() | None) as mutated,
        } if session != {} and _is_name(tab) and (mutated is None or _is_name(mutated)):
            failure = _read_failure(raw.get("failure"))
            timeout = raw.get("timeout")
            if not isinstance(timeout, (int, float)) or timeout < 0:
                timeout = 0.0
            if max(time, epoch)[0] > now * 1e6 + TOO_FAR_AHEAD:
                if kind not in {"state", "changed"}:
                    return None
                time = epoch = NEVER
            if (kind == "failed") is (failure is not None):
                timeout = min(timeout, _LONGEST_TIMEOUT)
                return Message(
                    kind, tab, time, epoch, session, leads, mutated, failure, since or NEVER, timeout
                )
    return None


def _read_failure(raw: object) -> Failure | None:
    match raw:
        case [(int() | None) as status, str(reason), (int() | float() | None) as retry_after]:
            if retry_after is None or 0 <= retry_after < float("inf"):
                return Failure(status, reason[:_LONGEST_REASON], retry_after)
    return None


def _read_stamp(raw: object) -> Stamp | None:
    match raw:
        case [int(time), str(tab)] if not isinstance(time, bool) and time >= 0:
            return (time, tab) if len(tab) <= _LONGEST_NAME else None
    return None


def _is_name(text: object) -> bool:
    return isinstance(text, str) and len(text) <= _LONGEST_NAME

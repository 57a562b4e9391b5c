"""A virtual authenticator: the passkeys of a browser, and what its visitor does when asked for one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ..core.passkeys import PasskeyError

if TYPE_CHECKING:
    from ..core.passkeys import Action

# Of this machine: pages there are secure contexts, but passkeys need a name.
_ADDRESSES = {"127.0.0.1", "::1"}

Visitor = Literal["confirms", "cancels", "waits"]


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey that a visitor has made.

    Attributes:
        id: Its id.
        site: The domain that it is for.
        username: What the browser shows it by.
    """

    id: str
    site: str
    username: str


class Authenticator:
    """The passkeys of a browser.

    Attributes:
        passkeys: Those it has, the oldest first. The newest is used.
        visitor: What the visitor does when asked: ``"confirms"``, ``"cancels"`` (or is too slow), or
            ``"waits"`` until `confirm` or `cancel` is called.
        is_supported: Whether the browser has passkeys.
        has_autofill: Whether it offers them in the autofill of fields.
        asked: What it was asked for so far: ``"authenticate"``, ``"register"`` or ``"autofill"``.
    """

    def __init__(self) -> None:
        self.passkeys: list[Passkey] = []
        self.visitor: Visitor = "confirms"
        self.is_supported = self.has_autofill = True
        self.asked: list[str] = []
        self._waiting: asyncio.Future[Visitor] | None = None
        self._numbers = count(1)

    @property
    def is_waiting(self) -> bool:
        """Whether the visitor is being asked just now."""
        return self._waiting is not None

    def confirm(self) -> None:
        """Have the visitor that waits confirm."""
        self._decide("confirms")

    def cancel(self) -> None:
        """Have the visitor that waits cancel."""
        self._decide("cancels")

    def _decide(self, decision: Visitor) -> None:
        if self._waiting is None:
            raise LookupError("no page asks for a passkey")
        self._waiting.set_result(decision)

    async def ask(self, action: Action, options: dict[str, Any], domain: str, *, autofill: bool) -> str:
        """Answer a page, as `host.base.Passkeys.ask` describes."""
        if self.is_waiting:
            raise PasskeyError("OperationError", "A request is already pending.")
        self.asked.append("autofill" if autofill else action)
        site = options["rpId"] if action == "authenticate" else options["rp"]["id"]
        if domain in _ADDRESSES or (domain != site and not domain.endswith(f".{site}")):
            raise PasskeyError("SecurityError", f"{site} is no suffix of {domain}, or that is no name")
        self._waiting = asyncio.get_running_loop().create_future()
        if self.visitor != "waits":
            self._decide(self.visitor)
        try:
            decision = await self._waiting
        finally:
            self._waiting = None
        if decision == "cancels":
            raise PasskeyError("NotAllowedError", "The operation either timed out or was not allowed.")
        use = self._use if action == "authenticate" else self._make
        answer = {"clientDataJSON": options["challenge"]}
        key = use(options, site)
        return json.dumps({"id": key.id, "rawId": key.id, "type": "public-key", "response": answer})

    def _use(self, options: dict[str, Any], site: str) -> Passkey:
        wanted = _ids(options, "allowCredentials")
        found = [key for key in self.passkeys if key.site == site and (not wanted or key.id in wanted)]
        if not found:
            raise PasskeyError("NotAllowedError", "The operation either timed out or was not allowed.")
        return found[-1]

    def _make(self, options: dict[str, Any], site: str) -> Passkey:
        known = _ids(options, "excludeCredentials")
        if any(key.id in known for key in self.passkeys):
            raise PasskeyError("InvalidStateError", "The authenticator was previously registered.")
        made = Passkey(f"passkey-{next(self._numbers)}", site, options["user"]["name"])
        self.passkeys.append(made)
        return made


class MemoryPasskeys:
    """The way of one page to its browser's authenticator."""

    def __init__(self, authenticator: Authenticator, url: str) -> None:
        parts = urlsplit(url)
        self._domain = parts.hostname or ""
        self._authenticator = authenticator
        self.is_allowed = parts.scheme == "https" or self._domain in {"localhost", *_ADDRESSES}

    async def is_supported(self, *, autofill: bool) -> bool:
        """As `host.base.Passkeys.is_supported`."""
        return self._authenticator.is_supported and (self._authenticator.has_autofill or not autofill)

    async def ask(self, action: Action, options: str, *, autofill: bool) -> str:
        """As `host.base.Passkeys.ask`."""
        try:
            read = json.loads(options)
            return await self._authenticator.ask(action, read, self._domain, autofill=autofill)
        except (KeyError, TypeError) as error:
            raise ValueError(f"the options lack {error}") from None


def _ids(options: dict[str, Any], name: str) -> set[str]:
    return {each["id"] for each in options.get(name) or ()}

"""Sign-in by passkey, up to the POST: the server's challenge, and the visitor's answer to it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..core import passkeys
from ..core.passkeys import Challenge
from ..errors import ClientFetchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from contextlib import AbstractContextManager

    from ..core.urls import AuthUrl
    from ..core.wire import Request, Response, SignInResult
    from ..host.base import Host

    Answer = Mapping[str, object] | SignInResult

# Seconds for which autofill waits with the same challenge. Auth.js takes it for 15 minutes.
_LASTS = 600.0
# Seconds after which a new one is asked for again, if the server could not be reached.
_RETRIES = 30.0

# A page's ceremony in progress. Browsers allow one at a time, and servers keep one challenge for a browser.
_current: WeakKeyDictionary[Host, asyncio.Task[Any]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Ceremony:
    """Have the visitor answer the server's challenge with a passkey.

    Attributes:
        host: The page.
        auth: The auth server.
        provider_id: The provider.
        provider: As the server describes it.
        callback_url: As it will be sent.
        send: Sends a request while no other one of ours is under way.
        idle: Entered while the visitor decides.
        trace: Logs what the browser says.
    """

    host: Host
    auth: AuthUrl
    provider_id: str
    provider: Mapping[str, Any]
    callback_url: str
    send: Callable[[Request], Awaitable[Response]]
    idle: Callable[[], AbstractContextManager[object]]
    trace: Callable[..., None]

    async def run(self, fields: Mapping[str, list[str]]) -> Answer:
        """Return the form to post; or the result, if there is none to post.

        An earlier call on this page that still waits for the visitor ends: its result is
        ``"PasskeyCancelled"``.

        Args:
            fields: The user's, and the options `action` and `autofill`.

        Raises:
            ClientFetchError: The server could not be reached, or its answer is invalid.
            ValueError: The page cannot use passkeys, or an option is invalid.
        """
        if not self.host.is_page:
            raise ValueError("a worker cannot ask for a passkey: call sign_in() in a script without worker")
        if not self.host.passkeys().is_allowed:
            raise ValueError("passkeys need a page of https, or of http://localhost")
        sent, autofill = passkeys.read_fields(fields)
        try:
            return await _alone(self.host, lambda: self._form(sent, autofill))
        except passkeys.PasskeyError as error:
            self.trace("no passkey: %s", error)
            return passkeys.failed(error)

    async def _form(self, fields: Mapping[str, list[str]], autofill: bool) -> Answer:
        browser = self.host.passkeys()
        if not await browser.is_supported(autofill=autofill):
            raise passkeys.PasskeyError("NotSupportedError")
        challenge = await self._challenge(fields)
        while isinstance(challenge, Challenge):
            answer = browser.ask(challenge.action, challenge.options, autofill=autofill)
            try:
                with self.idle():
                    data = await (_while_fresh(self.host, answer) if autofill else answer)
            except ValueError as error:
                reason = f"the browser cannot read the options for a passkey: {error}"
                raise ClientFetchError(challenge.url, 200, reason) from None
            if data is not None:
                return {**fields, "action": challenge.action, "data": data}
            challenge = await self._new_challenge(fields)
        return challenge

    async def _challenge(self, fields: Mapping[str, list[str]]) -> Challenge | SignInResult:
        request = passkeys.options_request(self.auth, self.provider_id, fields)
        response = await self.send(request)
        return passkeys.read_options(
            self.auth,
            request,
            response,
            asked=fields.get("action") or [],
            page=self.host.location(),
            callback_url=self.callback_url,
            provider=self.provider,
        )

    async def _new_challenge(self, fields: Mapping[str, list[str]]) -> Challenge | SignInResult:
        while True:
            try:
                return await self._challenge(fields)
            except ClientFetchError as error:
                self.trace("no new challenge: %s", error)
            with self.idle():
                await asyncio.sleep(_RETRIES)


async def _alone(host: Host, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    while earlier := _current.get(host):
        earlier.cancel()
        await asyncio.wait({earlier})
    task: asyncio.Task[Answer] = asyncio.create_task(ask())
    _current[host] = task
    task.add_done_callback(lambda _: _current.pop(host, None))
    cancelled = _cancellations()
    try:
        return await task
    except asyncio.CancelledError:
        if _cancellations() > cancelled:
            raise
        raise passkeys.PasskeyError("AbortError", "another sign-in by passkey has begun") from None


async def _while_fresh(host: Host, asking: Coroutine[Any, Any, str]) -> str | None:
    """Wait for the visitor; None if a new challenge is due. A tab that is not in view has no use for one."""
    task = asyncio.create_task(asking)
    is_old = False

    def end() -> None:
        if is_old and host.is_visible():
            task.cancel()

    def grow_old() -> None:
        nonlocal is_old
        is_old = True
        end()

    cancelled = _cancellations()
    with ExitStack() as undo:
        undo.callback(host.on_visibility(end))
        undo.callback(host.call_later(_LASTS, grow_old))
        try:
            return await task
        except asyncio.CancelledError:
            if _cancellations() > cancelled:
                raise
            return None


def _cancellations() -> int:
    """How often the current task has been cancelled from outside."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0

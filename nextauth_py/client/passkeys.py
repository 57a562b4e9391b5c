"""Sign-in by passkey, up to the POST: the server's challenge, and the visitor's answer to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..core import passkeys
from ..errors import ClientFetchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractContextManager

    from ..core.urls import AuthUrl
    from ..core.wire import Request, Response, SignInResult
    from ..host.base import Host

    Answer = Mapping[str, object] | SignInResult

# A page's ceremony in progress. Browsers allow one at a time, and servers keep one challenge for a browser.
_current: WeakKeyDictionary[Host, asyncio.Task[Any]] = WeakKeyDictionary()


async def ask_for_passkey(
    host: Host,
    auth: AuthUrl,
    provider_id: str,
    fields: Mapping[str, list[str]],
    *,
    callback_url: str,
    provider: Mapping[str, Any],
    send: Callable[[Request], Awaitable[Response]],
    idle: Callable[[], AbstractContextManager[object]],
    trace: Callable[[str, object], None],
) -> Answer:
    """Have the visitor answer the server's challenge with a passkey.

    An earlier call that still waits for the visitor ends: its result is ``"PasskeyCancelled"``.

    Args:
        host: The page.
        auth: The auth server.
        provider_id: The provider.
        fields: The user's, and the options `action` and `autofill`.
        callback_url: As it will be sent.
        provider: As the server describes it.
        send: Sends a request while no other one of ours is under way.
        idle: Entered while the visitor decides.
        trace: Logs what the browser says.

    Returns:
        The form to post; or the result, if there is none to post.

    Raises:
        ClientFetchError: The server could not be reached, or its answer is invalid.
        ValueError: The page cannot use passkeys, or an option is invalid.
    """
    if not host.is_page:
        raise ValueError("a worker cannot ask for a passkey: call sign_in() in a script without worker")
    browser = host.passkeys()
    if not browser.is_allowed:
        raise ValueError("passkeys need a page of https, or of http://localhost")
    sent, autofill = passkeys.read_fields(fields)

    async def ask() -> Answer:
        if not await browser.is_supported(autofill=autofill):
            return passkeys.failed("PasskeyUnsupported")
        request = passkeys.options_request(auth, provider_id, sent)
        response = await send(request)
        challenge = passkeys.read_options(
            auth, request, response, page=host.location(), callback_url=callback_url, provider=provider
        )
        if not isinstance(challenge, passkeys.Challenge):
            return challenge
        if autofill and challenge.action == "register":
            raise ClientFetchError(request.url, response.status, "the answer is not for action=authenticate")
        try:
            with idle():
                data = await browser.ask(challenge.action, challenge.options, autofill=autofill)
        except passkeys.PasskeyError as error:
            trace("no passkey: %s", error)
            return passkeys.failed(passkeys.code_of(error), response.status)
        except ValueError as error:
            reason = f"the browser cannot read the options for a passkey: {error}"
            raise ClientFetchError(request.url, response.status, reason) from None
        return {**sent, "action": challenge.action, "data": data}

    return await _alone(host, ask)


async def _alone(host: Host, ask: Callable[[], Any]) -> Answer:
    while earlier := _current.get(host):
        earlier.cancel()
        await asyncio.wait({earlier})
    task: asyncio.Task[Answer] = asyncio.create_task(ask())
    _current[host] = task
    task.add_done_callback(lambda _: _current.pop(host, None))
    caller = asyncio.current_task()
    cancelling = caller.cancelling() if caller else 0
    try:
        return await task
    except asyncio.CancelledError:
        if caller and caller.cancelling() > cancelling:
            raise
        return passkeys.failed("PasskeyCancelled")  # for a later call

"""The request for a passkey, its answers, and the names of what can fail. Pure: the browser does the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from ..errors import ClientFetchError
from . import wire
from .urls import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .urls import AuthUrl
    from .wire import Request, Response, SignInResult

Action = Literal["authenticate", "register"]

_ACTIONS = ("authenticate", "register")

# What WebAuthn's errors mean for a sign-in. Browsers do not tell a visitor who cancels from one who is too
# slow, so that no site learns who has passkeys.
_CODES = {
    "NotAllowedError": "PasskeyCancelled",
    "AbortError": "PasskeyCancelled",
    "SecurityError": "PasskeyOrigin",
    "InvalidStateError": "PasskeyExists",
    "NotSupportedError": "PasskeyUnsupported",
    "ConstraintError": "PasskeyUnsupported",
}

# Of a form, what belongs into the POST only.
_NOT_ASKED = {"callbackUrl", "csrfToken"}


class PasskeyError(Exception):
    """The browser has given no passkey.

    Args:
        name: The browser's error, such as ``"NotAllowedError"``.
        message: What the browser says about it, for developers.
    """

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


@dataclass(frozen=True)
class Challenge:
    """What the server wants: the action, and the browser's options for it as JSON.

    Attributes:
        action: Which.
        options: As JSON.
        url: Where it comes from.
    """

    action: Action
    options: str
    url: str


def read_fields(fields: Mapping[str, list[str]]) -> tuple[dict[str, list[str]], bool]:
    """The fields to send, and whether the browser is to offer passkeys in its autofill.

    Raises:
        ValueError: ``action`` or ``autofill`` has no such value, or they do not go together.
    """
    sent = {**fields}
    autofill, action = sent.pop("autofill", []), sent.get("action", [])
    if autofill not in (["true"], ["false"], []):
        raise ValueError("autofill takes True or False")
    if action not in ([], *([each] for each in _ACTIONS)):
        raise ValueError(f'action="{", ".join(action)}" is none: use "authenticate" or "register"')
    if autofill == ["true"]:
        if action == ["register"]:
            raise ValueError('autofill=True is for action="authenticate": it offers passkeys that there are')
        return {**sent, "action": ["authenticate"]}, True
    return sent, False


def options_request(auth: AuthUrl, provider_id: str, fields: Mapping[str, list[str]]) -> Request:
    """GET what the browser needs to ask for a passkey."""
    query = encoded({name: texts for name, texts in fields.items() if name not in _NOT_ASKED})
    url = auth.endpoint("webauthn-options", provider_id) + (f"?{query}" if query else "")
    # Without the header, an error of the server redirects to a page of HTML.
    return wire.Request("GET", url, {"X-Auth-Return-Redirect": "1"}, with_credentials=bool(auth.origin))


def read_options(
    auth: AuthUrl,
    request: Request,
    response: Response,
    *,
    asked: list[str],
    page: str,
    callback_url: str,
    provider: Mapping[str, Any],
) -> Challenge | SignInResult:
    """What the server wants from the browser, or why it refuses the request.

    Args:
        auth: The auth server.
        request: As sent.
        response: Its answer.
        asked: The action that was asked for, if it was.
        page: The address of the current page.
        callback_url: As it will be sent.
        provider: As the server describes it.

    Raises:
        ClientFetchError: Any other answer.
    """
    bad_request = 400
    if not response.ok and response.status != bad_request:
        raise ClientFetchError(request.url, response.status)
    answer = wire.json_body(request, response)
    said: dict[str, Any] = answer if isinstance(answer, dict) else {}
    error, action, options = said.get("error"), said.get("action"), said.get("options")
    if response.status == bad_request and error and isinstance(error, str):
        return wire.SignInResult(ok=False, status=bad_request, error=error)
    if response.ok and "url" in said:
        url = wire.read_redirect(request, response, page=page)
        verdict = wire.read_verdict(auth, url, page=page, callback_url=callback_url, provider=provider)
        result = wire.read_sign_in(response, url, verdict)
        if not result.ok:
            return result
    if response.ok and action in (asked or _ACTIONS) and isinstance(options, dict):
        return Challenge(cast("Action", action), json.dumps(options), request.url)
    raise ClientFetchError(request.url, response.status, "the answer has no options for a passkey")


def failed(error: PasskeyError) -> SignInResult:
    """The result of a sign-in for which the browser has given no passkey."""
    return wire.SignInResult(ok=False, status=200, error=_CODES.get(error.name, "PasskeyFailed"))

"""The calls as plain functions: on the current provider, or on their own where none is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .client.listeners import ignores_events
from .host import default_host
from .provider import SessionProvider, current_provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .core.wire import SignInResult, SignOutResult
    from .host.base import Host
    from .models import Provider, Session

_providers_of_nobody: WeakKeyDictionary[Host, SessionProvider[Any]] = WeakKeyDictionary()


@ignores_events
async def get_session(*, broadcast: bool = True) -> Session | None:
    """Ask the server for the session.

    Args:
        broadcast: Whether the tabs of JavaScript clients are told to ask too, changed or not. Python tabs
            hear the answer itself.

    Returns:
        The session; None if, and only if, nobody is signed in.

    Raises:
        ClientFetchError: The server could not be asked, or gave no proper answer.
        SessionValidationError: The session does not fit the provider's ``session_type``.
    """
    return await _provider().get_session(broadcast=broadcast)


@ignores_events
async def get_csrf_token() -> str | None:
    """The csrf token for a form of your own.

    Returns:
        The token; None where the server's framework checks csrf in a way of its own.

    Raises:
        ClientFetchError: The server could not be asked.
    """
    return await _provider().get_csrf_token()


@ignores_events
async def get_providers() -> dict[str, Provider]:
    """The ways to sign in that the server offers, by id.

    Raises:
        ClientFetchError: The server could not be asked.
    """
    return await _provider().get_providers()


@ignores_events
async def sign_in(
    provider: str | None = None,
    /,
    *,
    callback_url: str | None = None,
    redirect: bool = True,
    authorization_params: Mapping[str, object] | str | None = None,
    **fields: object,
) -> SignInResult | None:
    """Sign in. Without a provider's id, or with an unknown one, go to the server's own sign-in page.

    Args:
        provider: The id of a provider, as ``"github"`` or ``"credentials"``.
        callback_url: Where to be afterwards; by default this page, without ``error``, ``code``, ``csrf`` in
            its address.
        redirect: Whether to leave the page. If False, the outcome is returned instead.
        authorization_params: Query parameters for the identity provider.
        **fields: What the provider asks for, as ``username`` and ``password``, or ``email``. Sent as a form
            would, like ``authorization_params``: ``True`` as ``true``, a list item by item, None not at all.

    Returns:
        The outcome with ``redirect=False``, else None. Refused credentials are an outcome, not an error.

    Raises:
        ClientFetchError: The server could not be asked. Nothing has changed.
        CsrfError: The server refuses this browser's csrf token.
        UnsafeRedirectError: ``callback_url``, or where the server sends the page, is no http(s) URL.
        TypeError: An option has its JavaScript name, as ``callbackUrl``.
        ValueError: In a worker, which cannot leave the page, with ``redirect=True``.

    Example:
        ```python
        result = await sign_in("credentials", username=name, password=password, redirect=False)
        if not result.ok:
            show("Wrong name or password" if result.error == "CredentialsSignin" else result.error)
        ```
    """
    return await _provider().sign_in(
        provider,
        callback_url=callback_url,
        redirect=redirect,
        authorization_params=authorization_params,
        **fields,
    )


@ignores_events
async def sign_out(*, callback_url: str | None = None, redirect: bool = True) -> SignOutResult | None:
    """Sign out, here and in every tab, and make sure that the server has done so.

    Args:
        callback_url: Where to be afterwards; by default as in `sign_in`.
        redirect: Whether to leave the page. If False, the page stays and ``url`` is returned.

    Raises:
        ClientFetchError: The server could not be asked. Nothing has changed.
        CsrfError: The server refuses this browser's csrf token. Nothing has changed.
        SignOutIncomplete: The server goes on showing a session.
        UnsafeRedirectError: ``callback_url``, or where the server sends the page, is no http(s) URL.
        ValueError: In a worker, which cannot leave the page, with ``redirect=True``.
    """
    return await _provider().sign_out(callback_url=callback_url, redirect=redirect)


def _provider() -> SessionProvider[Any]:
    return current_provider() or _provider_of_nobody(default_host())


def _provider_of_nobody(host: Host) -> SessionProvider[Any]:
    """A provider that is never started: it has no listeners, but its requests take turns."""
    if host not in _providers_of_nobody:
        _providers_of_nobody[host] = SessionProvider(host=host)
    return _providers_of_nobody[host]

"""The calls as plain functions: on the current provider, or on their own where none is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .client.listeners import ignores_events
from .core.options import UNSET, Unset
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
        broadcast: Whether to have the tabs of JavaScript clients refetch, even if nothing changed. Python
            tabs get the answer itself.

    Returns:
        The session; None only if signed out.

    Raises:
        ClientFetchError: The server could not be reached, or its answer is invalid.
        SessionValidationError: The session does not fit the provider's ``session_type``.
    """
    return await _provider().get_session(broadcast=broadcast)


@ignores_events
async def get_csrf_token() -> str | None:
    """Return the csrf token, for a form of your own.

    Returns:
        The token; None if the server's framework has csrf checks of its own.

    Raises:
        ClientFetchError: The server could not be reached, or failed.
    """
    return await _provider().get_csrf_token()


@ignores_events
async def get_providers() -> dict[str, Provider]:
    """Return the server's providers by id.

    Raises:
        ClientFetchError: The server could not be reached, or failed.
    """
    return await _provider().get_providers()


@ignores_events
async def sign_in(
    provider: str | None = None,
    /,
    *,
    callback_url: str | None = None,
    redirect: bool | Unset = UNSET,
    popup: bool | str = False,
    authorization_params: Mapping[str, object] | str | None = None,
    **fields: object,
) -> SignInResult | None:
    """Sign in. Without a provider, or with an unknown one, go to the server's sign-in page.

    Args:
        provider: The id of a provider, such as ``"github"`` or ``"credentials"``.
        callback_url: The page to return to. Defaults to this page, without ``error``, ``code`` and ``csrf``
            in its address.
        redirect: Whether to leave the page, which is the default. If False, return the result instead.
        popup: Whether to sign in at the provider, or on the server's sign-in page, in a window of its own:
            this page stays as it is, and shows the session when the window has closed. Call it in the handler
            of a click, before any other ``await``, or browsers refuse the window. With ``"or-redirect"`` the
            page is left if the window is refused. See ``docs/popups.md``.
        authorization_params: Query parameters for the identity provider.
        **fields: The provider's fields, such as ``username`` and ``password``, or ``email``. They are encoded
            as a form's, like ``authorization_params``: True as ``true``, lists item by item, None omitted.
            With passkeys, ``action`` is ``"authenticate"`` or ``"register"``; by default the server decides.
            ``autofill=True`` offers passkeys in the page's field with ``autocomplete="username webauthn"``
            until the visitor picks one. See ``docs/passkeys.md``.

    Returns:
        The result with ``redirect=False`` or ``popup``; None if the page is left, or the provider is closed
        meanwhile. Refused credentials, and a window that is refused (``"PopupBlocked"``) or closed
        (``"PopupClosed"``), are a result, not an exception. If the browser gives no passkey, the page stays
        in any case, and the result says why: ``"PasskeyCancelled"``, ``"PasskeyExists"``,
        ``"PasskeyOrigin"``, ``"PasskeyUnsupported"`` or ``"PasskeyFailed"``.

    Raises:
        ClientFetchError: The server could not be reached, or failed. Nothing has changed.
        CsrfError: The server refuses this browser's csrf token.
        UnsafeRedirectError: ``callback_url`` or the server's redirect is not an http(s) URL, or
            ``popup_page`` is on another origin.
        TypeError: An option has its JavaScript name, such as ``callbackUrl``, or a form cannot carry a field.
        ValueError: A worker is to leave the page, open a window or ask for a passkey; ``popup`` and
            ``redirect`` contradict each other; or it is not known where ``session-popup.html`` is. With
            passkeys also: a page without https, ``popup``, another ``action``, or ``autofill`` to register.

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
        popup=popup,
        authorization_params=authorization_params,
        **fields,
    )


@ignores_events
async def sign_out(*, callback_url: str | None = None, redirect: bool = True) -> SignOutResult | None:
    """Sign out in every tab, and verify that the server has done so.

    Args:
        callback_url: The page to go to. Defaults to this page, as in `sign_in`.
        redirect: Whether to leave the page. If False, return the ``url`` instead.

    Raises:
        ClientFetchError: The server could not be reached, or failed. Nothing has changed.
        CsrfError: The server refuses this browser's csrf token. Nothing has changed.
        SignOutIncomplete: The server still returns a session.
        UnsafeRedirectError: ``callback_url`` or the server's redirect is not an http(s) URL.
        ValueError: Called in a worker, which cannot leave the page, with ``redirect=True``.
    """
    return await _provider().sign_out(callback_url=callback_url, redirect=redirect)


def _provider() -> SessionProvider[Any]:
    return current_provider() or _provider_of_nobody(default_host())


def _provider_of_nobody(host: Host) -> SessionProvider[Any]:
    """Return a provider that is never started: it has no listeners, but serializes its requests."""
    if host not in _providers_of_nobody:
        _providers_of_nobody[host] = SessionProvider(host=host)
    return _providers_of_nobody[host]

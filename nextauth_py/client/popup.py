"""A sign-in in a window of its own, while the page stays.

The page cannot always see what happens in the window. A page of another origin hides its address, and one
with Cross-Origin-Opener-Policy cuts the window off: it seems closed while the user types there. So the last
page of the sign-in, ``session-popup.html``, reports on a BroadcastChannel; the window's address is read where
it can be; and if the window seems closed, the server is asked.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from ..core.urls import join, origin_of, query_of, safe_redirect, with_parameter, without_verdict
from ..core.wire import SignInResult
from .driver import monotonic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..host.base import Channel, Lifecycle, Window
    from .sign_in import SignIns

CHANNEL = "nextauth_py.popup"
PARAMETER = "nextauth_popup"

# Seconds between two looks at the window.
_INTERVAL = 0.2

# Seconds for which the window must seem closed while this page has the focus: if it has been seen at another
# origin; and if it has not, because its first page may have cut it off.
_CLOSED, _CUT_OFF = 1.0, 10.0


async def sign_in_in_popup(
    client: SignIns[Any],
    provider_id: str | None,
    *,
    page: str | None,
    or_redirect: bool,
    callback_url: str | None,
    authorization_params: Mapping[str, object] | str,
    fields: Mapping[str, object],
) -> SignInResult | None:
    """Sign in, as `nextauth_py.sign_in` describes with ``popup``. The window opens before the first await.

    Args:
        client: Makes the requests.
        provider_id: As there.
        page: The address of session-popup.html; None for the bundle's.
        or_redirect: Whether to leave the page if the browser refuses a window.
        callback_url: As there.
        authorization_params: As there.
        fields: As there.

    Raises:
        ValueError: This is a worker, or it is not known where session-popup.html is.
        UnsafeRedirectError: An address is not an http(s) URL, or session-popup.html is on another origin.
    """
    host = client.host
    if not host.is_page:
        raise ValueError("a worker cannot open a window: sign in on the page")
    here, address = host.location(), page or host.popup_page()
    if address is None:
        raise ValueError(
            "popup= needs to know where session-popup.html is on this origin: "
            'SessionProvider(popup_page="/static/session-popup.html")'
        )
    target = safe_redirect(callback_url or without_verdict(here), page=here)
    if origin_of(target) != origin_of(here):  # it may come from a link to this page, and no server checks it
        target = without_verdict(here)
    popup = _Popup(client, safe_redirect(address, page=here, same_origin=True))
    window = host.open_window()
    if window is None:
        if not or_redirect:
            return SignInResult(ok=False, status=0, error="PopupBlocked")
        return await client.sign_in(
            provider_id,
            callback_url=callback_url,
            redirect=True,
            authorization_params=authorization_params,
            fields=fields,
        )
    with popup.opened(window):
        found = await client.start_sign_in(
            provider_id,
            callback_url=callback_url,
            landing=popup.landing,
            authorization_params=authorization_params,
            fields=fields,
        )
        if isinstance(found, SignInResult):
            return found
        client.expect_sign_in()  # as when the page is left
        before = client.session  # not earlier, when it may have been loading
        end = await popup.show(found)
    verdict = query_of(end) if end else {}
    if error := verdict.get("error"):
        return SignInResult(ok=False, status=200, error=error[0], code=verdict.get("code", [None])[0])
    if await client.find_new_session(None if end else before):
        return SignInResult(ok=True, status=200, url=target)
    return SignInResult(ok=False, status=200, error="Callback" if end else "PopupClosed")


class _Popup:
    """The window of one sign-in.

    Attributes:
        landing: The address that leads back to us.
    """

    def __init__(self, client: SignIns[Any], address: str) -> None:
        self._auth = client.auth
        self._host = client.host
        self._nonce = client.host.unique()
        if not self._auth.origin:  # it may go by another origin than the page's, and would refuse this one
            address = address.removeprefix(origin_of(address))
        self.landing = with_parameter(address, PARAMETER, self._nonce)
        self._channel: Channel | None = None
        self._told = ""
        self._news = asyncio.Event()

    def opened(self, window: Window) -> ExitStack:
        """Listen to what the window reports. On exit, close it."""
        self._window = window
        undo = ExitStack()
        undo.callback(window.close)
        undo.callback(self._close_channel)
        undo.callback(self._host.on_lifecycle(self._on_lifecycle))
        self._open_channel()
        return undo

    async def show(self, url: str) -> str | None:
        """Show a page in the window, and wait until the sign-in has ended.

        Args:
            url: Of the identity provider, or of the server's sign-in page, where a visitor may try again.

        Returns:
            The address, or only the query, at which it has ended; None if the window seems closed.
        """
        if self._window.is_closed():
            return None
        self._window.go(url)
        is_servers = url.startswith(join(self._host.location(), self._auth.endpoint("signin")))
        patience, closed_at = _CUT_OFF, None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_INTERVAL):
                    await self._news.wait()
            if self._told:
                return self._told
            if self._window.is_closed():
                if not self._host.has_focus():
                    closed_at = None
                elif closed_at is None:
                    closed_at = monotonic()
                elif monotonic() - closed_at >= patience:
                    return None
                continue
            place = self._window.location()
            if place is None:
                patience = _CLOSED
            elif self._is_end(place, may_try_again=is_servers):
                return place

    def _is_end(self, place: str, *, may_try_again: bool) -> bool:
        here, error = self._host.location(), query_of(place).get("error", [""])[0]
        if place.startswith(join(here, self.landing)):
            return True
        if place.startswith(join(here, self._auth.endpoint("error"))):
            return bool(error)
        # An identity provider on this origin has errors of its own, such as "access_denied".
        return not may_try_again and error[:1].isupper()

    # --- the channel ---

    def _heard(self, message: object) -> None:
        match message:
            case {"event": "landed", "nonce": self._nonce, "told": str(told)} if told.startswith("?"):
                self._told = self._told or told
                self._news.set()
                if self._channel:
                    self._channel.post({"event": "heard", "nonce": self._nonce})

    def _open_channel(self) -> None:
        self._channel = self._host.open_channel(CHANNEL, self._heard)

    def _close_channel(self) -> None:
        if self._channel:
            self._channel.close()
            self._channel = None

    def _on_lifecycle(self, change: Lifecycle) -> None:
        """An open channel would keep the page out of the back/forward cache."""
        if change == "left":
            self._close_channel()
        elif change == "restored":
            self._open_channel()

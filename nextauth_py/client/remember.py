"""Data of a page, kept in the tab's sessionStorage through a sign-in that leaves the page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..core.urls import STATE_PARAMETER, query_of, without_parameters
from ..core.wire import as_json
from ..tabs.messages import parse_stored

if TYPE_CHECKING:
    from ..core.urls import AuthUrl
    from ..host.base import Host

_DAY = 24 * 60 * 60.0


def remember(host: Host, auth: AuthUrl, data: object) -> str:
    """Keep JSON data until a sign-in has returned. None forgets what was kept.

    Returns:
        A nonce, for the address that the sign-in returns to; empty if nothing is kept.

    Raises:
        TypeError: A value is not JSON serializable.
        ValueError: A number is not finite, or something contains itself.
    """
    nonce = host.unique()
    text = json.dumps([nonce, host.now(), _path(host.location()), as_json(data, "remember()")])
    host.take_kept(_key(auth))
    is_kept = data is not None and parse_stored(text) is not None and host.keep(_key(auth), text)
    return nonce if is_kept else ""


def recall(host: Host, auth: AuthUrl) -> Any:
    """Return what was kept if this page's address has its nonce, and remove the nonce from the address.

    A server that has refused the sign-in may lead back without the nonce but with an ``error``. Then the path
    of the page that called `remember` counts.
    """
    here = host.location()
    told, text = query_of(here), host.take_kept(_key(auth))
    match parse_stored(text):
        case [str(nonce), float(at), str(path), data] if abs(host.now() - at) < _DAY:
            if nonce in told.get(STATE_PARAMETER, []) or ("error" in told and path == _path(here)):
                host.replace_address(without_parameters(here, {STATE_PARAMETER}))
                return data
            host.keep(_key(auth), text or "")  # for a page to come
    return None


def _path(page: str) -> str:
    return page.partition("#")[0].partition("?")[0]


def _key(auth: AuthUrl) -> str:
    return f"nextauth_py.remembered {auth.endpoint()}"

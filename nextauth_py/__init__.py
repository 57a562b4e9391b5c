"""The NextAuth.js / Auth.js session client for Python in the browser.

The models are looked up when first used: a page on which nobody is signed in never loads pydantic.
"""

import sys

# Before any other import: MicroPython lacks most of what follows, and would complain of that instead.
if sys.implementation.name == "micropython":
    raise ImportError('nextauth_py needs Pyodide: use <script type="py">, not <script type="mpy">')

from importlib import import_module
from typing import TYPE_CHECKING

from .access import Auth
from .calls import get_csrf_token, get_providers, get_session, sign_in, sign_out
from .content.parts import keyed
from .core.wire import SignInResult, SignOutResult
from .errors import (
    ClientFetchError,
    CsrfError,
    NextAuthError,
    ProviderMissingError,
    SessionValidationError,
    SignOutIncomplete,
    UnsafeRedirectError,
)
from .provider import SessionProvider
from .state import SessionEvent, SessionState
from .ui.component import Component, component
from .ui.hooks import SessionHandle, use_session

if TYPE_CHECKING:
    from .models import Provider, Session, User
    from .ui.page import bind_page

__version__ = "0.1.0"

__all__ = [
    "Auth",
    "ClientFetchError",
    "Component",
    "CsrfError",
    "NextAuthError",
    "Provider",
    "ProviderMissingError",
    "Session",
    "SessionEvent",
    "SessionHandle",
    "SessionProvider",
    "SessionState",
    "SessionValidationError",
    "SignInResult",
    "SignOutIncomplete",
    "SignOutResult",
    "UnsafeRedirectError",
    "User",
    "bind_page",
    "component",
    "get_csrf_token",
    "get_providers",
    "get_session",
    "keyed",
    "sign_in",
    "sign_out",
    "use_session",
]


if not TYPE_CHECKING:  # type checkers would take any name for one of ours

    def __getattr__(name: str) -> object:
        if name in {"Provider", "Session", "User"}:
            return getattr(import_module(".models", __name__), name)
        if name == "bind_page":  # which not every page needs
            return getattr(import_module(".ui.page", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""WebAuthn in a page, by the browser's own functions for JSON."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException

from ..core.passkeys import PasskeyError
from .common import to_object

if TYPE_CHECKING:
    from ..core.passkeys import Action

# By action: the function that reads the options, and the one that asks the visitor.
_FUNCTIONS = {
    "authenticate": ("parseRequestOptionsFromJSON", "get"),
    "register": ("parseCreationOptionsFromJSON", "create"),
}


class BrowserPasskeys:
    """The passkeys that the browser of this page offers."""

    def __init__(self) -> None:
        self.is_allowed = bool(js.isSecureContext)

    async def is_supported(self, *, autofill: bool) -> bool:
        kind = _kind()
        needed = [getattr(kind, parse, None) for parse, _ in _FUNCTIONS.values()]
        if not all(needed) or not hasattr(kind.prototype, "toJSON"):
            return False
        if not autofill:
            return True
        is_available = getattr(kind, "isConditionalMediationAvailable", None)
        return bool(is_available and await is_available())

    async def ask(self, action: Action, options: str, *, autofill: bool) -> str:
        parse, ask = _FUNCTIONS[action]
        try:
            public_key = getattr(_kind(), parse)(js.JSON.parse(options))
        except JsException as error:
            raise ValueError(str(error)) from None
        abort = js.AbortController.new()
        request = {"publicKey": public_key, "signal": abort.signal}
        if autofill:
            request["mediation"] = "conditional"
        try:
            return str(js.JSON.stringify(await getattr(js.navigator.credentials, ask)(to_object(request))))
        except JsException as error:
            raise PasskeyError(str(error.name), str(error.message)) from None
        except asyncio.CancelledError:
            abort.abort()
            raise


def _kind() -> Any:
    return getattr(js, "PublicKeyCredential", None)

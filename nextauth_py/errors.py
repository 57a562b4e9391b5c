"""Every exception this package raises on purpose.

NextAuthError
├── ClientFetchError        the server could not be reached, or answered what no NextAuth server answers
├── CsrfError               the server refused the csrf token, and a fresh one too
├── SessionValidationError  the session does not fit ``session_type``
├── SignOutIncomplete       the server still shows a session after repeated sign-outs
├── UnsafeRedirectError     a URL that must not be navigated to
└── ProviderMissingError    no SessionProvider has been started

Wrong arguments raise the built-in TypeError and ValueError. No message carries a token, a password or the
content of a session.
"""

from __future__ import annotations

__all__ = [
    "ClientFetchError",
    "CsrfError",
    "NextAuthError",
    "ProviderMissingError",
    "SessionValidationError",
    "SignOutIncomplete",
    "UnsafeRedirectError",
]


class NextAuthError(Exception):
    """The base of every error of this package."""


# What a developer can do about a status, where the answer alone does not say.
_ADVICE = {
    **dict.fromkeys((301, 302, 303, 307, 308), "; it redirects elsewhere, which is not followed"),
    **dict.fromkeys((400, 404, 405), "; is base_path right?"),
    403: "; a proxy or a firewall refuses it",
    429: "; the server asks for fewer requests",
    500: "; the server's log says why",
}


_SERVER_ERROR = 500
_BUSY = {408, 425, 429}


class ClientFetchError(NextAuthError):
    """A request failed: no answer, an error status, or an answer that is not NextAuth's.

    Attributes:
        url: The address that was asked, without its query.
        status: The HTTP status, or None when there was no answer.
        retry_after: Seconds after which the server wants to be asked again, or None.
    """

    def __init__(
        self, url: str, status: int | None = None, reason: str = "", retry_after: float | None = None
    ) -> None:
        self.url = url.partition("?")[0]
        self.status = status
        self.retry_after = retry_after
        self.reason = reason or ("no answer" if status is None else f"HTTP {status}{_ADVICE.get(status, '')}")
        super().__init__(f"{self.url}: {self.reason}")

    @property
    def is_lasting(self) -> bool:
        """Whether asking again will hardly help: it is an answer, and no failure of the server."""
        return self.status is not None and self.status < _SERVER_ERROR and self.status not in _BUSY


class CsrfError(NextAuthError):
    """The server refused the csrf token twice, the second one fresh. Are cookies blocked for its origin?"""

    def __init__(self, url: str) -> None:
        self.url = url.partition("?")[0]
        super().__init__(
            f"{self.url}: the server refused the csrf token, and a fresh one too. Check that the browser "
            "keeps its cookies: same site, https where the cookie is Secure, no third-party blocking."
        )


class SessionValidationError(NextAuthError):
    """A session does not fit the session type.

    Attributes:
        fields: The dotted names of the fields that do not fit, never their values.
    """

    def __init__(self, session_type: str, fields: tuple[str, ...], reasons: tuple[str, ...]) -> None:
        self.fields = fields
        described = "; ".join(f"{name}: {reason}" for name, reason in zip(fields, reasons, strict=True))
        super().__init__(
            f"the session does not fit {session_type} ({described}). Correct the server's session callback, "
            "or give the field a default in your session_type."
        )


class SignOutIncomplete(NextAuthError):  # noqa: N818 - a state of affairs, as IncompleteRead
    """The server still returns a session after repeated sign-outs. The page stays signed in."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(
            f"{url}: the session is still there after repeated sign-outs. Something else on this origin "
            "keeps renewing the cookie; call sign_out() again once it has stopped."
        )


class UnsafeRedirectError(NextAuthError):
    """A URL was refused as the target of a navigation.

    Attributes:
        url: The refused URL, shortened for display.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.url = repr(url[:80])
        super().__init__(
            f"refused to go to {self.url}: {reason}. Use a path like '/account' or an http(s) URL."
        )


class ProviderMissingError(NextAuthError):
    """A hook was used before a SessionProvider was started."""

    def __init__(self) -> None:
        super().__init__("no SessionProvider is running. Write SessionProvider().start() before this line.")

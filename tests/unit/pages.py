"""A page for the tests of `nextauth_py.testing`."""

from __future__ import annotations

from nextauth_py import (
    SessionProvider,
    component,
    sign_in,
    sign_out,
    use_session,
)

from .templates import Template


def account() -> None:
    """A page as users write it."""
    SessionProvider().start()

    @component("#account")
    def account() -> object:
        session = use_session()
        if session.status == "loading":
            return "Loading…"
        if session.data is None:
            return Template("<button @click=", lambda: sign_in("github"), ">Sign in</button>")
        leave = Template("<button @click=", lambda: sign_out(redirect=False), ">Sign out</button>")
        name = session.data.user and session.data.user.name
        return [Template("<p>Signed in as <b>", name, "</b></p>"), leave]
